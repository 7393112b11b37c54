import { getSystemErrorName } from 'node:util';
import type { ByteStream, Scheduler, StreamHandler } from '@moorage/mqtt-broker';
import { END_LIMIT_MS } from './socket-stream.ts';
import type { ConnectionHandle, StreamBinding, StreamRequest } from './stream-binding.ts';

/** The peer has said its last word. */
const END_OF_FILE = 'EOF';
const OWNER = Symbol('owner');

/** One buffer for all connections of the thread: bytes are valid only during the call that brings them. */
export const SHARED_BUFFER = new Uint8Array(64 * 1024);

/** Who is told what a handle reads. */
export interface HandleReader {
  /** A chunk, valid only during the call. */
  received(chunk: Uint8Array): void;
  /** The peer has half-closed, or (with an error) the connection has failed. */
  ended(error: Error | null): void;
}

interface OwnedHandle extends ConnectionHandle {
  [OWNER]?: HandleReader;
}

interface OwnedRequest extends StreamRequest {
  [OWNER]?: HandleStream;
}

/** Lets `reader` have what the handle reads from now on. */
export function readHandle(handle: ConnectionHandle, reader: HandleReader): void {
  const owned: OwnedHandle = handle;
  owned[OWNER] = reader;
}

/** Makes a fresh handle read into the shared buffer and tell its reader. */
export function prepareHandle(handle: ConnectionHandle, binding: StreamBinding): void {
  handle.onread = binding === known?.binding ? known.onread : remember(binding);
  handle.useUserBuffer(SHARED_BUFFER);
}

let known: { readonly binding: StreamBinding; readonly onread: (this: OwnedHandle) => void } | null = null;

function remember(binding: StreamBinding): (this: OwnedHandle) => void {
  const onread = function (this: OwnedHandle): void {
    const length = binding.readResult();
    if (length > 0) this[OWNER]?.received(SHARED_BUFFER.subarray(0, length));
    else if (length < 0) this[OWNER]?.ended(errorOf('read', length));
  };
  known = { binding, onread };
  return onread;
}

/** null: nothing is wrong, the peer has half-closed. */
function errorOf(call: string, status: number): Error | null {
  const code = getSystemErrorName(status);
  return code === END_OF_FILE ? null : Object.assign(new Error(`${call} ${code}`), { code, errno: status });
}

/** Of writes that ended inside their call, which is the rule: it serves the next one. */
let spare: StreamRequest | null = null;

/**
 * An accepted TCP connection as a byte stream, on the handle of Node without the `Socket` around it. A peer that
 * half-closes has said its last word: what was written still leaves, then the connection is closed.
 */
export class HandleStream implements ByteStream, HandleReader {
  readonly #handle: ConnectionHandle;
  readonly #binding: StreamBinding;
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #released: () => void;
  #handler: StreamHandler | null = null;
  #error: Error | null = null;
  #cancelLimit: (() => void) | null = null;
  #paused = false;
  #ending = false;
  #closing = false;
  #closed = false;
  #peerEnded = false;
  /** Bytes of writes that have not ended. */
  #waiting = 0;
  /** Copies of chunks that came before the start; usually null. */
  #held: Uint8Array[] | null = null;

  /** `released` is called once when the connection is gone, before the handler is told. The handle is prepared. */
  constructor(
    handle: ConnectionHandle,
    binding: StreamBinding,
    scheduler: Pick<Scheduler, 'after'>,
    released: () => void,
  ) {
    this.#handle = handle;
    this.#binding = binding;
    this.#scheduler = scheduler;
    this.#released = released;
    readHandle(handle, this);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#closed) {
      queueMicrotask(() => handler.onClose(this.#error));
      return;
    }
    if (this.#paused || this.#closing) return;
    this.#read(true);
    if (this.#held !== null) queueMicrotask(() => this.#release());
  }

  get writableLength(): number {
    return this.#waiting;
  }

  write(bytes: Uint8Array): void {
    if (this.#ending) return;
    const binding = this.#binding;
    const request = spare ?? binding.newWrite();
    spare = null;
    const status = this.#handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#fail(errorOf('write', status));
    } else if (binding.lastWriteWaits()) {
      const owned: OwnedRequest = request;
      owned[OWNER] = this;
      owned.handle = this.#handle;
      owned.buffer = bytes;
      owned.oncomplete = onWritten;
      this.#waiting += bytes.length;
    } else {
      spare = request;
    }
  }

  pause(): void {
    if (this.#paused || this.#ending) return;
    this.#paused = true;
    this.#read(false);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#closing) return;
    this.#read(true);
    // Before anything that the kernel brings, but not inside the call of whoever resumes.
    if (this.#held !== null) queueMicrotask(() => this.#release());
  }

  probe(idleSeconds: number): void {
    // What cannot be set is as it was: the connection is none the worse.
    if (!this.#closing) this.#handle.setKeepAlive(true, idleSeconds);
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#paused = false;
    if (this.#peerEnded && this.#waiting === 0) {
      this.#close();
      return;
    }
    this.#cancelLimit = this.#scheduler.after(END_LIMIT_MS, () => this.destroy());
    if (this.#waiting === 0) this.#shutDown();
    // Reading goes on, into nothing: a close with unread bytes would be a reset, which takes away from the peer what
    // it has not read yet. RFC 1122, 4.2.2.13
    if (!this.#peerEnded && !this.#closing) this.#read(true);
  }

  destroy(): void {
    if (this.#closing) return;
    this.#ending = true;
    // A peer that does not read would keep what was written in the kernel's memory long after an ordinary close.
    if (this.#waiting > 0 && this.#handle.reset(() => this.#gone()) === 0) this.#closing = true;
    else this.#close();
  }

  received(chunk: Uint8Array): void {
    if (this.#ending) return;
    if (!this.#paused && this.#held === null && this.#handler !== null) {
      this.#handler.onData(chunk);
      return;
    }
    this.#held ??= [];
    this.#held.push(chunk.slice());
    if (this.#handler === null) this.#read(false);
  }

  ended(error: Error | null): void {
    if (error !== null) {
      this.#fail(error);
      return;
    }
    this.#peerEnded = true;
    if (!this.#ending) this.end();
    else if (this.#waiting === 0) this.#close();
  }

  /** A write has ended that took longer than its call. */
  written(bytes: number, status: number): void {
    this.#waiting -= bytes;
    if (this.#closing) return;
    if (status < 0) this.#fail(errorOf('write', status));
    else if (this.#waiting > 0) return;
    else if (!this.#ending) this.#handler?.onDrain();
    else if (this.#peerEnded) this.#close();
    else this.#shutDown();
  }

  #read(on: boolean): void {
    const handle = this.#handle;
    if (handle.reading === on) return;
    handle.reading = on;
    const status = on ? handle.readStart() : handle.readStop();
    if (status !== 0) this.#fail(errorOf('read', status));
  }

  #shutDown(): void {
    const request = this.#binding.newShutdown();
    request.handle = this.#handle;
    request.oncomplete = ignore;
    // An error means that the connection is gone, which reading tells as well.
    this.#handle.shutdown(request);
  }

  #fail(error: Error | null): void {
    this.#error ??= error;
    this.#ending = true;
    this.#close();
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#handle.close(() => this.#gone());
  }

  #gone(): void {
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
}

function onWritten(this: OwnedRequest, status: number): void {
  const bytes = this.buffer?.length ?? 0;
  this.buffer = null;
  this[OWNER]?.written(bytes, status);
}

function ignore(): void {}
