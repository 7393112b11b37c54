import { BlockBuffer, littleEndianHex, type RunningChecksum } from './running-checksum.ts';

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function scramble(block: number): number {
  const product = Math.imul(block, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

/** MurmurHash3_x86_32 with seed 0. */
export class Murmur3x32 implements RunningChecksum {
  readonly #blocks = new BlockBuffer(4);
  #hash = 0;
  readonly #mix = (view: DataView, start: number, end: number): void => {
    let hash = this.#hash;
    for (let at = start; at < end; at += 4) {
      hash ^= scramble(view.getInt32(at, true));
      hash = (hash << 13) | (hash >>> 19);
      hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
    }
    this.#hash = hash;
  };

  update(bytes: Uint8Array): void {
    this.#blocks.push(bytes, this.#mix);
  }

  hex(): string {
    let rest = 0;
    for (const [index, byte] of this.#blocks.tail.entries()) rest |= byte << (8 * index);
    let hash = this.#hash ^ scramble(rest) ^ this.#blocks.total;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return littleEndianHex([hash ^ (hash >>> 16)]);
  }
}
