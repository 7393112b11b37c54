import { crc32 } from 'node:zlib';
import { StoreError } from '../sqlite/store-error.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { type Columns, OTHER } from './columns.ts';
import { decimalScale, readDecimals, readXor, writeDecimals, writeXor } from './number-codec.ts';
import { DAY_MS, readTimes, writeTimes } from './time-codec.ts';
import { ValueKind } from './value-kind.ts';

/** Format of the chunks written now; readers refuse any other. */
export const CHUNK_VERSION = 1;
/** Most points of a chunk. */
export const CHUNK_POINTS = 512;
/** Text of a chunk ends soon after this size; a single longer value has a chunk of its own. */
export const CHUNK_TEXT_BYTES = 262_144;

/** Values that can share a chunk. Stored on disk: never renumber. */
export const ChunkClass = { Numeric: 0, Boolean: 1, Text: 2 } as const;
export type ChunkClass = (typeof ChunkClass)[keyof typeof ChunkClass];

const Shape = { Decimal: 0, Xor: 1, Exact: 2, Boolean: 3, Text: 4 } as const;

const HAS_SUMMARY = 1;
const EXACT_SUM = 2;
const HEADER_BYTES = 20;
const SUMMARY_BYTES = 24;

/** Where a chunk stands; part of its checksum, so that a row cannot be taken for another one. */
export interface ChunkKey {
  readonly series: number;
  /** UTC day: `floor(ts / 86400000)`. */
  readonly day: number;
  /** Rises with every write; of two points of the same time the one in the higher chunk is valid. */
  readonly seq: number;
}

/** What the header of a chunk says. */
export interface ChunkHead {
  readonly count: number;
  readonly class: ChunkClass;
  /** Longs of a numeric chunk, Strings of a text chunk, all points of a Boolean one. */
  readonly firstKindCount: number;
  readonly t0: number;
  readonly t1: number;
  /** Over the numbers; absent where a Long lies outside the safe integers. */
  readonly summary:
    | { readonly sum: number; readonly min: number; readonly max: number; readonly exact: boolean }
    | undefined;
}

/** The class a kind belongs to. */
export function classOf(kind: number): ChunkClass {
  const plain = kind & ~OTHER;
  if (plain === ValueKind.Long || plain === ValueKind.Double) return ChunkClass.Numeric;
  return plain === ValueKind.Boolean ? ChunkClass.Boolean : ChunkClass.Text;
}

const keyWord = Buffer.from(new ArrayBuffer(20));

function checksum(key: ChunkKey, blob: Buffer): number {
  keyWord.writeInt32LE(key.series, 0);
  keyWord.writeInt32LE(key.day, 4);
  keyWord.writeDoubleLE(key.seq, 8);
  blob.copy(keyWord, 16, 0, 4);
  return crc32(blob.subarray(8), crc32(keyWord));
}

const FIRST_KIND = [ValueKind.Long, ValueKind.Boolean, ValueKind.String] as const;
const SECOND_KIND = [ValueKind.Double, ValueKind.Boolean, ValueKind.Json] as const;

const writer = new ByteWriter(16_384);

/** Encodes points of one class and one day, by rising time, at most `CHUNK_POINTS`. */
export function encodeChunk(key: ChunkKey, points: Columns): Buffer<ArrayBuffer> {
  const { count, ts, num, kind } = points;
  const chunkClass = classOf(kind[0] ?? 0);
  const firstKind = FIRST_KIND[chunkClass];
  let firstKindCount = 0;
  let others = 0;
  for (let at = 0; at < count; at++) {
    const full = kind[at] ?? 0;
    if ((full & ~OTHER) === firstKind) firstKindCount++;
    if (full >= OTHER) others++;
  }
  const dayStart = key.day * DAY_MS;
  writer.at = 0;
  writer.reserve(HEADER_BYTES + SUMMARY_BYTES + 64);
  let flags = 0;
  let scale = 0;
  let shape: number = Shape.Text;
  writer.at = HEADER_BYTES;
  if (chunkClass === ChunkClass.Numeric && others === 0) {
    flags = writeSummary(num, count, firstKindCount === count);
    scale = decimalScale(num, count);
    shape = scale < 0 ? Shape.Xor : Shape.Decimal;
    scale = Math.max(scale, 0);
  } else if (chunkClass === ChunkClass.Numeric) shape = Shape.Exact;
  else if (chunkClass === ChunkClass.Boolean) shape = Shape.Boolean;
  writeTimes(writer, ts, count);
  if (firstKindCount !== 0 && firstKindCount !== count) {
    writeBits(count, (at) => ((kind[at] ?? 0) & ~OTHER) === firstKind);
  }
  if (shape === Shape.Decimal) writeDecimals(writer, num, count, scale);
  else if (shape === Shape.Xor) writeXor(writer, num, count);
  else if (shape === Shape.Boolean) writeBits(count, (at) => num[at] === 1);
  else if (shape === Shape.Exact) writeExact(points);
  else for (let at = 0; at < count; at++) writer.text(String(points.other[num[at] ?? 0]));
  const blob = writer.slice();
  blob[0] = CHUNK_VERSION;
  blob[1] = shape;
  blob[2] = flags;
  blob[3] = scale;
  blob.writeUInt16LE(count, 8);
  blob.writeUInt16LE(firstKindCount, 10);
  blob.writeUInt32LE((ts[0] ?? 0) - dayStart, 12);
  blob.writeUInt32LE((ts[count - 1] ?? 0) - dayStart, 16);
  blob.writeUInt32LE(checksum(key, blob), 4);
  return blob;
}

