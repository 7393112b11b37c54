/** A checksum that is computed while the bytes pass; `hex` ends it and gives lower-case hex. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** The bytes of 32-bit words, least significant first, as lower-case hex. thingsboard-device.md, 7.1 */
export function littleEndianHex(words: readonly number[]): string {
  let hex = '';
  for (const word of words) {
    for (let shift = 0; shift < 32; shift += 8) hex += ((word >>> shift) & 0xff).toString(16).padStart(2, '0');
  }
  return hex;
}

/** Keeps the bytes behind the last whole block until more arrive, so that a hash sees whole blocks and one tail. */
export class BlockBuffer {
  readonly #size: number;
  readonly #held: Uint8Array;
  readonly #heldView: DataView;
  #length = 0;
  /** All bytes so far. */
  total = 0;

  constructor(size: number) {
    this.#size = size;
    this.#held = new Uint8Array(size);
    this.#heldView = new DataView(this.#held.buffer);
  }

  /** The bytes behind the last whole block. */
  get tail(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  /** Calls `blocks` with views of whole blocks; `end` is a multiple of the size from `start`. */
  push(bytes: Uint8Array, blocks: (view: DataView, start: number, end: number) => void): void {
    this.total += bytes.length;
    let at = 0;
    if (this.#length > 0) {
      const taken = Math.min(this.#size - this.#length, bytes.length);
      this.#held.set(bytes.subarray(0, taken), this.#length);
      this.#length += taken;
      at = taken;
      if (this.#length < this.#size) return;
      blocks(this.#heldView, 0, this.#size);
      this.#length = 0;
    }
    const end = bytes.length - ((bytes.length - at) % this.#size);
    if (end > at) blocks(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at, end);
    this.#held.set(bytes.subarray(end));
    this.#length = bytes.length - end;
  }
}
