import type { ReadText } from '../limits.ts';

/** A byte, bytes, or a text that is written with its length of two bytes. */
export type Part = number | string | Uint8Array | readonly number[];

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads text as a host would; throws on bytes that the decoder should have refused. */
export const readText: ReadText = (buffer, start, end) => decoder.decode(buffer.slice(start, end));

/** Joins parts; written apart from the encoder of the package, so that both are held against each other. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  const pieces = parts.map((part) => {
    if (typeof part === 'number') return [part];
    return typeof part === 'string' ? sized(encoder.encode(part)) : part;
  });
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.length;
  }
  return all;
}

/** Two Byte Integer. */
export function u16(value: number): readonly number[] {
  return [value >> 8, value & 0xff];
}

/** Four Byte Integer. */
export function u32(value: number): readonly number[] {
  return [...u16(Math.floor(value / 0x1_0000)), ...u16(value % 0x1_0000)];
}

/** Variable Byte Integer. */
export function vbi(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...vbi(Math.floor(value / 0x80))];
}

/** Binary data or raw string bytes with their length of two bytes. */
export function sized(value: Uint8Array | readonly number[]): readonly number[] {
  return [...u16(value.length), ...value];
}

/** Properties with their Property Length. */
export function props(...parts: readonly Part[]): readonly number[] {
  const list = bytes(...parts);
  return [...vbi(list.length), ...list];
}

/** A whole control packet with its Remaining Length. */
export function packet(firstByte: number, ...parts: readonly Part[]): Uint8Array {
  const body = bytes(...parts);
  return bytes(firstByte, vbi(body.length), body);
}

/** The body of a packet made by `packet`. */
export function bodyOf(whole: Uint8Array): Uint8Array {
  let start = 1;
  while ((whole[start] ?? 0) > 0x7f) start++;
  return whole.subarray(start + 1);
}

export function hex(value: Uint8Array): string {
  return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
