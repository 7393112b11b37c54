import type { PulledPayload } from './ports.ts';

/**
 * Bytes asked for at once. One piece is all that a connection holds of a pulled payload, and a client that takes one in
 * `noProgressTimeoutMs` is not taken for dead: at 60 s that is 550 bytes a second.
 */
const PIECE_BYTES = 32_768;

/** A pulled payload whose `close` is called once, however often it is asked for. */
export class PulledSource {
  readonly length: number;
  readonly #payload: PulledPayload;
  readonly #fault: (error: unknown) => void;
  closed = false;

  /** `fault` is told what the payload's own `close` throws. */
  constructor(payload: PulledPayload, fault: (error: unknown) => void) {
    this.length = payload.length;
    this.#payload = payload;
    this.#fault = fault;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return await this.#payload.read(offset, length);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.#payload.close();
    } catch (error) {
      this.#fault(error);
    }
  }
}

/** Who writes the pieces. */
export interface PullTarget {
  /** The next piece of the payload; `last`: it is complete. The bytes belong to the target. */
  takePiece(bytes: Uint8Array, last: boolean): void;
  /** The payload cannot be completed. */
  pullFailed(error: unknown): void;
}

/** Why a pulled payload was given up; told to `BrokerObserver.fault`. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly code: 'wrong-length' | 'timeout';

  constructor(code: 'wrong-length' | 'timeout', message: string) {
    super(message);
    this.code = code;
  }
}

/** The pulling of one payload, a piece at a time, whenever the target asks for the next. */
export class PayloadPull {
  readonly #source: PulledSource;
  readonly #target: PullTarget;
  /** The progress of the output when the Keep Alive was last looked at. */
  progressSeen = -1;
  #offset = 0;
  #reading = false;
  #stopped = false;

  constructor(source: PulledSource, target: PullTarget) {
    this.#source = source;
    this.#target = target;
  }

  /** A piece has been asked for and has not come. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Asks for the next piece, unless one is on its way. */
  goOn(): void {
    if (this.#reading || this.#stopped) return;
    this.#reading = true;
    const asked = Math.min(PIECE_BYTES, this.#source.length - this.#offset);
    this.#source.read(this.#offset, asked).then(
      (bytes) => this.#come(bytes, asked),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Ends the pulling, complete or not. */
  stop(): void {
    this.#stopped = true;
    this.#source.close();
  }

  #come(bytes: Uint8Array, asked: number): void {
    if (this.#stopped) return;
    if (bytes.length !== asked) {
      const message = `${bytes.length} bytes came at offset ${this.#offset} of a payload, ${asked} were asked for.`;
      this.#fail(new PayloadError('wrong-length', message));
      return;
    }
    this.#reading = false;
    this.#offset += asked;
    this.#target.takePiece(bytes, this.#offset === this.#source.length);
  }

  #fail(error: unknown): void {
    if (!this.#stopped) this.#target.pullFailed(error);
  }
}
