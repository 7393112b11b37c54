import { crc32 } from 'node:zlib';
import { StoreError } from '../sqlite/store-error.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OTHER } from './columns.ts';
import { LARGEST_SCALE, powerOfTen } from './number-codec.ts';
import { ValueKind } from './value-kind.ts';

/** Format of the log records written now; a start refuses any other. */
export const LOG_VERSION = 1;

/** How a point's value follows its control byte: `kind | form << 3`, from `Scaled` on the decimal scale added. */
const Form = { False: 0, True: 1, Raw: 2, Text: 3, Big: 4, Scaled: 8 } as const;
const LARGEST_SCALED = 0x1fffffff;
/** version, 3 free bytes, checksum, points, seals, points of all chunks, chunks, seq. */
const HEADER_BYTES = 40;

/** What a record says besides its points. */
export interface LogTotals {
  /** Points in all chunks after the commit. */
  chunkPoints: number;
  /** Chunks after the commit. */
  chunks: number;
  /** Highest seq given to a chunk. */
  seq: number;
}

/** Receives a record as it is read: first all points in order of arrival, then the seals. */
export interface LogSink {
  point(series: number, ts: number, kind: number, num: number, other: string | bigint | undefined): void;
  /** All points of the series up to and including this record are in chunks, except the last `kept` ones. */
  seal(series: number, kept: number): void;
}

/**
 * One record per commit. Points are written as differences to the point before: the keys of one device have
 * neighbouring series and one time, so most points take 4 to 7 bytes instead of 21.
 */
export class LogRecord {
  readonly #writer = new ByteWriter(131_072);
  #points = 0;
  #seals = 0;
  #series = 0;
  #ts = 0;
  /** Decimal scale last found for a series, where the search begins. */
  #scales = new Uint8Array(1024);

  begin(): void {
    this.#writer.at = HEADER_BYTES;
    this.#points = 0;
    this.#seals = 0;
    this.#series = 0;
    this.#ts = 0;
  }

  get empty(): boolean {
    return this.#points === 0 && this.#seals === 0;
  }

  /** Bytes so far. */
  get sizeBytes(): number {
    return this.#writer.at;
  }

