import type { Bucket, Point } from '@moorage/core';
import { expect, it } from 'vitest';
import { batchOf, randomValue, type SeriesPoint, seededRandom } from './batches.ts';
import type { Subject, TelemetryStoreFactory } from './describe-telemetry-store.ts';
import { MemoryTelemetryStore } from './memory-telemetry-store.ts';

const OPERATIONS = 10_000;
const OWNERS = ['a', 'b', 'c', 'd', 'e'];
const KEYS = ['one', 'two', 'three', 'four'];
const T = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const LATEST_AFTER = ['rewrite', 'delete', 'keep'] as const;

/** Differences in the order of additions may show in the last digits of the larger numbers involved. */
function expectBuckets(actual: readonly Bucket[], expected: readonly Bucket[]): void {
  expect(actual.map((bucket) => ({ ...bucket, sum: 0, min: 0, max: 0 }))).toEqual(
    expected.map((bucket) => ({ ...bucket, sum: 0, min: 0, max: 0 })),
  );
  for (const [index, bucket] of expected.entries()) {
    const { min, max, sum } = actual[index] ?? { min: undefined, max: undefined, sum: 0 };
    // Loose equality: the two zeros are one value here.
    expect(min === bucket.min && max === bucket.max).toBe(true);
    const largest = Math.max(Math.abs(Number(bucket.min ?? 0)), Math.abs(Number(bucket.max ?? 0)));
    const count = bucket.counts.reduce((total, some) => total + some, 0);
    // A sum that may pass the largest double on the way depends on the order altogether.
    if (Number.isFinite(largest * count))
      expect(Math.abs(sum - bucket.sum)).toBeLessThanOrEqual(largest * count * 1e-12);
  }
}

/** 10,000 random operations on the store and on the reference, from a fixed seed, with crashes between. */
export function differentialCase(subject: Subject, factory: TelemetryStoreFactory): void {
  it('equals the reference over 10,000 random operations with crashes and reopenings', {
    timeout: 60_000,
  }, async () => {
    const random = seededRandom(20_261_121);
    const { time } = factory;
    const reference = new MemoryTelemetryStore({ maxSeriesPerOwner: 50, clock: () => time.now });
    const below = (limit: number) => Math.floor(random() * limit);
    const pick = <T>(from: readonly T[], fallback: T): T => from[below(from.length)] ?? fallback;
    let now = T;
    let done = 0;

    const someSeries = async (): Promise<[number, number]> => {
      const owner = pick(OWNERS, 'a');
      const key = pick(KEYS, 'one');
      const [mine, theirs] = await Promise.all([subject.store.intern(owner, [key]), reference.intern(owner, [key])]);
      return [Number(mine[0]), Number(theirs[0])];
    };

    /** Some points of a batch with a time to live. */
    const expiringPoints = (count: number) => {
      const from = below(count);
      return { expiring: [{ from, to: from + 1 + below(count - from), at: time.now + below(40_000) }] };
    };

    /** A few batches at once, so that several of them share a commit. */
    const append = async () => {
      const pending: Promise<unknown>[] = [];
      const targets = [await someSeries(), await someSeries(), await someSeries()];
      for (let batch = below(9); batch >= 0; batch--) {
        const mine: SeriesPoint[] = [];
        const theirs: SeriesPoint[] = [];
        const size = random() < 0.02 ? below(1500) : below(12);
        const numeric = random() < 0.7;
        for (let index = 0; index <= size; index++) {
          const [series, referenceSeries] = pick(targets, [0, 0]);
          now += below(3) * 1000;
          const late = random() < 0.05 ? below(3 * DAY_MS) : random() < 0.05 ? below(5) * 1000 : 0;
          let value = randomValue(random);
          while (numeric && typeof value.value !== 'number') value = randomValue(random);
          const point = { ts: now - late, ...value };
          mine.push({ ...point, series });
          theirs.push({ ...point, series: referenceSeries });
        }
        const expiring = random() < 0.1 ? expiringPoints(mine.length) : {};
        pending.push(subject.store.append({ ...batchOf(mine), ...expiring }));
        expect(await reference.append({ ...batchOf(theirs), ...expiring })).toBe('stored');
        done++;
      }
      for (const outcome of await Promise.all(pending)) expect(outcome).toBe('stored');
      if (random() < 0.02) now += below(DAY_MS);
      if (random() < 0.02) time.now += below(30_000);
    };

    const window = (): { from: number; to: number } => {
      const from = random() < 0.2 ? 0 : now - below(4 * DAY_MS);
      return { from, to: random() < 0.3 ? from + below(3_600_000) : from + below(6 * DAY_MS) };
    };

    const read = async () => {
      const [series, referenceSeries] = await someSeries();
      const bounds = window();
      const order = random() < 0.5 ? 'asc' : 'desc';
      const limit = 1 + (random() < 0.5 ? below(10) : below(100_000));
      if (random() < 0.6) {
        const points: readonly Point[] = await subject.store.range({ series, ...bounds, order, limit });
        expect(points).toEqual(await reference.range({ series: referenceSeries, ...bounds, order, limit }));
      } else {
        const query = { from: now - 3 * DAY_MS, to: now, intervalMs: 1 + below(DAY_MS) };
        const expected = await reference.aggregate({ series: referenceSeries, ...query });
        expectBuckets(await subject.store.aggregate({ series, ...query }), expected);
      }
    };

    const latest = async () => {
      const [series, referenceSeries] = await someSeries();
      expect(await subject.store.latest([series])).toEqual(await reference.latest([referenceSeries]));
    };

    const erase = async () => {
      const [series, referenceSeries] = await someSeries();
      const bounds = window();
      const latestAfter = pick(LATEST_AFTER, 'keep');
      await subject.store.erase({ series, ...bounds, latestAfter });
      await reference.erase({ series: referenceSeries, ...bounds, latestAfter });
    };

    while (done < OPERATIONS) {
      const dice = random();
      done++;
      if (dice < 0.55) await append();
      else if (dice < 0.78) await read();
      else if (dice < 0.95) await latest();
      else if (dice < 0.97) await erase();
      else if (dice < 0.975) {
        const before = now - 3 * DAY_MS;
        while ((await subject.store.applyRetention(before, 5)).more);
        await reference.applyRetention(before, 5);
      } else if (dice < 0.976) {
        while ((await subject.store.applyExpiry(time.now, 5)).more);
        await reference.applyExpiry(time.now, 5);
      } else if (dice < 0.98) {
        const owner = pick(OWNERS, 'a');
        await Promise.all([subject.store.removeOwner(owner), reference.removeOwner(owner)]);
      } else if (dice < 0.9812) subject.store = await factory.crash(subject.store);
      else if (dice < 0.9822) subject.store = await factory.reopen(subject.store);
    }
  });
}
