import { randomUUID } from 'node:crypto';
import type { AttributeStore, Point, Scalar, SeriesId, TelemetryStore } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attributeCases } from './attribute-cases.ts';
import { batchOf } from './batches.ts';
import { differentialCase } from './differential-case.ts';
import { expiryCases } from './expiry-cases.ts';
import { removalCases } from './removal-cases.ts';

/** What the contract suite tests. */
export type StoreUnderTest = TelemetryStore & AttributeStore;

/** Makes stores for the contract suite; each test works on files of its own. */
export interface TelemetryStoreFactory {
  /** The clock of all its stores, epoch milliseconds; set by the cases. */
  readonly time: { now: number };
  /** A new, empty store that allows 50 series per owner. */
  open(): Promise<StoreUnderTest>;
  /** Ends the store without closing it and opens what it left behind. */
  crash(store: StoreUnderTest): Promise<StoreUnderTest>;
  /** Closes the store and opens it again. */
  reopen(store: StoreUnderTest): Promise<StoreUnderTest>;
  /** Ends the store and removes its files. */
  dispose(store: StoreUnderTest): Promise<void>;
}

/** The store all cases share, which a case may exchange for its successor after a crash, and the owner of one case. */
export interface Subject {
  store: StoreUnderTest;
  owner: string;
}

const T = Date.UTC(2026, 2, 10, 12);
const DAY_MS = 86_400_000;

const EXACT_VALUES: readonly [string, ValueKind, Scalar][] = [
  ['negative zero', ValueKind.Double, -0],
  ['the smallest double', ValueKind.Double, 5e-324],
  ['the largest double', ValueKind.Double, 1.7976931348623157e308],
  ['a double from a float', ValueKind.Double, 21.299999237060547],
  ['2^53 + 1', ValueKind.Long, 9007199254740993n],
  ['the smallest long', ValueKind.Long, -(2n ** 63n)],
  ['the largest safe long', ValueKind.Long, Number.MAX_SAFE_INTEGER],
  ['false', ValueKind.Boolean, false],
  ['an empty string', ValueKind.String, ''],
  ['text with NUL and an unpaired surrogate', ValueKind.String, 'a\u0000b\udc00'],
  ['1 MB of JSON', ValueKind.Json, `["${'ä'.repeat(500_000)}"]`],
];

const REFUSED_VALUES: readonly [ValueKind, Scalar, number][] = [
  [ValueKind.Double, Number.NaN, T],
  [ValueKind.Double, Number.POSITIVE_INFINITY, T],
  [ValueKind.Long, 1.5, T],
  [ValueKind.Long, 2 ** 60, T],
  [ValueKind.Long, 2n ** 63n, T],
  [ValueKind.Double, 'text', T],
  [ValueKind.String, 5, T],
  [ValueKind.Boolean, 2, T],
  [ValueKind.Double, 1, T + 0.5],
  [ValueKind.Double, 1, 8.64e15 + 1],
  [ValueKind.Double, 1, Number.NaN],
];

/** Interns keys of the case's owner that must fit. */
export async function seriesFor({ store, owner }: Subject, keys: readonly string[]): Promise<readonly SeriesId[]> {
  const ids = await store.intern(owner, keys);
  if (typeof ids === 'string') throw new TypeError(`intern answered ${ids}`);
  return ids;
}

/** Interns one key of the case's owner. */
export async function oneSeries(subject: Subject): Promise<SeriesId> {
  return (await seriesFor(subject, ['temperature']))[0] ?? 0;
}

/** A Double point. */
export function double(ts: number, value: number): Point {
  return { ts, kind: ValueKind.Double, value };
}

/** Appends points of one series; they must be stored. */
export async function put(store: TelemetryStore, series: SeriesId, points: readonly Point[]): Promise<void> {
  expect(await store.append(batchOf(points.map((point) => ({ ...point, series }))))).toBe('stored');
}

/** All points of a series, ascending. */
export function all(store: TelemetryStore, series: SeriesId): Promise<readonly Point[]> {
  return store.range({ series, from: -8.64e15, to: 8.64e15, order: 'asc', limit: 1_000_000 });
}

