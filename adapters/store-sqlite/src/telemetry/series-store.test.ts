import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValueKind } from '@moorage/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDriver } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import { ChunkScan } from './chunk-scan.ts';
import { Columns } from './columns.ts';
import { Erasure } from './erasure.ts';
import { ExpiryTable } from './expiry-table.ts';
import { TELEMETRY_MIGRATIONS } from './schema.ts';
import { SeriesStore } from './series-store.ts';

const DAY_MS = 86_400_000;
const EVERYTHING = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

describe('log, heads and chunks', () => {
  let directory = '';
  let database: SqliteDriver;
  let store: SeriesStore;

  const reopen = (headBudgetPoints = 100_000) => {
    store = new SeriesStore(database, headBudgetPoints);
    store.reload();
  };
  const commit = (work: () => void) =>
    database.transaction(() => {
      store.begin();
      work();
      store.end();
    });
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get([])?.n);
  const append = (series: number, ts: number, num: number) =>
    store.append(series, ts, ValueKind.Double, num, undefined);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-series-'));
    database = SqliteDriver.open({ path: join(directory, 'telemetry.sqlite') });
    migrate(database, { file: 'telemetry', installationId: 'x', migrations: TELEMETRY_MIGRATIONS, now: 0 });
    for (let id = 1; id <= 50; id++) database.exec(`INSERT INTO series (id, owner, key) VALUES (${id}, 'o', 'k${id}')`);
    reopen();
  });
  afterEach(() => {
    database.close();
    rmSync(directory, { recursive: true });
  });

  it('seals at 512 points and keeps the rest, which a replay finds again', () => {
    commit(() => {
      for (let index = 0; index < 1100; index++) append(1, index, index);
    });
    expect([count('chunk'), store.heads.count(1), store.points]).toEqual([2, 76, 1100]);
    reopen();
    expect([store.heads.count(1), store.points]).toEqual([76, 1100]);
  });

  it('seals at the border of a day, not before', () => {
    commit(() => append(1, DAY_MS - 1, 1));
    expect(count('chunk')).toBe(0);
    commit(() => append(1, DAY_MS, 2));
    expect([count('chunk'), store.heads.count(1)]).toEqual([1, 1]);
    reopen();
    expect([store.heads.count(1), store.points]).toEqual([1, 2]);
  });

  it('deletes the log records whose points are all in chunks, and never the newest', () => {
    for (let index = 0; index < 2000; index++) commit(() => append(1, index, index));
    expect(count('log')).toBeLessThan(600);
    expect(store.points).toBe(2000);
    reopen();
    expect(store.points).toBe(2000);
  });

  it('seals the heads that pin the oldest log records when the budget is used up', () => {
    reopen(400);
    for (let index = 0; index < 300; index++) {
      commit(() => {
        append(1 + (index % 49), index, index);
        append(50, index, index);
      });
      expect(store.heads.budgetPoints).toBeLessThanOrEqual(400);
    }
    reopen(400);
    expect(store.points).toBe(600);
  });

  it('goes on from what is on disk after a commit that failed half-way', () => {
    commit(() => append(1, 5, 5));
    expect(() =>
      commit(() => {
        for (let index = 0; index < 600; index++) append(1, 10 + index, index);
        store.seal(1);
        throw new RangeError('interrupted');
      }),
    ).toThrow('interrupted');
    store.reload();
    expect([store.points, store.heads.count(1), count('chunk')]).toEqual([1, 1, 0]);
  });

  it('rewrites the chunks of a day that pile up on each other, newer points winning', () => {
    const erasure = new Erasure(database, store, new ExpiryTable(database));
    for (let pass = 0; pass < 6; pass++) {
      commit(() => {
        for (let index = 0; index < 512; index++) append(1, index * 10 + pass, pass * 1000 + index);
        append(1, 7777, pass);
      });
      commit(() => store.seal(1));
    }
    expect(count('chunk')).toBeGreaterThan(6);
    const before = new ChunkScan(database, true).range(1, ...EVERYTHING, 'asc', 10_000, new Columns());
    while (erasure.pending) commit(() => erasure.step());
    const chunks = new ChunkScan(database, false).day(1, 0).sort((a, b) => a.head.t0 - b.head.t0);
    expect(chunks.length).toBeLessThanOrEqual(9);
    const after = new ChunkScan(database, true).range(1, ...EVERYTHING, 'asc', 10_000, new Columns());
    expect(after.count).toBe(6 * 512 + 1);
    expect([...after.ts.slice(0, after.count)]).toEqual([...before.ts.slice(0, before.count)]);
    expect([...after.num.slice(0, after.count)]).toEqual([...before.num.slice(0, before.count)]);
    reopen();
    expect(store.points).toBe(6 * 512 + 1);
  });

  it('removes the chunks of an owner in slices that go on after a restart', () => {
    for (let day = 0; day < 400; day++) {
      commit(() => {
        for (let series = 1; series <= 50; series++) append(series, day * DAY_MS, 1);
      });
    }
    const erasure = new Erasure(database, store, new ExpiryTable(database));
    while (erasure.pending) commit(() => erasure.step());
    expect(count('chunk')).toBeGreaterThan(19_000);
    commit(() => erasure.removeOwner('o'));
    expect([count('series'), count('doomed'), count('latest')]).toEqual([0, 50, 0]);
    commit(() => erasure.step());
    const left = count('chunk');
    reopen();
    const later = new Erasure(database, store, new ExpiryTable(database));
    let slices = 0;
    for (; later.pending; slices++) commit(() => later.step());
    expect(left).toBeGreaterThan(0);
    expect(slices).toBeGreaterThan(1);
    expect([count('chunk'), count('doomed'), store.points]).toEqual([0, 0, 0]);
  });
});
