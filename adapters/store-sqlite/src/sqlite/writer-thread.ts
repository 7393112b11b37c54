import { parentPort, workerData } from 'node:worker_threads';
import { sqliteFault } from './driver.ts';
import { StoreError } from './store-error.ts';
import type { Close, Closed, Refused } from './writer-messages.ts';

/** Sends a message to the store, with what is handed over instead of being copied. */
export type Post<Reply> = (reply: Reply, transfer?: ArrayBuffer[]) => void;

/** What every thread does with its writer. */
export interface ServedWriter {
  /** True if there is background work. */
  readonly pending: boolean;
  close(): void;
}

/** What one kind of thread does with its writer. */
export interface WriterThread<Options, Writer extends ServedWriter, Request, Ready, Reply> {
  /** Opens the file with the options that the thread was started with. */
  open(options: Options): Writer;
  /** What the store is told first. */
  ready(writer: Writer): Ready;
  serve(writer: Writer, request: Request, post: Post<Reply>): void;
  /** Does a slice of background work; tells of it where the store has to know. */
  background(writer: Writer, post: Post<Reply>): void;
}

/**
 * The life of a writer's thread: opens the file, serves requests and does background work until it is told to close. Every
 * message is answered after what it asks is committed, in the order of the messages.
 */
export function runWriterThread<
  Options,
  Writer extends ServedWriter,
  Request extends { readonly type: string },
  Ready extends { readonly type: 'ready' },
  Reply extends { readonly type: string },
>(thread: WriterThread<Options, Writer, Request, Ready, Reply>): void {
  if (parentPort === null) throw new StoreError('worker-stopped', 'This file runs as a worker thread only');
  const port = parentPort;
  const post = (reply: Reply | Ready | Refused | Closed, transfer: ArrayBuffer[] = []): void => {
    port.postMessage(reply, transfer);
  };
  let scheduled = false;

  /** Background work goes slice by slice, each behind the messages that have arrived. */
  const schedule = (writer: Writer): void => {
    if (scheduled || !writer.pending) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      thread.background(writer, post);
      schedule(writer);
    });
  };

  const receive = (writer: Writer, request: Request | Close): void => {
    if (!isClose(request)) {
      thread.serve(writer, request, post);
      schedule(writer);
      return;
    }
    writer.close();
    post({ type: 'closed' });
    port.close();
  };

  try {
    const writer = thread.open(workerData);
    post(thread.ready(writer));
    port.on('message', (request: Request | Close) => receive(writer, request));
    schedule(writer);
  } catch (error) {
    const code = error instanceof StoreError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    post({ type: 'refused', code, message, full: sqliteFault(error) === 'full' });
    port.close();
  }
}

function isClose(request: { readonly type: string }): request is Close {
  return request.type === 'close';
}
