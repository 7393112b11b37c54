import { BlockBuffer, littleEndianHex, type RunningChecksum } from './running-checksum.ts';

// 64-bit words are pairs of 32-bit halves, `h` high and `l` low: BigInt is about fifty times slower here.
const C1H = 0x87c37b91;
const C1L = 0x114253d5;
const C2H = 0x4cf5ad43;
const C2L = 0x2745937f;

/** The upper half of the unsigned product of two 32-bit words. */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = (Math.imul(ah, bl) >>> 0) + (Math.imul(al, bl) >>> 16);
  const other = (Math.imul(al, bh) >>> 0) + (middle & 0xffff);
  return (Math.imul(ah, bh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** The upper half of the product of two 64-bit words, cut to 64 bits. */
function timesHigh(ah: number, al: number, bh: number, bl: number): number {
  return (Math.imul(al, bh) + Math.imul(ah, bl) + mulHigh(al, bl)) | 0;
}

/** 1 if the sum of two 32-bit words, cut to `sum`, ran over. */
function carry(sum: number, term: number): number {
  return sum >>> 0 < term >>> 0 ? 1 : 0;
}

/** MurmurHash3_x64_128 with seed 0. */
export class Murmur3x64 implements RunningChecksum {
  readonly #blocks = new BlockBuffer(16);
  #h1h = 0;
  #h1l = 0;
  #h2h = 0;
  #h2l = 0;
  readonly #mix = (view: DataView, start: number, end: number): void => {
    let h1h = this.#h1h;
    let h1l = this.#h1l;
    let h2h = this.#h2h;
    let h2l = this.#h2l;
    for (let at = start; at < end; at += 16) {
      // k1 *= c1; k1 = rotl(k1, 31); k1 *= c2; h1 ^= k1
      let kl = view.getInt32(at, true);
      let kh = timesHigh(view.getInt32(at + 4, true), kl, C1H, C1L);
      kl = Math.imul(kl, C1L);
      let turned = (kh << 31) | (kl >>> 1);
      kl = (kl << 31) | (kh >>> 1);
      h1h ^= timesHigh(turned, kl, C2H, C2L);
      h1l ^= Math.imul(kl, C2L);
      // h1 = rotl(h1, 27) + h2; h1 = h1 * 5 + 0x52dce729
      turned = (h1h << 27) | (h1l >>> 5);
      h1l = (h1l << 27) | (h1h >>> 5);
      h1l = (h1l + h2l) | 0;
      h1h = (turned + h2h + carry(h1l, h2l)) | 0;
      h1h = (Math.imul(h1h, 5) + mulHigh(h1l, 5)) | 0;
      h1l = (Math.imul(h1l, 5) + 0x52dce729) | 0;
      h1h = (h1h + carry(h1l, 0x52dce729)) | 0;
      // k2 *= c2; k2 = rotl(k2, 33); k2 *= c1; h2 ^= k2
      kl = view.getInt32(at + 8, true);
      kh = timesHigh(view.getInt32(at + 12, true), kl, C2H, C2L);
      kl = Math.imul(kl, C2L);
      turned = (kl << 1) | (kh >>> 31);
      kl = (kh << 1) | (kl >>> 31);
      h2h ^= timesHigh(turned, kl, C1H, C1L);
      h2l ^= Math.imul(kl, C1L);
      // h2 = rotl(h2, 31) + h1; h2 = h2 * 5 + 0x38495ab5
      turned = (h2h << 31) | (h2l >>> 1);
      h2l = (h2l << 31) | (h2h >>> 1);
      h2l = (h2l + h1l) | 0;
      h2h = (turned + h1h + carry(h2l, h1l)) | 0;
      h2h = (Math.imul(h2h, 5) + mulHigh(h2l, 5)) | 0;
      h2l = (Math.imul(h2l, 5) + 0x38495ab5) | 0;
      h2h = (h2h + carry(h2l, 0x38495ab5)) | 0;
    }
    this.#h1h = h1h;
    this.#h1l = h1l;
    this.#h2h = h2h;
    this.#h2l = h2l;
  };

  update(bytes: Uint8Array): void {
    this.#blocks.push(bytes, this.#mix);
  }

  hex(): string {
    const mask = 0xffff_ffff_ffff_ffffn;
    const c1 = 0x87c3_7b91_1142_53d5n;
    const c2 = 0x4cf5_ad43_2745_937fn;
    const rotated = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (64n - bits))) & mask;
    const finished = (word: bigint): bigint => {
      const half = ((word ^ (word >> 33n)) * 0xff51_afd7_ed55_8ccdn) & mask;
      const whole = ((half ^ (half >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & mask;
      return whole ^ (whole >> 33n);
    };
    let k1 = 0n;
    let k2 = 0n;
    for (const [index, byte] of this.#blocks.tail.entries()) {
      const bits = BigInt(byte) << BigInt(8 * (index % 8));
      if (index < 8) k1 |= bits;
      else k2 |= bits;
    }
    const length = BigInt(this.#blocks.total);
    let h1 = joined(this.#h1h, this.#h1l) ^ ((rotated((k1 * c1) & mask, 31n) * c2) & mask) ^ length;
    let h2 = joined(this.#h2h, this.#h2l) ^ ((rotated((k2 * c2) & mask, 33n) * c1) & mask) ^ length;
    h1 = (h1 + h2) & mask;
    h2 = (h2 + h1) & mask;
    h1 = finished(h1);
    h2 = finished(h2);
    h1 = (h1 + h2) & mask;
    h2 = (h2 + h1) & mask;
    return littleEndianHex([h1, h1 >> 32n, h2, h2 >> 32n].map((word) => Number(word & 0xffff_ffffn)));
  }
}

function joined(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