function writeSummary(num: Float64Array, count: number, allLong: boolean): number {
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let exact = allLong;
  for (let at = 0; at < count; at++) {
    const value = num[at] ?? 0;
    sum += value;
    if (exact && !Number.isSafeInteger(sum)) exact = false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  writer.double(sum);
  writer.double(min);
  writer.double(max);
  return HAS_SUMMARY | (exact ? EXACT_SUM : 0);
}

function writeBits(count: number, isSet: (at: number) => boolean): void {
  writer.reserve((count + 7) >> 3);
  for (let start = 0; start < count; start += 8) {
    let bits = 0;
    for (let at = start; at < start + 8 && at < count; at++) if (isSet(at)) bits |= 1 << (at - start);
    writer.byte(bits);
  }
}

function writeExact(points: Columns): void {
  writer.reserve(points.count * 8);
  for (let at = 0; at < points.count; at++) {
    const kind = points.kind[at] ?? 0;
    const num = points.num[at] ?? 0;
    if ((kind & ~OTHER) === ValueKind.Double) writer.double(num);
    else {
      const value = kind >= OTHER ? BigInt(points.other[num] ?? 0) : BigInt(num);
      writer.at = writer.bytes.writeBigInt64LE(value, writer.at);
    }
  }
}

function corrupt(key: ChunkKey, what: string): StoreError {
  return new StoreError('corrupt-record', `Chunk ${key.seq} of series ${key.series}, day ${key.day}: ${what}`);
}

/** Checks a chunk and reads its header. Throws `StoreError` `corrupt-record`. */
export function readChunkHead(key: ChunkKey, blob: Buffer): ChunkHead {
  if (blob.length < HEADER_BYTES) throw corrupt(key, `${blob.length} bytes are too few`);
  if (blob.readUInt32LE(4) !== checksum(key, blob)) throw corrupt(key, 'checksum does not match');
  if (blob[0] !== CHUNK_VERSION) throw corrupt(key, `format ${blob[0]} is unknown`);
  const flags = blob[2] ?? 0;
  const shape = blob[1] ?? 0;
  const dayStart = key.day * DAY_MS;
  return {
    count: blob.readUInt16LE(8),
    class: shape <= Shape.Exact ? ChunkClass.Numeric : shape === Shape.Boolean ? ChunkClass.Boolean : ChunkClass.Text,
    firstKindCount: blob.readUInt16LE(10),
    t0: dayStart + blob.readUInt32LE(12),
    t1: dayStart + blob.readUInt32LE(16),
    summary:
      (flags & HAS_SUMMARY) === 0
        ? undefined
        : {
            sum: blob.readDoubleLE(HEADER_BYTES),
            min: blob.readDoubleLE(HEADER_BYTES + 8),
            max: blob.readDoubleLE(HEADER_BYTES + 16),
            exact: (flags & EXACT_SUM) !== 0,
          },
  };
}

/** Adds the points of a chunk whose header has been read to `target`. */
export function decodeChunk(blob: Buffer, head: ChunkHead, target: Columns): void {
  const { count, firstKindCount } = head;
  const from = target.count;
  target.reserve(count);
  const reader = new ByteReader(blob, HEADER_BYTES + (head.summary === undefined ? 0 : SUMMARY_BYTES));
  readTimes(reader, target.ts, from, count, head.t0);
  const firstKind = FIRST_KIND[head.class];
  const secondKind = SECOND_KIND[head.class];
  if (firstKindCount === 0 || firstKindCount === count) {
    target.kind.fill(firstKindCount === 0 ? secondKind : firstKind, from, from + count);
  } else {
    readBits(reader, count, (at, set) => {
      target.kind[from + at] = set ? firstKind : secondKind;
    });
  }
  const shape = blob[1];
  if (shape === Shape.Decimal) readDecimals(reader, target.num, from, count, blob[3] ?? 0);
  else if (shape === Shape.Xor) readXor(reader, target.num, from, count);
  else if (shape === Shape.Boolean) {
    readBits(reader, count, (at, set) => {
      target.num[from + at] = set ? 1 : 0;
    });
  } else if (shape === Shape.Exact) readExact(reader, target, from, count);
  else {
    for (let at = from; at < from + count; at++) {
      target.kind[at] = (target.kind[at] ?? 0) | OTHER;
      target.num[at] = target.other.length;
      target.other.push(reader.text());
    }
  }
  target.count = from + count;
}

function readBits(reader: ByteReader, count: number, set: (at: number, bit: boolean) => void): void {
  let bits = 0;
  for (let at = 0; at < count; at++) {
    if ((at & 7) === 0) bits = reader.byte();
    set(at, (bits & (1 << (at & 7))) !== 0);
  }
}

function readExact(reader: ByteReader, target: Columns, from: number, count: number): void {
  for (let at = from; at < from + count; at++) {
    if (target.kind[at] === ValueKind.Double) {
      target.num[at] = reader.double();
      continue;
    }
    reader.need(8);
    const value = reader.bytes.readBigInt64LE(reader.at);
    reader.at += 8;
    const number = Number(value);
    if (Number.isSafeInteger(number)) target.num[at] = number;
    else {
      target.kind[at] = ValueKind.Long | OTHER;
      target.num[at] = target.other.length;
      target.other.push(value);
    }
  }
}
