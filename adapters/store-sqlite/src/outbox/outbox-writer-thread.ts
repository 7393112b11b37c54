import { parentPort, workerData } from 'node:worker_threads';
import { sqliteFault } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import type { OutboxReply, OutboxRequest, RoundReply, WriterOptions } from './messages.ts';
import { OutboxWriter } from './outbox-writer.ts';

if (parentPort === null) throw new StoreError('worker-stopped', 'This file runs as a worker thread only');
const port = parentPort;
const options: WriterOptions = workerData;

let scheduled = false;

/** Background work goes slice by slice, each behind the messages that have arrived. */
function schedule(writer: OutboxWriter): void {
  if (scheduled || !writer.pending) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    writer.background();
    const { state, reason } = writer;
    if (state !== 'ok') post({ type: 'background', state, reason });
    schedule(writer);
  });
}

function post(reply: OutboxReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

function buffersOf({ answers }: Pick<RoundReply, 'answers'>): ArrayBuffer[] {
  return answers.flatMap(({ result }) => (result?.type === 'entries' ? [result.entries.bodies.buffer] : []));
}

function serve(writer: OutboxWriter, request: OutboxRequest): void {
  if (request.type === 'round') {
    const round = writer.round(request.operations);
    post({ type: 'round', request: request.request, ...round }, buffersOf(round));
    schedule(writer);
    return;
  }
  writer.close();
  post({ type: 'closed' });
  port.close();
}

try {
  const writer = OutboxWriter.open(options);
  post({ type: 'ready' });
  port.on('message', (request: OutboxRequest) => serve(writer, request));
  schedule(writer);
} catch (error) {
  const code = error instanceof StoreError ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  post({ type: 'refused', code, message, full: sqliteFault(error) === 'full' });
  port.close();
}
