import { parentPort, workerData } from 'node:worker_threads';
import { SqliteDriver } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { ChunkScan } from './chunk-scan.ts';
import { Columns } from './columns.ts';
import type { ReaderReply, ReaderRequest } from './messages.ts';

if (parentPort === null) throw new StoreError('worker-stopped', 'This file runs as a worker thread only');
const port = parentPort;
const { path }: { path: string } = workerData;
let scan: ChunkScan | undefined;

function answer(request: ReaderRequest): [ReaderReply, ArrayBuffer[]] {
  scan ??= new ChunkScan(SqliteDriver.open({ path, readOnly: true }), true);
  const id = request.request;
  switch (request.type) {
    case 'range': {
      const { series, from, to, order, limit } = request;
      const { parts, transfer } = scan.range(series, from, to, order, limit, Columns.of(request.head)).parts();
      return [{ type: 'range', request: id, points: parts }, transfer];
    }
    case 'aggregate': {
      const { series, from, to, intervalMs } = request;
      const buckets = scan.aggregate(series, from, to, intervalMs, Columns.of(request.head));
      return [{ type: 'aggregate', request: id, buckets }, []];
    }
    case 'oldest':
      return [{ type: 'oldest', request: id, oldest: scan.oldest() }, []];
  }
}

port.on('message', (request: ReaderRequest) => {
  try {
    const [reply, transfer] = answer(request);
    port.postMessage(reply, transfer);
  } catch (error) {
    const code = error instanceof StoreError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const reply: ReaderReply = { type: 'error', request: request.request, code, message };
    port.postMessage(reply);
  }
});
