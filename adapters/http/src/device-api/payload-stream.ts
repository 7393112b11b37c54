import { Readable } from 'node:stream';
import type { PulledPayload } from '@moorage/dialect-api';

/** Bytes that are read ahead of the connection. */
const PIECE_BYTES = 65_536;

/** A payload as a stream that reads on only when the connection has taken what was read, and always closes it. */
export class PayloadStream extends Readable {
  readonly #payload: PulledPayload;
  #offset = 0;

  constructor(payload: PulledPayload) {
    super({ highWaterMark: PIECE_BYTES });
    this.#payload = payload;
  }

  override _read(): void {
    const length = Math.min(PIECE_BYTES, this.#payload.length - this.#offset);
    if (length <= 0) {
      this.push(null);
      return;
    }
    this.#payload.read(this.#offset, length).then(
      (piece) => {
        if (this.destroyed) return;
        if (piece.length !== length) {
          // Content-Length has been promised: breaking off is the only way left to say that something is missing.
          this.destroy(new RangeError('The payload is shorter than announced.'));
          return;
        }
        this.#offset += length;
        this.push(piece);
      },
      (error: unknown) => {
        this.destroy(error instanceof Error ? error : new TypeError('The payload could not be read.'));
      },
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#payload.close();
    callback(error);
  }
}
