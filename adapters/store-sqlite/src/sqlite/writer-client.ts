import type { ResourceLimits } from 'node:worker_threads';
import { ThreadClient } from './thread-client.ts';
import type { Close, Closed, Refused, WriterOptions } from './writer-messages.ts';

/** The store's end of a writer's thread: how it starts, what it is asked, how it ends. */
export class WriterClient<
  Request extends { readonly type: string },
  Ready extends { readonly type: 'ready' },
  Reply extends { readonly type: string },
> extends ThreadClient<Request | Close, Reply | Ready | Refused | Closed> {
  /** Resolves once the file is open or cannot be opened. A thread that ends before that counts as `worker-stopped`. */
  readonly opening: Promise<Ready | Refused>;
  readonly #closed: Promise<void>;

  /**
   * `receive` is told what the thread says of itself and what answers no request; `stop` that the thread has ended, for
   * whatever reason. `resourceLimits` bound the memory of the thread.
   */
  constructor(
    file: URL,
    options: WriterOptions,
    receive: (reply: Reply) => void,
    stop: (reason: string) => void,
    resourceLimits: ResourceLimits = {},
  ) {
    let opened: (reply: Ready | Refused) => void = () => {};
    let closed = () => {};
    const opening = new Promise<Ready | Refused>((resolve) => {
      opened = resolve;
    });
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    super(
      file,
      options,
      (reply) => {
        if (isOpening<Ready>(reply)) opened(reply);
        else if (isClosed(reply)) closed();
        else receive(reply);
      },
      (reason) => {
        opened({ type: 'refused', code: 'worker-stopped', message: reason, full: false });
        closed();
        stop(reason);
      },
      resourceLimits,
    );
    this.opening = opening;
    this.#closed = closing;
  }

  /** Has the file closed behind everything that was asked; resolves when that is done, or the thread has ended. */
  close(): Promise<void> {
    this.post({ type: 'close' });
    return this.#closed;
  }
}

function isOpening<Ready extends { readonly type: 'ready' }>(reply: {
  readonly type: string;
}): reply is Ready | Refused {
  return reply.type === 'ready' || reply.type === 'refused';
}

function isClosed(reply: { readonly type: string }): reply is Closed {
  return reply.type === 'closed';
}
