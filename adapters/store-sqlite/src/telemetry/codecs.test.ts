import { type Point, ValueKind } from '@moorage/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classOf, decodeChunk, encodeChunk, readChunkHead } from './chunk-codec.ts';
import { Columns, OTHER } from './columns.ts';
import { toPoints } from './latest-values.ts';
import { LogRecord, readLogRecord } from './log-codec.ts';
import { DAY_MS } from './time-codec.ts';

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 100),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 0, 0.1 + 0.2, 1e21, 2 ** 51, 2 ** 51 + 0.5, 5e-324),
);
const long = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1000, max: 1000 }));
const bigLong = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .filter((value) => !Number.isSafeInteger(Number(value)));
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', 'a\u0000', ''));

const value = fc.oneof(
  number.map((some) => ({ kind: ValueKind.Double, value: some })),
  long.map((some) => ({ kind: ValueKind.Long, value: Object.is(some, -0) ? 0 : some })),
  bigLong.map((some) => ({ kind: ValueKind.Long, value: some })),
  fc.boolean().map((some) => ({ kind: ValueKind.Boolean, value: some })),
  text.map((some) => ({ kind: ValueKind.String, value: some })),
  text.map((some) => ({ kind: ValueKind.Json, value: some })),
);

function columnsOf(points: readonly Point[]): Columns {
  const columns = new Columns();
  for (const { ts, kind, value: some } of points) {
    if (typeof some === 'string' || typeof some === 'bigint') columns.pushOther(ts, kind, some);
    else columns.push(ts, kind, Number(some));
  }
  return columns;
}

const day = fc.integer({ min: -100_000_000, max: 99_999_999 });
const offsets = fc.uniqueArray(fc.integer({ min: 0, max: DAY_MS - 1 }), { minLength: 1, maxLength: 80 });

/** Points of one class and day, by rising time. */
const chunkPoints = fc
  .tuple(day, offsets, fc.array(value, { minLength: 80, maxLength: 80 }))
  .map(([of, times, values]) => {
    const wanted = classOf(values[0]?.kind ?? 0);
    const usable = values.filter((some) => classOf(some.kind) === wanted);
    const points = [...times]
      .sort((a, b) => a - b)
      .map((offset, at): Point => {
        const some = usable[at % usable.length] ?? { kind: ValueKind.Double, value: 0 };
        return { ts: of * DAY_MS + offset, ...some };
      });
    return { day: of, points };
  });

describe('chunks', () => {
  it('decode to exactly the points they were made of, with a true summary', () => {
    fc.assert(
      fc.property(chunkPoints, fc.integer({ min: 1, max: 2 ** 31 - 1 }), ({ day: of, points }, series) => {
        const key = { series, day: of, seq: 7 };
        const blob = encodeChunk(key, columnsOf(points));
        const head = readChunkHead(key, blob);
        const decoded = new Columns();
        decodeChunk(blob, head, decoded);
        expect(toPoints(decoded)).toEqual(points);
        expect([head.count, head.t0, head.t1]).toEqual([points.length, points[0]?.ts, points.at(-1)?.ts]);
        if (head.summary === undefined) return;
        const values = points.map((point) => Number(point.value));
        expect([head.summary.min + 0, head.summary.max + 0]).toEqual([
          Math.min(...values) + 0,
          Math.max(...values) + 0,
        ]);
        if (head.summary.exact) {
          expect(BigInt(head.summary.sum)).toBe(values.reduce((sum, some) => sum + BigInt(some), 0n));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('are refused when any bit is flipped, or when they stand under another key', () => {
    fc.assert(
      fc.property(chunkPoints, fc.nat(), ({ day: of, points }, place) => {
        const key = { series: 3, day: of, seq: 7 };
        const blob = encodeChunk(key, columnsOf(points));
        for (const other of [
          { ...key, series: 4 },
          { ...key, day: of + 1 },
          { ...key, seq: 8 },
        ]) {
          expect(() => readChunkHead(other, blob)).toThrow(/checksum does not match$/);
        }
        const bit = place % (blob.length * 8);
        blob[bit >> 3] = (blob[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => readChunkHead(key, blob)).toThrow(/checksum does not match$/);
        expect(() => readChunkHead(key, blob.subarray(0, 10))).toThrow(/10 bytes are too few$/);
      }),
      { numRuns: 200 },
    );
  });

  it('take at most 2.5 bytes per point for a walk with two decimals at regular times', () => {
    const points = Array.from({ length: 512 }, (_, index): Point => {
      const walk = Math.round(2000 + 300 * Math.sin(index / 20) + (index % 7)) / 100;
      return { ts: index * 1000 + (index % 30), kind: ValueKind.Double, value: walk };
    });
    expect(encodeChunk({ series: 1, day: 0, seq: 1 }, columnsOf(points)).length / 512).toBeLessThan(2.5);
  });
});

describe('log records', () => {
  const entry = fc.record({
    series: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    ts: fc.oneof(
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
    ),
    value,
  });

  it('give back exactly the points and seals they were made of, and refuse a flipped bit', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.nat(), (entries, place) => {
        // A small table of series numbers keeps the scale hints small.
        const points = entries.map(({ series, ts, value: some }, at) => {
          return { series: at % 9 === 8 ? series % 5_000_000 : series % 50, ts, ...some };
        });
        const record = new LogRecord();
        record.begin();
        for (const { series, ts, kind, value: some } of points) {
          if (typeof some === 'string' || typeof some === 'bigint') record.point(series, ts, kind | OTHER, 0, some);
          else record.point(series, ts, kind, Number(some), undefined);
        }
        record.seal(2 ** 31 - 1, 3);
        const totals = { chunkPoints: 2 ** 40, chunks: 5, seq: 9 };
        const bytes = Buffer.from(record.finish(totals));
        const read: unknown[] = [];
        const seals: number[] = [];
        const sink = {
          point: (series: number, ts: number, kind: number, num: number, other: string | bigint | undefined) => {
            const plain = kind & ~OTHER;
            read.push({ series, ts, kind: plain, value: other ?? (plain === ValueKind.Boolean ? num === 1 : num) });
          },
          seal: (series: number, kept: number) => seals.push(series, kept),
        };
        expect(readLogRecord(1, bytes, sink)).toEqual(totals);
        expect(read).toEqual(points);
        expect(seals).toEqual([2 ** 31 - 1, 3]);
        const bit = place % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        // The bytes before the checksum are the version and three unused ones.
        if (bit < 8 || bit >= 32) expect(() => readLogRecord(1, bytes, sink)).toThrow(/^Log record 1: /);
      }),
      { numRuns: 300 },
    );
  });
});
