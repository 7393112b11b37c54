import { type ResourceLimits, Worker } from 'node:worker_threads';
import { StoreError, type StoreErrorCode } from './store-error.ts';

interface Waiting<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: StoreError) => void;
}

/** Sends numbered requests to a worker thread and matches its replies. */
export class ThreadClient<Request extends object, Reply extends object> {
  readonly worker: Worker;
  readonly #waiting = new Map<number, Waiting<Reply>>();
  #next = 1;
  #stopped = false;

  /** `resourceLimits` bound the memory of the thread; without them it may use what the process may. */
  constructor(
    file: URL,
    workerData: unknown,
    onOther: (reply: Reply) => void,
    onStop: (reason: string) => void,
    resourceLimits: ResourceLimits = {},
  ) {
    this.worker = new Worker(file, { workerData, resourceLimits });
    let reason = 'thread ended';
    this.worker.on('message', (reply: Reply) => {
      const id = 'request' in reply && typeof reply.request === 'number' ? reply.request : 0;
      const waiting = this.#waiting.get(id);
      if (waiting === undefined) {
        onOther(reply);
        return;
      }
      this.#waiting.delete(id);
      waiting.resolve(reply);
    });
    this.worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    this.worker.on('exit', () => {
      this.#stopped = true;
      for (const { reject } of this.#waiting.values()) reject(stopped(reason));
      this.#waiting.clear();
      onStop(reason);
    });
  }

  post(message: Request, transfer: ArrayBuffer[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  /** Sends a request made with a fresh number. Rejects with `StoreError` `worker-stopped` if no answer will come. */
  ask(make: (request: number) => Request, transfer: ArrayBuffer[] = []): Promise<Reply> {
    if (this.#stopped) return Promise.reject(stopped('thread ended'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage(make(id), transfer);
    });
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }
}

function stopped(reason: string): StoreError {
  return new StoreError('worker-stopped', `The thread of the store does not answer: ${reason}`);
}

/** The error a thread reported, as an error of this thread. */
export function remoteError(code: StoreErrorCode | undefined, message: string): StoreError {
  return new StoreError(code ?? 'worker-stopped', message);
}
