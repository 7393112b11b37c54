import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../sqlite/store-error.ts';
import type { SessionReply, SessionRequest, WriterOptions } from './messages.ts';
import { SessionWriter } from './session-writer.ts';

if (parentPort === null) throw new StoreError('worker-stopped', 'This file runs as a worker thread only');
const port = parentPort;
const options: WriterOptions = workerData;

let scheduled = false;

/** Background work goes slice by slice, each behind the messages that have arrived. */
function schedule(writer: SessionWriter): void {
  if (scheduled || !writer.pending) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    const before = writer.state;
    const reply = writer.background();
    if (reply.dropped.length > 0 || writer.state !== before) post(reply);
    schedule(writer);
  });
}

function post(reply: SessionReply): void {
  port.postMessage(reply);
}

function serve(writer: SessionWriter, request: SessionRequest): void {
  if (request.type === 'round') {
    post(writer.round(request.operations));
    schedule(writer);
    return;
  }
  writer.close();
  post({ type: 'closed' });
  port.close();
}

try {
  const writer = SessionWriter.open(options);
  post(writer.ready());
  port.on('message', (request: SessionRequest) => serve(writer, request));
  schedule(writer);
} catch (error) {
  const code = error instanceof StoreError ? error.code : undefined;
  post({ type: 'refused', code, message: error instanceof Error ? error.message : String(error) });
  port.close();
}
