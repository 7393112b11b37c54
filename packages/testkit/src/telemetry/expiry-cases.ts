import type { Point, SeriesId, TelemetryStore } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { expect, it } from 'vitest';
import { batchOf } from './batches.ts';
import { all, double, oneSeries, put, type Subject, seriesFor } from './describe-telemetry-store.ts';

const T = Date.UTC(2026, 2, 10, 12);
const DAY_MS = 86_400_000;

/** Appends points of one series that are removed at `at`. */
async function putUntil(store: TelemetryStore, series: SeriesId, at: number, points: readonly Point[]): Promise<void> {
  const batch = batchOf(points.map((point) => ({ ...point, series })));
  expect(await store.append({ ...batch, expiring: [{ from: 0, to: points.length, at }] })).toBe('stored');
}

/** Removes everything that is over. */
async function sweep(store: TelemetryStore, now: number): Promise<number> {
  let removed = 0;
  for (let call = 0; call < 1000; call++) {
    const { removedPoints, more } = await store.applyExpiry(now, 5);
    removed += removedPoints;
    if (!more) return removed;
  }
  throw new RangeError('the removal does not end');
}

/** The cases of points with a time to live. */
export function expiryCases(subject: Subject, time: { now: number }, crash: () => Promise<void>): void {
  it('hides a point with a time to live from every read from that moment on, and no other', async () => {
    const [series, other] = await seriesFor(subject, ['a', 'b']);
    const { store } = subject;
    time.now = T;
    await put(store, series ?? 0, [double(T - 2000, 1)]);
    await putUntil(store, series ?? 0, T + 2000, [double(T - 1000, 2), double(T, 3)]);
    await put(store, other ?? 0, [double(T, 4)]);
    const query = { series: series ?? 0, from: 0, to: T + DAY_MS, intervalMs: 1e15 };
    time.now = T + 1999;
    expect(await all(store, series ?? 0)).toHaveLength(3);
    expect(await store.latest([series ?? 0])).toEqual([double(T, 3)]);
    time.now = T + 2000;
    expect(await store.latest([series ?? 0, other ?? 0])).toEqual([double(T - 2000, 1), double(T, 4)]);
    expect(await all(store, series ?? 0)).toEqual([double(T - 2000, 1)]);
    expect((await store.aggregate(query))[0]?.sum).toBe(1);
    await crash();
    expect(await all(subject.store, series ?? 0)).toEqual([double(T - 2000, 1)]);
    expect(await subject.store.latest([series ?? 0])).toEqual([double(T - 2000, 1)]);
  });

  it.each(['range', 'aggregate', 'latest'] as const)(
    'hides it from a %s that is the first read after it',
    async (how) => {
      const series = await oneSeries(subject);
      time.now = T;
      await putUntil(subject.store, series, T + 10, [double(T, 1)]);
      await crash();
      time.now = T + 10;
      const { store } = subject;
      if (how === 'range') expect(await all(store, series)).toEqual([]);
      else if (how === 'latest') expect(await store.latest([series])).toEqual([null]);
      else expect(await store.aggregate({ series, from: 0, to: T + 1, intervalMs: 1e15 })).toEqual([]);
    },
  );

  it('removes them for good, in chunks, in heads and on several days, and leaves what lies between', async () => {
    const [series, whole] = await seriesFor(subject, ['a', 'b']);
    const { store } = subject;
    time.now = T;
    const before = (await store.statistics()).points;
    const points = Array.from({ length: 3000 }, (_, index) => double(T + index * 60_000, index));
    const text = { ts: T + 30_000, kind: ValueKind.String, value: 'text' };
    const stays = points.filter((_, index) => index % 3 === 0);
    const goes = [...points.filter((_, index) => index % 3 !== 0), text];
    await put(store, series ?? 0, stays);
    await putUntil(store, series ?? 0, T + 5000, goes);
    await putUntil(store, whole ?? 0, T + 5000, points);
    expect(await sweep(store, T + 4999)).toBe(0);
    expect((await store.statistics()).points - before).toBe(6001);
    expect(await sweep(store, T + 5000)).toBe(goes.length + points.length);
    expect((await store.statistics()).points - before).toBe(stays.length);
    expect(await all(store, series ?? 0)).toEqual(stays);
    expect(await store.latest([series ?? 0, whole ?? 0])).toEqual([stays.at(-1), null]);
    await crash();
    expect(await all(subject.store, series ?? 0)).toEqual(stays);
    expect(await all(subject.store, whole ?? 0)).toEqual([]);
    expect(await sweep(subject.store, T + DAY_MS)).toBe(0);
  });

  it('keeps a point that was written again without a time to live, and takes the last one of several', async () => {
    const series = await oneSeries(subject);
    const { store } = subject;
    time.now = T;
    await putUntil(store, series, T + 1000, [double(T, 1), double(T + 1, 1), double(T + 2, 1)]);
    await put(store, series, [double(T, 2)]);
    await putUntil(store, series, T + 9000, [double(T + 1, 3)]);
    // Of one batch the later point wins, with its time or without one.
    const both = batchOf([double(T + 2, 4), double(T + 2, 5)].map((point) => ({ ...point, series })));
    await store.append({ ...both, expiring: [{ from: 0, to: 1, at: T + 1000 }] });
    await crash();
    time.now = T + 1000;
    const kept = [double(T, 2), double(T + 1, 3), double(T + 2, 5)];
    expect(await all(subject.store, series)).toEqual(kept);
    expect(await sweep(subject.store, T + 8999)).toBe(0);
    time.now = T + 9000;
    expect(await all(subject.store, series)).toEqual([double(T, 2), double(T + 2, 5)]);
  });

  it('gives a point a time to live that had none', async () => {
    const series = await oneSeries(subject);
    time.now = T;
    await put(subject.store, series, [double(T, 1), double(T + 1, 2)]);
    await putUntil(subject.store, series, T + 1000, [double(T + 1, 2)]);
    time.now = T + 1000;
    expect(await all(subject.store, series)).toEqual([double(T, 1)]);
    expect(await subject.store.latest([series])).toEqual([double(T, 1)]);
  });

  it('orders an erasure behind what is over, and a removal of the owner forgets it', async () => {
    const series = await oneSeries(subject);
    const { store } = subject;
    time.now = T;
    await put(store, series, [double(T, 1)]);
    await putUntil(store, series, T + 1000, [double(T + 10, 2)]);
    time.now = T + 1000;
    expect(await store.erase({ series, from: T + 5, to: T + 20, latestAfter: 'delete' })).toBe('stored');
    expect(await store.latest([series])).toEqual([double(T, 1)]);
    await putUntil(store, series, T + 5000, [double(T + 30, 3)]);
    await store.removeOwner(subject.owner);
    await crash();
    expect(await sweep(subject.store, T + DAY_MS)).toBe(0);
    expect(await subject.store.latest([series])).toEqual([null]);
  });

  it('refuses a batch that names points it has not', async () => {
    const series = await oneSeries(subject);
    const batch = batchOf([{ ...double(T, 1), series }]);
    for (const expiring of [
      [{ from: 0, to: 2, at: T }],
      [{ from: 0, to: 1, at: Number.NaN }],
      [
        { from: 0, to: 1, at: T },
        { from: 0, to: 1, at: T },
      ],
    ]) {
      expect(await subject.store.append({ ...batch, expiring })).toBe('failed');
    }
    expect(await all(subject.store, series)).toEqual([]);
  });
}
