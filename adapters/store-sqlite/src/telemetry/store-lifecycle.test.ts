import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Point, ValueKind } from '@moorage/core';
import { batchOf } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteTelemetryStore, type TelemetryStoreOptions } from './sqlite-telemetry-store.ts';

const EVERYTHING = { from: 0, to: 8e15, order: 'asc', limit: 1_000_000 } as const;

function points(series: number, from: number, count: number): (Point & { series: number })[] {
  return Array.from({ length: count }, (_, index) => {
    return { series, ts: from + index, kind: ValueKind.Double, value: index / 2 };
  });
}

describe('the life of a telemetry store', () => {
  let directory = '';
  let store: SqliteTelemetryStore;
  const open = async (more: Partial<TelemetryStoreOptions> = {}) => {
    store = await SqliteTelemetryStore.open({
      directory,
      installationId: 'x',
      clock: () => 0,
      ballastBytes: 0,
      ...more,
    });
    return Number((await store.intern('owner', ['key']))[0]);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-life-'));
  });
  afterEach(async () => {
    await store.terminate();
    rmSync(directory, { recursive: true });
  });

  it('answers everything handed in before a close, and leaves an empty WAL and files for the owner only', async () => {
    const series = await open();
    const pending = Array.from({ length: 50 }, (_, index) => store.append(batchOf(points(series, index * 100, 100))));
    await store.close();
    expect(new Set(await Promise.all(pending))).toEqual(new Set(['stored']));
    const wal = join(directory, 'telemetry.sqlite-wal');
    expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
    expect(statSync(join(directory, 'telemetry.sqlite')).mode & 0o777).toBe(0o600);
    expect(await store.append(batchOf(points(series, 0, 1)))).toBe('failed');
    await expect(store.range({ series, ...EVERYTHING })).rejects.toMatchObject({ code: 'worker-stopped' });
    await open();
    expect(await store.range({ series, ...EVERYTHING })).toHaveLength(5000);
  });

  it('ends a close whose thread ends before everything is answered', async () => {
    const series = await open();
    const pending = store.append(batchOf(points(series, 0, 3)));
    const closed = store.close();
    await store.terminate();
    await closed;
    expect(['stored', 'failed']).toContain(await pending);
  });

  it('answers failed, reports it and keeps latest when the writer is gone', async () => {
    const states: string[] = [];
    const series = await open({ onStateChange: (state) => states.push(state) });
    await store.append(batchOf(points(series, 0, 3)));
    const pending = store.append(batchOf(points(series, 10, 3)));
    await store.terminate();
    expect(['stored', 'failed']).toContain(await pending);
    expect(await store.append(batchOf(points(series, 20, 3)))).toBe('failed');
    expect(await store.erase({ series, from: 0, to: 1, latestAfter: 'keep' })).toBe('failed');
    expect((await store.latest([series]))[0]?.ts).toBeGreaterThanOrEqual(2);
    expect(states).toEqual([]);
  });

  it('commits a batch larger than a round, and thousands of small ones together', async () => {
    const series = await open();
    expect(await store.append(batchOf(points(series, 0, 60_000)))).toBe('stored');
    const small = Array.from({ length: 3000 }, (_, index) => store.append(batchOf(points(series, 100_000 + index, 1))));
    expect(new Set(await Promise.all(small))).toEqual(new Set(['stored']));
    expect(await store.range({ series, ...EVERYTHING })).toHaveLength(63_000);
  });

  it('keeps the distance between commits that is asked for, and groups what arrives meanwhile', async () => {
    const series = await open({ commitIntervalMs: 20 });
    const start = performance.now();
    for (let round = 0; round < 5; round++) {
      const several = [0, 1, 2].map((index) => store.append(batchOf(points(series, round * 10 + index, 1))));
      expect(await Promise.all(several)).toEqual(['stored', 'stored', 'stored']);
    }
    expect(performance.now() - start).toBeGreaterThanOrEqual(79);
  });

  it('reads batches whose arrays are longer than their count and refuses those whose arrays are shorter', async () => {
    const series = await open();
    const batch = batchOf([...points(series, 0, 5), { series, ts: 9, kind: ValueKind.String, value: 'beyond' }]);
    expect(await store.append({ ...batch, count: 5 })).toBe('stored');
    expect(await store.range({ series, ...EVERYTHING })).toHaveLength(5);
    const shorter = batchOf(points(series, 100, 5));
    expect(await store.append({ ...shorter, count: 6 })).toBe('failed');
    const text = [1, 0].map((index) => ({ index, value: 'x' }));
    expect(await store.append({ ...shorter, kind: shorter.kind.fill(ValueKind.String), other: text })).toBe('failed');
    expect(await store.range({ series, ...EVERYTHING })).toHaveLength(5);
  });

  it('accepts writes as soon as it is open while the ballast is still being taken', async () => {
    const series = await open({ ballastBytes: 4 * 1_048_576 });
    expect(await store.append(batchOf(points(series, 0, 3)))).toBe('stored');
    const ballast = join(directory, 'telemetry.ballast');
    for (let turn = 0; turn < 100_000 && statSync(ballast, { throwIfNoEntry: false })?.size !== 4 * 1_048_576; turn++) {
      await store.statistics();
    }
    expect(statSync(ballast).blocks * 512).toBeGreaterThanOrEqual(4 * 1_048_576);
    expect(statSync(ballast).mode & 0o777).toBe(0o600);
  });
});
