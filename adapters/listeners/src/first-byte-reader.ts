import { type HandleReader, readHandle } from './handle-stream.ts';
import type { ConnectionHandle } from './stream-binding.ts';

/** What becomes of a connection at a handle once its first bytes are there. */
export interface FirstBytes {
  /** The bytes are valid only during the call, and reading goes on behind it. */
  came(chunk: Uint8Array): void;
  /** The connection is gone, or was closed because nothing came; called instead of `came`. */
  gone(): void;
}

/** Begins to read a handle. `after` begins the time limit and gives what ends it. */
export function awaitFirstBytes(
  handle: ConnectionHandle,
  first: FirstBytes,
  after: (expired: () => void) => () => void,
): void {
  new FirstByteReader(handle, first, after).start();
}

class FirstByteReader implements HandleReader {
  readonly #handle: ConnectionHandle;
  readonly #first: FirstBytes;
  readonly #cancelLimit: () => void;
  #over = false;

  constructor(handle: ConnectionHandle, first: FirstBytes, after: (expired: () => void) => () => void) {
    this.#handle = handle;
    this.#first = first;
    this.#cancelLimit = after(() => this.#close());
  }

  start(): void {
    readHandle(this.#handle, this);
    this.#handle.reading = true;
    if (this.#handle.readStart() !== 0) this.ended();
  }

  received(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelLimit();
    this.#first.came(chunk);
  }

  ended(): void {
    this.#cancelLimit();
    this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handle.close(() => this.#first.gone());
  }
}
