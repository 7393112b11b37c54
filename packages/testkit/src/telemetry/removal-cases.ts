import type { Point } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { expect, it } from 'vitest';
import { all, double, oneSeries, put, type Subject, seriesFor } from './describe-telemetry-store.ts';

const T = Date.UTC(2026, 2, 10, 12);
const DAY_MS = 86_400_000;

function walk(count: number, stepMs: number): Point[] {
  return Array.from({ length: count }, (_, index) => double(T + index * stepMs, index));
}

/** The cases of `erase`, `applyRetention` and `removeOwner`. */
export function removalCases(subject: Subject, crash: () => Promise<void>): void {
  it('erases exactly the half-open range, in chunks and before', async () => {
    const series = await oneSeries(subject);
    const points = walk(1500, 1000);
    await put(subject.store, series, points);
    const range = { series, from: T + 100_000, to: T + 1_200_000 };
    expect(await subject.store.erase({ ...range, latestAfter: 'rewrite' })).toBe('stored');
    const expected = [...points.slice(0, 100), ...points.slice(1200)];
    expect(await all(subject.store, series)).toEqual(expected);
    await crash();
    expect(await all(subject.store, series)).toEqual(expected);
    expect(await subject.store.latest([series])).toEqual([points[1499]]);
  });

  it.each([
    ['rewrite', 99],
    ['delete', undefined],
    ['keep', 699],
  ] as const)('sets latest by latestAfter %s, also after a crash', async (latestAfter, index) => {
    const series = await oneSeries(subject);
    const points = walk(700, 1000);
    await put(subject.store, series, points);
    expect(await subject.store.erase({ series, from: T + 100_000, to: T + 700_000, latestAfter })).toBe('stored');
    const expected = [index === undefined ? null : points[index]];
    expect(await subject.store.latest([series])).toEqual(expected);
    await crash();
    expect(await subject.store.latest([series])).toEqual(expected);
    expect(await all(subject.store, series)).toEqual(points.slice(0, 100));
    const late = { ts: T - 1, kind: ValueKind.Long, value: 3 };
    await put(subject.store, series, [late]);
    expect(await subject.store.latest([series])).toEqual(index === undefined ? [late] : expected);
  });

  it('orders an erasure between the appends before and after it', async () => {
    const series = await oneSeries(subject);
    const { store } = subject;
    await Promise.all([
      put(store, series, walk(10, 1000)),
      store.erase({ series, from: T, to: T + DAY_MS, latestAfter: 'rewrite' }),
      put(store, series, [double(T + 3000, 42)]),
    ]);
    expect(await all(store, series)).toEqual([double(T + 3000, 42)]);
    expect(await store.latest([series])).toEqual([double(T + 3000, 42)]);
    await crash();
    expect(await all(subject.store, series)).toEqual([double(T + 3000, 42)]);
    expect(await subject.store.latest([series])).toEqual([double(T + 3000, 42)]);
  });

  it('removes whole days by age, keeps every younger point, and keeps latest', async () => {
    const [old, both] = await seriesFor(subject, ['old', 'both']);
    await put(subject.store, old ?? 0, walk(1000, 1000));
    await put(subject.store, both ?? 0, walk(1000, 600_000));
    let more = true;
    let removed = 0;
    for (let call = 0; more && call < 100; call++) {
      const result = await subject.store.applyRetention(T + 3 * DAY_MS, 5);
      removed += result.removedChunks;
      more = result.more;
    }
    expect(more).toBe(false);
    expect(removed).toBeGreaterThan(0);
    await crash();
    const kept = walk(1000, 600_000).filter((point) => point.ts >= Math.floor((T + 3 * DAY_MS) / DAY_MS) * DAY_MS);
    expect(await all(subject.store, old ?? 0)).toEqual([]);
    expect(await all(subject.store, both ?? 0)).toEqual(kept);
    expect(await subject.store.latest([old ?? 0])).toEqual([walk(1000, 1000)[999]]);
  });

  it('removes an owner with series, points and attributes, for good', async () => {
    const series = await oneSeries(subject);
    const view = subject.store.seriesOf(subject.owner);
    await put(subject.store, series, walk(3000, 60_000));
    const attribute = { kind: ValueKind.Long, value: 1, lastUpdateTs: T };
    await subject.store.save([{ owner: subject.owner, scope: 'SERVER', key: 'a', attribute }]);
    await subject.store.read(subject.owner, null, null);
    expect(await subject.store.removeOwner(subject.owner)).toBe('stored');
    expect(view.size).toBe(0);
    expect(await subject.store.latest([series])).toEqual([null]);
    expect(await subject.store.read(subject.owner, null, null)).toEqual([]);
    await put(subject.store, series, [double(T, 1)]);
    expect(await subject.store.latest([series])).toEqual([null]);
    await crash();
    expect(subject.store.seriesOf(subject.owner).size).toBe(0);
    const again = await oneSeries(subject);
    expect(again).not.toBe(series);
    expect(await all(subject.store, again)).toEqual([]);
    expect(await subject.store.latest([again])).toEqual([null]);
    expect(await subject.store.read(subject.owner, null, null)).toEqual([]);
  });
}