/** The contract of `TelemetryStore` and `AttributeStore`, run on every implementation. */
export function describeTelemetryStore(name: string, factory: TelemetryStoreFactory): void {
  describe(`${name}: telemetry store`, () => {
    const subject: Subject = { store: Object.create(null), owner: '' };
    beforeAll(async () => {
      subject.store = await factory.open();
    });
    afterAll(() => factory.dispose(subject.store));
    beforeEach(() => {
      subject.owner = randomUUID();
    });
    const crash = async () => {
      subject.store = await factory.crash(subject.store);
    };

    it('gives every key of an owner a stable series, the same one to calls at the same time', async () => {
      const { store } = subject;
      const [first, second] = await Promise.all([
        store.intern(subject.owner, ['a', 'b', 'a']),
        store.intern(subject.owner, ['b', 'c']),
      ]);
      expect(first[0]).toBe(first[2]);
      expect(first[1]).toBe(second[0]);
      expect([...store.seriesOf(subject.owner).keys()].sort()).toEqual(['a', 'b', 'c']);
      const before = new Map(store.seriesOf(subject.owner));
      await crash();
      expect(new Map(subject.store.seriesOf(subject.owner))).toEqual(before);
      expect(subject.store.seriesOf('unknown').size).toBe(0);
    });

    it('refuses all keys of a call that would exceed the cap of series', async () => {
      const { store } = subject;
      const keys = Array.from({ length: 49 }, (_, index) => `k${index}`);
      await seriesFor(subject, keys);
      expect(await store.intern(subject.owner, ['x', 'y'])).toBe('tooMany');
      expect(store.seriesOf(subject.owner).size).toBe(49);
      expect(await store.intern(subject.owner, ['x', 'k3'])).toHaveLength(2);
      expect(await store.intern(`another ${subject.owner}`, ['x'])).toHaveLength(1);
    });

    it('keeps keys with unpaired surrogates and NUL apart and refuses keys of 0 or 256 characters', async () => {
      const keys = ['\ud800', '\ud801', '\ufffd', 'a\u0000b', 'a', '__proto__', 'constructor'];
      await seriesFor(subject, keys);
      await crash();
      expect([...subject.store.seriesOf(subject.owner).keys()].sort()).toEqual([...keys].sort());
      expect(await subject.store.intern(subject.owner, [''])).toBe('failed');
      expect(await subject.store.intern(subject.owner, ['x'.repeat(256)])).toBe('failed');
    });

    it('reads its own writes as soon as an append has resolved', async () => {
      const series = await oneSeries(subject);
      for (let index = 0; index < 20; index++) {
        await put(subject.store, series, [double(T + index, index)]);
        expect((await subject.store.latest([series]))[0]).toEqual(double(T + index, index));
        expect(await all(subject.store, series)).toHaveLength(index + 1);
      }
    });

    it('replaces a point of the same time, across kinds, batches and chunks', async () => {
      const series = await oneSeries(subject);
      const many = Array.from({ length: 700 }, (_, index) => double(T + index * 1000, index));
      await put(subject.store, series, many);
      await put(subject.store, series, [{ ts: T, kind: ValueKind.String, value: 'first' }, double(T + 1000, -1)]);
      await put(subject.store, series, [{ ts: T, kind: ValueKind.Boolean, value: true }]);
      await put(subject.store, series, [double(T + 1000, 5), double(T + 1000, 6)]);
      const points = await all(subject.store, series);
      expect(points).toHaveLength(700);
      expect(points.slice(0, 3)).toEqual([
        { ts: T, kind: ValueKind.Boolean, value: true },
        double(T + 1000, 6),
        double(T + 2000, 2),
      ]);
    });

    it('accepts late and unordered points, and borders of days on both sides of 1970', async () => {
      const series = await oneSeries(subject);
      const times = [
        T,
        T - 30 * DAY_MS,
        T + 1,
        -1,
        0,
        -DAY_MS,
        -DAY_MS - 1,
        DAY_MS,
        DAY_MS - 1,
        8.64e15,
        -8.64e15,
        T - 1,
      ];
      for (const ts of times) await put(subject.store, series, [double(ts, ts)]);
      await put(
        subject.store,
        series,
        times.map((ts) => double(ts - (ts > 0 ? 5 : -5), 1)),
      );
      await crash();
      const points = await all(subject.store, series);
      const expected = [...times, ...times.map((ts) => ts - (ts > 0 ? 5 : -5))].sort((a, b) => a - b);
      // 8.64e15 itself lies outside a half-open range that ends there.
      expect(points.map((point) => point.ts)).toEqual(expected.filter((ts) => ts < 8.64e15));
      expect((await subject.store.latest([series]))[0]?.ts).toBe(8.64e15);
    });

    it('keeps -0, 2^53 + 1, empty text, 1 MB of JSON and the like exactly, in the log, in a chunk and as latest', async () => {
      const ids = await seriesFor(
        subject,
        EXACT_VALUES.map(([title]) => title),
      );
      const points = EXACT_VALUES.map(([, kind, value], at) => ({ ts: T, kind, value, series: ids[at] ?? 0 }));
      const plain = points.map(({ ts, kind, value }) => ({ ts, kind, value }));
      const first = async () => {
        for (const [at, series] of ids.entries()) {
          expect((await all(subject.store, series))[0]).toEqual(plain[at]);
        }
      };
      expect(await subject.store.append(batchOf(points))).toBe('stored');
      await first();
      await crash();
      await first();
      // A point of the next day seals the first one.
      const next = ids.map((series) => ({ ...double(T + DAY_MS, 1.5), series }));
      expect(await subject.store.append(batchOf(next))).toBe('stored');
      await crash();
      await first();
      for (const series of ids) {
        await subject.store.erase({ series, from: T + 1, to: T + 2 * DAY_MS, latestAfter: 'rewrite' });
      }
      expect(await subject.store.latest(ids)).toEqual(plain);
      await crash();
      expect(await subject.store.latest(ids)).toEqual(plain);
    });

    it('keeps alternating kinds of one series in order', async () => {
      const series = await oneSeries(subject);
      const values: readonly [ValueKind, Scalar][] = [
        [ValueKind.Long, 22],
        [ValueKind.Double, 22.5],
        [ValueKind.String, 'off'],
        [ValueKind.Boolean, true],
        [ValueKind.Json, '{}'],
        [ValueKind.Long, 2n ** 60n],
      ];
      const points = Array.from({ length: 1500 }, (_, index): Point => {
        const [kind, value] = values[(index * 7) % values.length] ?? [ValueKind.Long, 0];
        return { ts: T + index * 10, kind, value };
      });
      for (let start = 0; start < points.length; start += 100) {
        await put(subject.store, series, points.slice(start, start + 100));
      }
      expect(await all(subject.store, series)).toEqual(points);
      await crash();
      expect(await all(subject.store, series)).toEqual(points);
    });

    it('refuses a batch that holds NaN, Infinity, a wrong type or a wrong time, and stores nothing of it', async () => {
      const series = await oneSeries(subject);
      for (const [kind, value, ts] of REFUSED_VALUES) {
        const outcomes = await Promise.all([
          subject.store.append(batchOf([{ ...double(T - 2, 1), series }])),
          subject.store.append(
            batchOf([
              { ...double(T - 1, 1), series },
              { ts, kind, value, series },
            ]),
          ),
          subject.store.append(batchOf([{ ...double(T + 2, 2), series }])),
        ]);
        expect(outcomes).toEqual(['stored', 'failed', 'stored']);
      }
      expect(await all(subject.store, series)).toEqual([double(T - 2, 1), double(T + 2, 2)]);
    });

    it('refuses a series that was never given out', async () => {
      await oneSeries(subject);
      expect(await subject.store.append(batchOf([{ ...double(T, 1), series: 1_000_000 }]))).toBe('failed');
    });

    it('reads half-open ranges in both orders up to the limit', async () => {
      const series = await oneSeries(subject);
      const points = Array.from({ length: 3000 }, (_, index) => double(T + index * 60_000, index));
      await put(subject.store, series, points);
      const ask = (from: number, to: number, order: 'asc' | 'desc', limit: number) =>
        subject.store.range({ series, from, to, order, limit });
      expect(await ask(T + 60_000, T + 180_000, 'asc', 10)).toEqual(points.slice(1, 3));
      expect(await ask(T, T, 'asc', 10)).toEqual([]);
      expect(await ask(T + 60_000, T, 'asc', 10)).toEqual([]);
      expect(await ask(0, 8e15, 'desc', 2)).toEqual([points[2999], points[2998]]);
      expect(await ask(0, 8e15, 'asc', 700)).toEqual(points.slice(0, 700));
      expect(await ask(0, T + 2000 * 60_000, 'desc', 1900)).toEqual(points.slice(100, 2000).reverse());
    });

    it('keeps the point with the greatest time as latest, of equal times the one written last', async () => {
      const series = await oneSeries(subject);
      await put(subject.store, series, [double(T, 1)]);
      await put(subject.store, series, [double(T - 1, 2)]);
      expect(await subject.store.latest([series, 999_999])).toEqual([double(T, 1), null]);
      await put(subject.store, series, [{ ts: T, kind: ValueKind.String, value: 'again' }]);
      const expected = [{ ts: T, kind: ValueKind.String, value: 'again' }];
      expect(await subject.store.latest([series])).toEqual(expected);
      await crash();
      expect(await subject.store.latest([series])).toEqual(expected);
      subject.store = await factory.reopen(subject.store);
      expect(await subject.store.latest([series])).toEqual(expected);
    });

    it('aggregates into buckets from the start of the query, the last one cut at its end', async () => {
      const series = await oneSeries(subject);
      const points = Array.from({ length: 1200 }, (_, index): Point => {
        return { ts: T + index * 1000, kind: ValueKind.Long, value: index };
      });
      await put(subject.store, series, points);
      const buckets = await subject.store.aggregate({ series, from: T + 500, to: T + 700_000, intervalMs: 600_000 });
      expect(buckets).toHaveLength(2);
      expect(buckets[0]).toMatchObject({
        from: T + 500,
        counts: [0, 0, 600, 0, 0, 0],
        min: 1,
        max: 600,
        longSum: 180_300n,
      });
      expect(buckets[1]).toMatchObject({ from: T + 600_500, counts: [0, 0, 99, 0, 0, 0], min: 601, max: 699 });
    });

    it('sums Longs exactly beyond 2^53 and compares text by code unit', async () => {
      const [longs, texts] = await seriesFor(subject, ['longs', 'texts']);
      const large = 2n ** 62n;
      const values = [large, large, large, 1n, 3n];
      await put(
        subject.store,
        longs ?? 0,
        values.map((value, at) => ({ ts: T + at, kind: ValueKind.Long, value: value < 9n ? Number(value) : value })),
      );
      await put(
        subject.store,
        texts ?? 0,
        ['b', 'a', 'Z'].map((value, at) => ({ ts: T + at, kind: ValueKind.String, value })),
      );
      const query = { from: T, to: T + 10, intervalMs: 100 };
      expect(await subject.store.aggregate({ series: longs ?? 0, ...query })).toMatchObject([
        { longSum: 3n * large + 4n, min: 1, max: large },
      ]);
      expect(await subject.store.aggregate({ series: texts ?? 0, ...query })).toMatchObject([
        { counts: [0, 0, 0, 0, 3, 0], minText: 'Z', maxText: 'b', min: undefined },
      ]);
    });

    it('loses nothing that was acknowledged before a crash', async () => {
      const ids = await seriesFor(subject, ['a', 'b', 'c', 'd']);
      const written = new Map<SeriesId, Point[]>(ids.map((id) => [id, []]));
      for (let round = 0; round < 3; round++) {
        const batches = Array.from({ length: 40 }, (_, index) =>
          ids.map((series, place) => ({ ...double(T + (round * 40 + index) * 1000 + place, index / 4), series })),
        );
        await Promise.all(batches.map((batch) => subject.store.append(batchOf(batch))));
        for (const { series, ...point } of batches.flat()) written.get(series)?.push(point);
        await crash();
        for (const [series, points] of written) expect(await all(subject.store, series)).toEqual(points);
      }
    });

    it('counts what it holds', async () => {
      const own: Subject = { store: await factory.open(), owner: subject.owner };
      expect(await own.store.statistics()).toMatchObject({ points: 0, series: 0, oldest: null, state: 'ok' });
      const [a, b] = await seriesFor(own, ['a', 'b']);
      await put(
        own.store,
        a ?? 0,
        Array.from({ length: 600 }, (_, index) => double(T + index, index)),
      );
      await put(own.store, b ?? 0, [double(T - 5, 1)]);
      expect(await own.store.statistics()).toMatchObject({ points: 601, series: 2, oldest: T - 5, state: 'ok' });
      own.store = await factory.crash(own.store);
      expect(await own.store.statistics()).toMatchObject({ points: 601, series: 2, oldest: T - 5, state: 'ok' });
      await factory.dispose(own.store);
    });

    removalCases(subject, crash);
    expiryCases(subject, factory.time, crash);
    attributeCases(subject, crash);
    differentialCase(subject, factory);
  });
}
