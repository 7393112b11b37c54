/** Sizes of write blocks in bytes; each is four times the one before. performance.md, section 8 */
const SIZES = [4_096, 16_384, 65_536] as const;
/** Free blocks kept of each size: at most 28 MiB in all. */
const KEPT = [2_048, 512, 192] as const;

/** Largest pooled block in bytes; a larger packet gets a block of its own. */
export const LARGEST_BLOCK = 65_536;

/** Write blocks that idle connections do not own. */
export class BlockPool {
  readonly #free: readonly Uint8Array[][] = [[], [], []];

  /** Gives the smallest pooled block with room for `sizeBytes`, or a block of exactly that size beyond the largest. */
  take(sizeBytes: number): Uint8Array {
    for (let index = 0; index < SIZES.length; index++) {
      const size = SIZES[index] ?? 0;
      if (sizeBytes <= size) return this.#free[index]?.pop() ?? new Uint8Array(size);
    }
    return new Uint8Array(sizeBytes);
  }

  /** Takes a block back; nobody may touch it afterwards. */
  give(block: Uint8Array): void {
    for (let index = 0; index < SIZES.length; index++) {
      const list = this.#free[index];
      if (block.length !== SIZES[index] || list === undefined) continue;
      if (list.length < (KEPT[index] ?? 0)) list.push(block);
      return;
    }
  }

  /** Free blocks that are kept. */
  get free(): number {
    return this.#free.reduce((sum, list) => sum + list.length, 0);
  }
}