  /** Adds a point; `other` is its value if `kind` carries `OTHER`. */
  point(series: number, ts: number, kind: number, num: number, other: string | bigint | undefined): void {
    const writer = this.#writer;
    writer.reserve(32);
    const seriesStep = series - this.#series;
    const timeStep = ts - this.#ts;
    this.#series = series;
    this.#ts = ts;
    this.#points++;
    const bytes = writer.bytes;
    let at = writer.at + 1;
    let rest = (seriesStep << 1) ^ (seriesStep >> 31);
    while (rest > 127 || rest < 0) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    if (timeStep < 0x3fffffff && timeStep > -0x3fffffff) {
      rest = (timeStep << 1) ^ (timeStep >> 31);
      while (rest > 127) {
        bytes[at++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      bytes[at++] = rest;
    } else {
      const control = writer.at;
      writer.at = at;
      this.#wideTime(timeStep, ts);
      at = writer.at;
      writer.at = control;
    }
    if (kind === ValueKind.Long || kind === ValueKind.Double) {
      let scale = this.#scaleOf(series);
      if (!Object.is(num, -0)) {
        for (;;) {
          const power = powerOfTen(scale);
          const scaled = Math.round(num * power);
          if (scaled / power === num) {
            if (scaled > LARGEST_SCALED || scaled < -LARGEST_SCALED) break;
            this.#scales[series] = scale;
            bytes[writer.at] = kind | ((Form.Scaled + scale) << 3);
            rest = (scaled << 1) ^ (scaled >> 31);
            while (rest > 127) {
              bytes[at++] = (rest & 127) | 128;
              rest >>>= 7;
            }
            bytes[at++] = rest;
            writer.at = at;
            return;
          }
          if (++scale > LARGEST_SCALE) break;
        }
      }
      bytes[writer.at] = kind | (Form.Raw << 3);
      writer.at = bytes.writeDoubleLE(num, at);
      return;
    }
    if (kind === ValueKind.Boolean) {
      bytes[writer.at] = kind | ((num === 1 ? Form.True : Form.False) << 3);
      writer.at = at;
      return;
    }
    const control = writer.at;
    writer.at = at;
    if (typeof other === 'bigint') {
      bytes[control] = ValueKind.Long | (Form.Big << 3);
      writer.at = bytes.writeBigInt64LE(other, at);
      return;
    }
    bytes[control] = (kind & ~OTHER) | (Form.Text << 3);
    writer.text(other ?? '');
  }

  #scaleOf(series: number): number {
    if (series >= this.#scales.length) {
      const grown = new Uint8Array(Math.max(series + 1, this.#scales.length * 2));
      grown.set(this.#scales);
      this.#scales = grown;
    }
    return this.#scales[series] ?? 0;
  }

  /** Steps beyond 30 bits; one beyond the exact range of varints is written as the time itself, after the mark 2^52. */
  #wideTime(step: number, ts: number): void {
    if (Math.abs(step) < 2 ** 51) {
      this.#writer.signed(step);
      return;
    }
    this.#writer.signed(2 ** 51);
    this.#writer.double(ts);
  }

  seal(series: number, kept: number): void {
    this.#writer.reserve(16);
    this.#writer.varint(series);
    this.#writer.varint(kept);
    this.#seals++;
  }

  /** The finished record; a view that is valid until `begin`. */
  finish(totals: LogTotals): Buffer<ArrayBuffer> {
    const record = this.#writer.bytes.subarray(0, this.#writer.at);
    record.fill(0, 0, HEADER_BYTES);
    record[0] = LOG_VERSION;
    record.writeUInt32LE(this.#points, 8);
    record.writeUInt32LE(this.#seals, 12);
    record.writeDoubleLE(totals.chunkPoints, 16);
    record.writeDoubleLE(totals.chunks, 24);
    record.writeDoubleLE(totals.seq, 32);
    record.writeUInt32LE(crc32(record.subarray(8)), 4);
    return record;
  }
}

/** Checks and reads a record. Throws `StoreError` `corrupt-record`. */
export function readLogRecord(id: number, record: Buffer, sink: LogSink): LogTotals {
  if (record.length < HEADER_BYTES || record.readUInt32LE(4) !== crc32(record.subarray(8))) {
    throw new StoreError('corrupt-record', `Log record ${id}: checksum does not match`);
  }
  if (record[0] !== LOG_VERSION)
    throw new StoreError('corrupt-record', `Log record ${id}: format ${record[0]} is unknown`);
  const reader = new ByteReader(record, HEADER_BYTES);
  const points = record.readUInt32LE(8);
  const seals = record.readUInt32LE(12);
  let series = 0;
  let ts = 0;
  for (let index = 0; index < points; index++) {
    const control = reader.byte();
    series += reader.signed();
    const step = reader.signed();
    ts = step === 2 ** 51 ? reader.double() : ts + step;
    readValue(reader, control, series, ts, sink);
  }
  for (let index = 0; index < seals; index++) sink.seal(reader.varint(), reader.varint());
  return {
    chunkPoints: record.readDoubleLE(16),
    chunks: record.readDoubleLE(24),
    seq: record.readDoubleLE(32),
  };
}

function readValue(reader: ByteReader, control: number, series: number, ts: number, sink: LogSink): void {
  const kind = control & 7;
  const form = control >>> 3;
  if (form >= Form.Scaled) sink.point(series, ts, kind, reader.signed() / powerOfTen(form - Form.Scaled), undefined);
  else if (form === Form.Raw) sink.point(series, ts, kind, reader.double(), undefined);
  else if (form === Form.Text) sink.point(series, ts, kind | OTHER, 0, reader.text());
  else if (form === Form.Big) {
    reader.need(8);
    const value = reader.bytes.readBigInt64LE(reader.at);
    reader.at += 8;
    sink.point(series, ts, kind | OTHER, 0, value);
  } else sink.point(series, ts, kind, form === Form.True ? 1 : 0, undefined);
}
