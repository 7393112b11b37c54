import type { Socket } from 'node:net';
import type { ByteStream, Scheduler, StreamHandler } from '@moorage/mqtt-broker';

/** Longest time in milliseconds between `end` and the close. */
export const END_LIMIT_MS = 1000;

const EMPTY = new Uint8Array(0);
const STREAM = Symbol('stream');
const READER = Symbol('reader');

/** Takes the chunks of a socket. */
export interface ChunkReceiver {
  /** A chunk, valid only during the call; false: read no further. */
  received(chunk: Uint8Array): boolean;
}

/** A socket that knows who reads it, so that the event handlers are shared and not made anew for each socket. */
interface OwnedSocket extends Socket {
  [STREAM]?: SocketStream;
  [READER]?: ChunkReceiver | undefined;
}

/** Lets `reader` have what the socket reads from now on; null: nobody, the socket keeps it. */
export function readInto(socket: Socket, reader: ChunkReceiver | null): void {
  const owned: OwnedSocket = socket;
  if (reader === null) {
    owned[READER] = undefined;
    owned.off('data', onData);
    return;
  }
  owned[READER] = reader;
  owned.on('data', onData);
}

/**
 * A TCP or TLS socket of Node as a byte stream. A peer that half-closes has said its last word: what was written still leaves,
 * then the connection is closed.
 */
export class SocketStream implements ByteStream, ChunkReceiver {
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #released: () => void;
  #handler: StreamHandler | null = null;
  #error: Error | null = null;
  #cancelLimit: (() => void) | null = null;
  #paused = false;
  #ending = false;
  #closed = false;
  #awaitsDrain = false;
  /** Copies of chunks that came although reading was paused; usually null. */
  #held: Uint8Array[] | null = null;

  /**
   * `released` is called once when the connection is gone, before the handler is told. `tcp`: the TCP socket below a
   * TLS socket. `first`: bytes that were read already; they come before all others.
   */
  constructor(
    socket: Socket,
    scheduler: Pick<Scheduler, 'after'>,
    released: () => void,
    { tcp = socket, first = null }: { readonly tcp?: Socket; readonly first?: Uint8Array | null } = {},
  ) {
    this.#socket = socket;
    this.#tcp = tcp;
    if (first !== null) this.#held = [first];
    this.#scheduler = scheduler;
    this.#released = released;
    const owned: OwnedSocket = socket;
    owned[STREAM] = this;
    owned[READER] = this;
    owned.on('error', onError);
    owned.on('close', onClose);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#closed) {
      queueMicrotask(() => handler.onClose(this.#error));
      return;
    }
    this.#socket.on('end', onEnd);
    this.#socket.on('data', onData);
    if (this.#paused) return;
    this.#socket.resume();
    if (this.#held !== null) queueMicrotask(() => this.#release());
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.#ending) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > 0 && !this.#awaitsDrain) this.#awaitDrain();
  }

  pause(): void {
    if (this.#paused || this.#ending) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    // Before anything that the kernel brings, but not inside the call of whoever resumes.
    if (this.#held !== null) queueMicrotask(() => this.#release());
  }

  probe(idleSeconds: number): void {
    this.#tcp.setKeepAlive(true, idleSeconds * 1000);
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#paused = false;
    this.#cancelLimit = this.#scheduler.after(END_LIMIT_MS, () => this.destroy());
    this.#socket.end();
    // Reading goes on, into nothing: a close with unread bytes would be a reset, which takes away from the peer what
    // it has not read yet. RFC 1122, 4.2.2.13
    this.#socket.resume();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#ending = true;
    // A peer that does not read would keep what was written in the kernel's memory long after an ordinary close.
    if (this.#socket.writableLength > 0) this.#tcp.resetAndDestroy();
    else this.#socket.destroy();
  }

  /**
   * A chunk from the socket, valid only during the call; false: read no further. After a resume and a pause within one
   * tick Node reads once more, so a chunk may come while paused.
   */
  received(chunk: Uint8Array): boolean {
    if (this.#ending) return true;
    if (!this.#paused && this.#held === null) {
      this.#handler?.onData(chunk);
      return true;
    }
    this.#held ??= [];
    this.#held.push(chunk.slice());
    return !this.#paused;
  }

  /** Remembers why the socket is about to close. */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /** The socket has closed. */
  gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelLimit?.();
    this.#released();
    this.#handler?.onClose(this.#error);
  }

  #release(): void {
    while (!this.#paused && !this.#ending) {
      const chunk = this.#held?.shift();
      if (chunk === undefined) break;
      this.#handler?.onData(chunk);
    }
    if (this.#ending || this.#held?.length === 0) this.#held = null;
  }

  /**
   * Node tells `drain` only above its own mark, and a callback with each write would cost a tick each. An empty write
   * behind what waits is called back when all before it has left.
   */
  #awaitDrain(): void {
    this.#awaitsDrain = true;
    this.#socket.write(EMPTY, () => {
      this.#awaitsDrain = false;
      if (this.#closed || this.#ending) return;
      if (this.#socket.writableLength > 0) this.#awaitDrain();
      else this.#handler?.onDrain();
    });
  }
}

/** Takes what the kernel read into the buffer shared by all sockets; false: read no further. */
export function onRead(this: OwnedSocket, length: number, buffer: Uint8Array): boolean {
  return this[READER]?.received(buffer.subarray(0, length)) ?? true;
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  // `slice` of a Buffer is a view, of a Uint8Array a copy: receivers are promised the latter.
  this[READER]?.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
}

function onEnd(this: OwnedSocket): void {
  this[STREAM]?.end();
}

function onError(this: OwnedSocket, error: Error): void {
  this[STREAM]?.failed(error);
}

function onClose(this: OwnedSocket): void {
  this[STREAM]?.gone();
}
