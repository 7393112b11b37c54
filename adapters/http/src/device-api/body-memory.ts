/** Bytes of long bodies that are held for all requests of devices together. */
export const LONG_BODIES_BYTES = 134_217_728;
/** Bytes of each body that do not count, so that long bodies cannot keep ordinary messages out. */
export const FREE_BYTES = 65_536;

/**
 * What the bodies of devices may take together: anybody may send one, for the credential is looked at only when the
 * whole request is here.
 */
export class BodyMemory {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** False: there is no room. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** A body that counts in `BodyMemory` until it is released. */
export class HeldBody {
  readonly bytes: Uint8Array;
  readonly #memory: BodyMemory;
  #held: number;

  constructor(bytes: Uint8Array, memory: BodyMemory, held: number) {
    this.bytes = bytes;
    this.#memory = memory;
    this.#held = held;
  }

  release(): void {
    this.#memory.give(this.#held);
    this.#held = 0;
  }
}
