/** Bytes that are read and kept together. */
export const BLOCK_BYTES = 65_536;

interface Block {
  readonly bytes: Promise<Uint8Array>;
  /** null while it is read. */
  loaded: Uint8Array | null;
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
  #newest = '';
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
    const known = this.#use(key);
    if (known !== undefined) return known.bytes;
    const block: Block = { bytes: load(), loaded: null, size };
    this.#blocks.set(key, block);
    this.#newest = key;
    this.#used += size;
    this.#makeRoom();
    // A block that could not be read is read anew by the next one who asks; who waits for it now hears of the error.
    block.bytes.then(
      (bytes) => {
        block.loaded = bytes;
      },
      () => {
        if (this.#blocks.get(key) === block) this.delete(key);
      },
    );
    return block.bytes;
  }

  /** The block of this key, if it is here and has been read. */
  peek(key: string): Uint8Array | null {
    return this.#use(key)?.loaded ?? null;
  }

  #use(key: string): Block | undefined {
    const known = this.#blocks.get(key);
    if (known === undefined || key === this.#newest) return known;
    this.#blocks.delete(key);
    this.#blocks.set(key, known);
    this.#newest = key;
    return known;
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
