import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Point, WriteOutcome } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { batchOf, seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk, unmountSmallDisk } from '../testing/small-disk.ts';
import { SqliteTelemetryStore } from './sqlite-telemetry-store.ts';

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const BALLAST = 3 * 1_048_576;
const PER_BATCH = 2000;

/** Writes points that do not compress until the store is full, or `batches`; keeps what was acknowledged. */
class Filler {
  readonly acknowledged: Point[] = [];
  readonly #store: SqliteTelemetryStore;
  readonly #series: number;
  readonly #random = seededRandom(3);
  #next = 0;

  constructor(store: SqliteTelemetryStore, series: number) {
    this.#store = store;
    this.#series = series;
  }

  async one(): Promise<WriteOutcome> {
    const points = Array.from({ length: PER_BATCH }, (): Point => {
      return { ts: START + this.#next++ * 1000, kind: ValueKind.Double, value: this.#random() };
    });
    const outcome = await this.#store.append(batchOf(points.map((point) => ({ ...point, series: this.#series }))));
    if (outcome === 'stored') for (const point of points) this.acknowledged.push(point);
    return outcome;
  }

  async untilFull(most: number): Promise<WriteOutcome> {
    let outcome: WriteOutcome = 'stored';
    for (let batch = 0; batch < most && outcome === 'stored'; batch++) outcome = await this.one();
    return outcome;
  }

  async expectAll(store: SqliteTelemetryStore, from: number): Promise<void> {
    const points = await store.range({ series: this.#series, from, to: 8e15, order: 'asc', limit: 1_000_000 });
    const expected = this.acknowledged.filter((point) => point.ts >= from);
    expect(points.length).toBe(expected.length);
    expect(points.every((point, at) => point.ts === expected[at]?.ts && point.value === expected[at]?.value)).toBe(
      true,
    );
    expect(await store.latest([this.#series])).toEqual([this.acknowledged.at(-1)]);
  }
}

describe('a full disk', () => {
  let directory = '';
  let now = 0;
  let states: string[] = [];
  let store: SqliteTelemetryStore;
  let filler: Filler;

  const openIn = async (maxBytes?: number) => {
    store = await SqliteTelemetryStore.open({
      directory,
      installationId: 'full',
      clock: () => now,
      ballastBytes: BALLAST,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      onStateChange: (state) => states.push(state),
    });
    const ids = await store.intern('device', ['key']);
    filler = new Filler(store, Number(ids[0]));
  };

  beforeEach(() => {
    now = 0;
    states = [];
  });

  describe('of 24 MiB', () => {
    beforeEach(async () => {
      directory = mountSmallDisk();
      await openIn();
      // The ballast is written between the first commits.
      for (
        let turn = 0;
        turn < 500 && statSync(join(directory, 'telemetry.ballast'), { throwIfNoEntry: false })?.size !== BALLAST;
        turn++
      ) {
        await store.statistics();
      }
    });
    afterEach(async () => {
      await store.terminate();
      unmountSmallDisk(directory);
    });

    it('F3 refuses writes as full, still reads, and recovers by itself when another file makes room', async () => {
      const ballast = join(directory, 'telemetry.ballast');
      expect(statSync(ballast).blocks * 512).toBeGreaterThanOrEqual(BALLAST);
      const other = join(directory, 'other');
      writeFileSync(other, Buffer.alloc(14 * 1_048_576, 1));
      expect(await filler.untilFull(5000)).toBe('full');
      expect(states).toEqual(['full']);
      expect((await store.statistics()).state).toBe('full');
      expect(statSync(ballast, { throwIfNoEntry: false })).toBeUndefined();
      await filler.expectAll(store, 0);
      expect(await store.intern('device', ['another'])).toBe('full');
      const attribute = { kind: ValueKind.Long, value: 1, lastUpdateTs: 0 };
      expect(await store.save([{ owner: 'device', scope: 'SERVER', key: 'a', attribute }])).toBe('full');
      rmSync(other);
      expect(await filler.one()).toBe('full');
      now += 1000;
      expect(await filler.one()).toBe('stored');
      expect(states).toEqual(['full', 'ok']);
      expect(statSync(ballast).size).toBe(BALLAST);
      await filler.expectAll(store, 0);
      await store.close();
      await openAgain();
      await filler.expectAll(store, 0);
    });

    const openAgain = async () => {
      store = await SqliteTelemetryStore.open({
        directory,
        installationId: 'full',
        clock: () => now,
        ballastBytes: BALLAST,
      });
    };

    it('F3 recovers by retention on a disk that its own points fill, and loses none that is young enough', async () => {
      writeFileSync(join(directory, 'other'), Buffer.alloc(10 * 1_048_576, 1));
      for (let cycle = 0; cycle < 2; cycle++) {
        expect(await filler.untilFull(5000)).toBe('full');
        now += 1000;
        expect(await filler.one()).toBe('full');
        const newest = filler.acknowledged.at(-1)?.ts ?? 0;
        const before = newest - DAY_MS;
        while ((await store.applyRetention(before, 20)).more);
        expect(states.at(-1)).toBe('ok');
        expect(await filler.one()).toBe('stored');
        await filler.expectAll(store, Math.floor(before / DAY_MS) * DAY_MS);
      }
      await store.terminate();
      await openAgain();
      const newest = filler.acknowledged.at(-1)?.ts ?? 0;
      await filler.expectAll(store, Math.floor(newest / DAY_MS) * DAY_MS);
    });
  });

  it('F3 treats the largest allowed file size like a full disk', async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-full-'));
    await openIn(4 * 1_048_576);
    expect(await filler.untilFull(2000)).toBe('full');
    await filler.expectAll(store, 0);
    now += 1000;
    expect(await filler.one()).toBe('full');
    const before = (filler.acknowledged.at(-1)?.ts ?? 0) - DAY_MS;
    while ((await store.applyRetention(before, 20)).more);
    now += 1000;
    expect(await filler.one()).toBe('stored');
    await filler.expectAll(store, Math.floor(before / DAY_MS) * DAY_MS);
    await store.terminate();
    rmSync(directory, { recursive: true });
  });
});
