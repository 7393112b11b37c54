import type { Json } from '@moorage/core';
import { Decoder } from '@msgpack/msgpack';
import { MAXIMUM_DEPTH } from '../text/json-parts.ts';

const decoder = new Decoder();

/**
 * The members of a map in MessagePack, in their order; undefined: the bytes are no such map, have something behind it, or
 * nest deeper than a stored value may. Binary members become hex. thingscale.md, 4.5
 */
export function messagePackMembers(bytes: Uint8Array): ReadonlyMap<string, Json> | undefined {
  if (!isWellFormed(bytes)) return undefined;
  const decoded = decode(bytes);
  if (typeof decoded !== 'object' || decoded === null || isNoMap(decoded)) return undefined;
  const members = new Map<string, Json>();
  for (const [name, value] of Object.entries(decoded)) members.set(name.toWellFormed(), jsonOf(value));
  return members;
}

function decode(bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    // A name that the library refuses, or an extension that it cannot read.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function isNoMap(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype;
}

function jsonOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      return value === null ? null : jsonOfObject(value);
    default:
      return null;
  }
}

function jsonOfObject(value: object): Json {
  if (Array.isArray(value)) return value.map(jsonOf);
  if (value instanceof Uint8Array) return hexOf(value);
  if (value instanceof Date) return Number.isFinite(value.getTime()) ? value.toISOString() : null;
  // An extension of a type that nobody has declared.
  if (isNoMap(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), jsonOf(member)]));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Bytes behind the first one: of the value itself, or of a length that stands before so many bytes. */
const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd4, 2],
  [0xd5, 3],
  [0xd6, 5],
  [0xd7, 9],
  [0xd8, 17],
]);
/** Size of the length, and bytes beside those it counts: binary, extension, text. */
const COUNTED_LENGTHS: ReadonlyMap<number, readonly [size: number, beside: number]> = new Map([
  [0xc4, [1, 0]],
  [0xc5, [2, 0]],
  [0xc6, [4, 0]],
  [0xc7, [1, 1]],
  [0xc8, [2, 1]],
  [0xc9, [4, 1]],
  [0xd9, [1, 0]],
  [0xda, [2, 0]],
  [0xdb, [4, 0]],
]);
/** Size of the count, and values for each: arrays and maps. */
const CONTAINERS: ReadonlyMap<number, readonly [size: number, values: number]> = new Map([
  [0xdc, [2, 1]],
  [0xdd, [4, 1]],
  [0xde, [2, 2]],
  [0xdf, [4, 2]],
]);

/**
 * One whole value and nothing behind it, no deeper than allowed. The decoder takes a count at its word and makes room for
 * it, so what is handed to it has been walked through before.
 */
function isWellFormed(bytes: Uint8Array): boolean {
  const open: number[] = [1];
  let position = 0;
  while (open.length > 0) {
    const left = open.length - 1;
    const remaining = open[left] ?? 0;
    if (remaining === 0) {
      open.pop();
      continue;
    }
    open[left] = remaining - 1;
    const first = bytes[position++];
    if (first === undefined) return false;
    const inner = valuesInside(bytes, first, position);
    if (inner !== undefined) {
      // Every value takes a byte at least.
      if (open.length > MAXIMUM_DEPTH || inner.values > bytes.length - inner.position) return false;
      position = inner.position;
      open.push(inner.values);
      continue;
    }
    const length = lengthOf(bytes, first, position);
    if (length === undefined || length > bytes.length - position) return false;
    position += length;
  }
  return position === bytes.length;
}

/** What a container holds and where that begins; undefined: it is no container. */
function valuesInside(
  bytes: Uint8Array,
  first: number,
  position: number,
): { readonly values: number; readonly position: number } | undefined {
  if (first >= 0x80 && first <= 0x8f) return { values: (first & 15) * 2, position };
  if (first >= 0x90 && first <= 0x9f) return { values: first & 15, position };
  const container = CONTAINERS.get(first);
  if (container === undefined) return undefined;
  const [size, values] = container;
  return { values: numberAt(bytes, position, size) * values, position: position + size };
}

/** Bytes behind the first one of a value that is no container; undefined: there is no such value. */
function lengthOf(bytes: Uint8Array, first: number, position: number): number | undefined {
  if (first <= 0x7f || first >= 0xe0) return 0;
  if (first >= 0xa0 && first <= 0xbf) return first & 31;
  const counted = COUNTED_LENGTHS.get(first);
  if (counted === undefined) return FIXED_LENGTHS.get(first);
  const [size, beside] = counted;
  return size + beside + numberAt(bytes, position, size);
}

/** Big-endian; what is not there counts as zero. */
function numberAt(bytes: Uint8Array, position: number, size: number): number {
  let number = 0;
  for (let index = position; index < position + size; index++) number = number * 256 + (bytes[index] ?? 0);
  return number;
}
