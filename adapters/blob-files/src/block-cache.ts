/** Bytes that are read and kept together. */
export const BLOCK_BYTES = 65_536;

interface Block {
  readonly bytes: Promise<Uint8Array>;
  readonly size: number;
}

/**
 * Blocks of blobs that were read last. A block that several ask for is read once. Blobs never change, so nothing in here
 * grows old.
 */
export class BlockCache {
  readonly #capacity: number;
  /** Oldest use first. */
  readonly #blocks = new Map<string, Block>();
  #used = 0;

  /** `capacity` in bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** The block of this key, from `load` if it is not here; `size` is what it will take. Rejects as `load` does. */
  get(key: string, size: number, load: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#blocks.get(key);
    if (known !== undefined) {
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      return known.bytes;
    }
    const block: Block = { bytes: load(), size };
    this.#blocks.set(key, block);
    this.#used += size;
    this.#makeRoom();
    // A block that could not be read is read anew by the next one who asks; who waits for it now hears of the error.
    block.bytes.catch(() => {
      if (this.#blocks.get(key) === block) this.delete(key);
    });
    return block.bytes;
  }

  delete(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#used -= block.size;
  }

  #makeRoom(): void {
    for (const key of this.#blocks.keys()) {
      if (this.#used <= this.#capacity) return;
      this.delete(key);
    }
  }
}
