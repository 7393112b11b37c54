import type { Socket } from 'node:net';
import type { Scheduler } from '@moorage/mqtt-broker';
import { type ChunkReceiver, readInto } from './socket-stream.ts';

/** How the beginning of a connection is looked at. */
export interface PeekOptions<Verdict> {
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly timeoutMs: number;
  /** Says what the bytes are, or null: more are needed. Bounds how many are waited for. */
  readonly decide: (bytes: Buffer) => Verdict | null;
  /** The socket is not read any more, and the bytes are in nobody's hands but the callee's. */
  readonly decided: (verdict: Verdict, bytes: Buffer) => void;
  /** Nothing was decided in time. The socket is closed. */
  readonly expired: () => void;
}

/** Reads from the beginning of a connection until it is known what it is. A connection that closes before is no event. */
export function peek<Verdict>(socket: Socket, options: PeekOptions<Verdict>): void {
  new Peek(socket, options).start();
}

class Peek<Verdict> implements ChunkReceiver {
  readonly #socket: Socket;
  readonly #options: PeekOptions<Verdict>;
  readonly #onGone = (): void => this.#stop();
  #cancelLimit: () => void = () => undefined;
  #bytes: Buffer | null = null;
  #over = false;

  constructor(socket: Socket, options: PeekOptions<Verdict>) {
    this.#socket = socket;
    this.#options = options;
  }

  start(): void {
    const { scheduler, timeoutMs, expired } = this.#options;
    this.#cancelLimit = scheduler.after(timeoutMs, () => {
      this.#socket.destroy();
      expired();
    });
    this.#socket.on('close', this.#onGone);
    this.#socket.on('end', this.#onGone);
    readInto(this.#socket, this);
    this.#socket.resume();
  }

  received(chunk: Uint8Array): boolean {
    if (this.#over) return false;
    const copy = Buffer.from(chunk);
    this.#bytes = this.#bytes === null ? copy : Buffer.concat([this.#bytes, copy]);
    const verdict = this.#options.decide(this.#bytes);
    if (verdict === null) return true;
    const bytes = this.#bytes;
    this.#stop();
    this.#socket.pause();
    // Not inside this call, after which Node stops reading: the next owner may have begun to read.
    queueMicrotask(() => this.#options.decided(verdict, bytes));
    return false;
  }

  #stop(): void {
    this.#over = true;
    this.#cancelLimit();
    this.#socket.off('close', this.#onGone);
    this.#socket.off('end', this.#onGone);
    readInto(this.#socket, null);
  }
}
