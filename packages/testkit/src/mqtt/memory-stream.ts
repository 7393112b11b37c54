import type { ByteStream, StreamHandler } from '@moorage/mqtt-broker';

/**
 * The server's end of an in-memory connection. What the server writes is copied at once and the block then spoiled, so
 * that a test fails if a block is used again before its time; what the client sends is spoiled after the call.
 */
export class MemoryStream implements ByteStream {
  /** Writes of the server, one entry for each call. */
  readonly writes: Uint8Array[] = [];
  /** The client takes nothing: what is written stays with the stream. */
  stalled = false;
  paused = false;
  closed = false;
  /** The server has closed it; `destroyed` without waiting for what was written. */
  ended = false;
  destroyed = false;
  /** Seconds after which the network asks for the peer; null: as the listener has it. */
  probedAfter: number | null = null;
  #handler: StreamHandler | null = null;
  #held: { readonly block: Uint8Array; readonly copy: Uint8Array }[] = [];
  #writableLength = 0;
  #waiting: Uint8Array[] = [];

  get writableLength(): number {
    return this.#writableLength;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (!this.paused) this.resume();
  }

  write(bytes: Uint8Array): void {
    if (this.closed || this.ended) throw new TypeError('The server wrote to a stream that it had closed.');
    const copy = bytes.slice();
    if (this.stalled) {
      this.#held.push({ block: bytes, copy });
      this.#writableLength += bytes.length;
      return;
    }
    bytes.fill(0xee);
    this.writes.push(copy);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [index, bytes] of waiting.entries()) {
      if (this.paused) {
        this.#waiting = [...waiting.slice(index), ...this.#waiting];
        return;
      }
      this.#deliver(bytes);
    }
  }

  probe(idleSeconds: number): void {
    this.probedAfter = idleSeconds;
  }

  end(): void {
    this.ended = true;
    if (!this.stalled) this.#close(null);
  }

  destroy(): void {
    this.destroyed = true;
    this.ended = true;
    this.#close(null);
  }

  /** The client sends bytes; they wait while the server does not read. */
  send(bytes: Uint8Array): void {
    if (this.closed) return;
    if (this.paused || this.#handler === null) this.#waiting.push(bytes.slice());
    else this.#deliver(bytes);
  }

  /** Bytes that the server has not read. */
  get unread(): number {
    return this.#waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** The client takes everything again. Fails if a block was changed while it belonged to the stream. */
  drain(): void {
    this.stalled = false;
    const held = this.#held;
    this.#held = [];
    this.#writableLength = 0;
    for (const { block, copy } of held) {
      if (copy.some((byte, index) => block[index] !== byte))
        throw new TypeError('A block was used before it was free.');
      block.fill(0xee);
      this.writes.push(copy);
    }
    if (this.ended) this.#close(null);
    else this.#handler?.onDrain();
  }

  /** The network connection is lost. */
  lose(error: Error | null = null): void {
    this.#close(error);
  }

  #deliver(bytes: Uint8Array): void {
    if (this.ended) return;
    const chunk = bytes.slice();
    this.#handler?.onData(chunk);
    chunk.fill(0xee);
  }

  #close(error: Error | null): void {
    if (this.closed) return;
    this.closed = true;
    this.#handler?.onClose(error);
  }
}
