import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../sqlite/store-error.ts';
import { Columns } from './columns.ts';
import type { WriterOptions, WriterReply, WriterRequest } from './messages.ts';
import { otherOf } from './series-store.ts';
import { TelemetryWriter } from './writer.ts';

if (parentPort === null) throw new StoreError('worker-stopped', 'This file runs as a worker thread only');
const port = parentPort;
const options: WriterOptions = workerData;

/** Pause between two steps of background work while messages may be waiting: none, but behind them. */
let scheduled = false;

function schedule(writer: TelemetryWriter): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    const before = writer.state;
    const more = writer.background();
    if (writer.state !== before) post({ type: 'state', state: writer.state, reason: writer.reason });
    if (more) schedule(writer);
  });
}

function post(reply: WriterReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

function announce(writer: TelemetryWriter): void {
  const series = [...writer.series()];
  const owners: string[] = [];
  const ids = new Int32Array(series.length);
  const ownerOf = new Int32Array(series.length);
  const keys: string[] = [];
  for (const [at, { id, owner, key }] of series.entries()) {
    if (owners.at(-1) !== owner) owners.push(owner);
    ids[at] = id;
    ownerOf[at] = owners.length - 1;
    keys.push(key);
  }
  const latest = new Columns(series.length + 64);
  const latestSeries: number[] = [];
  for (const { series: id, points, at } of writer.store.allLatest()) {
    latestSeries.push(id);
    const other = otherOf(points, at);
    if (other === undefined) latest.push(points.ts[at] ?? 0, points.kind[at] ?? 0, points.num[at] ?? 0);
    else latest.pushFrom(points, at);
  }
  post({
    type: 'ready',
    state: writer.state,
    reason: writer.reason,
    ids,
    ownerOf,
    owners,
    keys,
    nextSeries: writer.store.highestSeries + 1,
    latestSeries: Int32Array.from(latestSeries),
    latest: latest.parts().parts,
    expiring: [...writer.expiry.entries()],
  });
}

function serve(writer: TelemetryWriter, request: WriterRequest): void {
  switch (request.type) {
    case 'round':
      post(writer.round(request));
      if (writer.pending) schedule(writer);
      return;
    case 'head': {
      const { parts, transfer } = writer.store.head(request.series, request.from, request.to).parts();
      post({ type: 'head', request: request.request, head: parts }, transfer);
      return;
    }
    case 'attributesOf':
      post({ type: 'attributesOf', request: request.request, rows: writer.attributes.of(request.owner) });
      return;
    case 'statistics': {
      const { sizeBytes, store } = writer;
      const oldestInHead = store.oldestInHeads();
      post({ type: 'statistics', request: request.request, bytes: sizeBytes, points: store.points, oldestInHead });
      return;
    }
    case 'close':
      writer.close();
      post({ type: 'closed' });
      port.close();
      return;
  }
}

try {
  const writer = TelemetryWriter.open(options);
  announce(writer);
  port.on('message', (request: WriterRequest) => serve(writer, request));
  schedule(writer);
} catch (error) {
  const code = error instanceof StoreError ? error.code : undefined;
  post({ type: 'refused', code, message: error instanceof Error ? error.message : String(error) });
  port.close();
}
