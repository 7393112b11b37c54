import type { Scheduler } from '@moorage/core';
import { CLOSE, type CloseReason } from './close-codes.ts';

/** What a channel needs of a socket. */
export interface ChannelSocket {
  /** Bytes handed over and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** `sent` is called when the text has left, or will not. */
  send(text: string, sent: () => void): void;
  /** Keeps what is sent together until `uncork`. */
  cork(): void;
  uncork(): void;
}

/** Something that has news for its client and writes them down when the socket can take them. */
export interface UpdateSource {
  /** The news as one message; null: there are none any more. */
  take(): string | null;
}

export interface ChannelOptions {
  readonly scheduler: Pick<Scheduler, 'endOfTurn'>;
  readonly maxUnsent: number;
  readonly highWaterBytes: number;
  /** False: nothing may be sent any more. Asked before anything is. */
  readonly mayDeliver: () => boolean;
  readonly close: (reason: CloseReason) => void;
}

/**
 * What goes out to one client. Everything of one turn of the event loop leaves together. A client that does not read is
 * blocked: its answers wait, its updates are merged by their sources, and both are counted; one too many closes.
 */
export class SocketChannel {
  readonly #socket: ChannelSocket;
  readonly #options: ChannelOptions;
  readonly #queue: (string | UpdateSource)[] = [];
  readonly #entered = new Set<UpdateSource>();
  readonly #writable: (() => void)[] = [];
  readonly #sent = (): void => this.#progress();
  #blocked = false;
  #unsent = 0;
  #flushAsked = false;
  #closed = false;

  constructor(socket: ChannelSocket, options: ChannelOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** True while the client does not read: sources are to keep the latest value only. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Sends an answer. */
  send(text: string): void {
    if (this.#closed) return;
    this.#queue.push(text);
    this.#added();
  }

  /** The source has news, perhaps more than before; it is asked for them once. */
  offer(source: UpdateSource): void {
    if (this.#closed) return;
    if (!this.#entered.has(source)) {
      this.#entered.add(source);
      this.#queue.push(source);
    }
    this.#added();
  }

  /** Resolves when the client reads, at once if it does; also when the channel is closed. */
  writable(): Promise<void> {
    if (!this.#blocked || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#writable.push(resolve));
  }

  /** Forgets everything that has not been sent. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#entered.clear();
    for (const resolve of this.#writable.splice(0)) resolve();
  }

  #added(): void {
    if (this.#blocked) {
      this.#unsent += 1;
      if (this.#unsent > this.#options.maxUnsent) this.#options.close(CLOSE.tooManyPending);
      return;
    }
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.#options.scheduler.endOfTurn(() => this.#flush());
  }

  #flush(): void {
    this.#flushAsked = false;
    if (this.#closed || this.#queue.length === 0 || !this.#options.mayDeliver()) return;
    const { highWaterBytes } = this.#options;
    let taken = 0;
    this.#socket.cork();
    try {
      while (taken < this.#queue.length && this.#socket.bufferedAmount < highWaterBytes) {
        const next = this.#queue[taken];
        taken += 1;
        if (next === undefined) continue;
        const text = typeof next === 'string' ? next : this.#take(next);
        if (text !== null) this.#socket.send(text, this.#sent);
      }
    } finally {
      this.#queue.splice(0, taken);
      this.#socket.uncork();
    }
    // Without bytes on their way nobody would call back.
    this.#blocked = this.#socket.bufferedAmount > 0 && this.#socket.bufferedAmount >= highWaterBytes / 2;
    if (this.#blocked) return;
    this.#unsent = 0;
    if (this.#queue.length > 0) this.#added();
    for (const resolve of this.#writable.splice(0)) resolve();
  }

  #take(source: UpdateSource): string | null {
    this.#entered.delete(source);
    return source.take();
  }

  #progress(): void {
    if (!this.#blocked || this.#closed || this.#socket.bufferedAmount >= this.#options.highWaterBytes / 2) return;
    this.#blocked = false;
    this.#unsent = 0;
    if (this.#queue.length > 0) this.#added();
    for (const resolve of this.#writable.splice(0)) resolve();
  }
}
