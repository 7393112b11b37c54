/** An option value of the format uint, or undefined if it is longer than four bytes. RFC 7252, 3.2 */
export function readUint(value: Uint8Array): number | undefined {
  if (value.length > 4) return undefined;
  let number = 0;
  for (const byte of value) number = number * 256 + byte;
  return number;
}

/** In as few bytes as possible: 0 takes none. */
export function writeUint(number: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}

/** Block1 or Block2. RFC 7959, 2.2 */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** Bytes of a block: 16 to 1024, a power of two. */
  readonly size: number;
}

export const LARGEST_BLOCK = 1024;
const RESERVED_EXPONENT = 7;
/** The number of a block has 20 bits. */
export const MAXIMUM_BLOCK_NUMBER = 0xfffff;

/** undefined: too long, or of the reserved size. */
export function readBlock(value: Uint8Array): Block | undefined {
  const bits = value.length > 3 ? undefined : readUint(value);
  if (bits === undefined || (bits & 7) === RESERVED_EXPONENT) return undefined;
  return { number: bits >> 4, more: (bits & 8) !== 0, size: 16 << (bits & 7) };
}

export function writeBlock({ number, more, size }: Block): Uint8Array {
  return writeUint(number * 16 + (more ? 8 : 0) + (Math.log2(size) - 4));
}
