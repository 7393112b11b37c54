import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Point } from '@moorage/core';
import { describe, expect, it } from 'vitest';
import { SqliteDriver } from '../sqlite/driver.ts';
import { ChildRuns, canTrace, endOf, linesOf } from '../testing/child-runs.ts';
import { damagedCopies, expectRefusals } from '../testing/damaged-files.ts';
import { DEVICES, KEYS, pointOf } from './durability-points.ts';
import { SqliteTelemetryStore } from './sqlite-telemetry-store.ts';

/** The short form; 200 rounds are the long one. */
const ROUNDS = Number(process.env.MOORAGE_KILL_ROUNDS ?? 4);

/** Per device, the points acknowledged: whole ranges, first and last. */
type Acknowledged = [number, number][][];

function openStore(directory: string, installationId = 'durability'): Promise<SqliteTelemetryStore> {
  return SqliteTelemetryStore.open({
    directory,
    installationId,
    clock: () => 0,
    ballastBytes: 0,
    headBudgetPoints: 20_000,
  });
}

/** Notes what the child says; the note is made by this process. */
function listen(child: ChildProcess, acknowledged: Acknowledged, onLine: () => void): Promise<void> {
  return linesOf(child, (line) => {
    // The last line may be cut off by the kill: it then has no third number or a shorter one.
    const [device = '', first = '', last = ''] = line.split(' ');
    acknowledged[Number(device)]?.push([Number(first), Number(last)]);
    onLine();
  });
}

/** Compares every acknowledged point with what the store gives back; the number of points compared. */
async function compare(store: SqliteTelemetryStore, acknowledged: Acknowledged): Promise<number> {
  let compared = 0;
  for (let device = 0; device < DEVICES; device++) {
    const stored: Map<number, Point>[] = [];
    const series = store.seriesOf(`device ${device}`);
    for (let key = 0; key < KEYS; key++) {
      const query = {
        series: series.get(`key ${key}`) ?? 0,
        from: 0,
        to: 8e15,
        order: 'asc',
        limit: 1_000_000,
      } as const;
      stored.push(new Map((await store.range(query)).map((point) => [point.ts, point])));
    }
    for (const [first, last] of acknowledged[device] ?? []) {
      for (let number = first; number <= last; number++) {
        const { key, ...point } = pointOf(device, number);
        const found = stored[key]?.get(point.ts);
        if (found === undefined)
          throw new TypeError(`Point ${number} of device ${device} was acknowledged and is lost`);
        expect(found).toEqual(point);
        compared++;
      }
    }
  }
  return compared;
}

describe('durability of the telemetry store', () => {
  const runs = new ChildRuns(new URL('./durability.child.ts', import.meta.url));

  it(`F1 loses no acknowledged point when killed with SIGKILL at random moments, ${ROUNDS} rounds`, {
    timeout: 10_000 + ROUNDS * 10_000,
  }, async () => {
    const acknowledged: Acknowledged = Array.from({ length: DEVICES }, () => []);
    let compared = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = runs.start(round * 50_000, 0);
      const end = endOf(child);
      let lines = 0;
      await listen(child, acknowledged, () => {
        if (++lines === 1) setTimeout(() => child.kill('SIGKILL'), Math.random() * 200);
      });
      expect(await end).toBe('SIGKILL');
      const store = await openStore(runs.directory);
      compared = await compare(store, acknowledged);
      await store.close();
    }
    expect(compared).toBeGreaterThan(ROUNDS * 100);
  });

  it('F2 keeps everything acknowledged before a torn end of the WAL, and a prefix when the WAL is cut', async () => {
    const acknowledged: Acknowledged = Array.from({ length: DEVICES }, () => []);
    const child = runs.start(0, 0);
    const end = endOf(child);
    let lines = 0;
    await listen(child, acknowledged, () => {
      if (++lines === 60) child.kill('SIGKILL');
    });
    await end;
    for (const { damage, whole, directory } of damagedCopies(runs.directory, 'telemetry.sqlite')) {
      const store = await openStore(directory);
      if (whole) expect(await compare(store, acknowledged), damage).toBeGreaterThan(0);
      else await expectPrefix(store);
      await store.close();
    }
  });

  /** Of every device the points up to some number are all there, and none after it. */
  async function expectPrefix(store: SqliteTelemetryStore): Promise<void> {
    for (let device = 0; device < DEVICES; device++) {
      const series = store.seriesOf(`device ${device}`);
      let count = 0;
      for (let key = 0; key < KEYS; key++) {
        const id = series.get(`key ${key}`);
        if (id === undefined) continue;
        count += (await store.range({ series: id, from: 0, to: 8e15, order: 'asc', limit: 1_000_000 })).length;
      }
      const ranges: [number, number][] = count === 0 ? [] : [[0, count - 1]];
      const prefix: Acknowledged = Array.from({ length: DEVICES }, (_, at) => (at === device ? ranges : []));
      expect(await compare(store, prefix)).toBe(count);
    }
  }

  it('F2 reports a damaged chunk to the reader and refuses to start on a damaged log record', async () => {
    const child = runs.start(0, 200);
    child.stdout?.resume();
    await endOf(child);
    const file = join(runs.directory, 'telemetry.sqlite');
    const flip = (table: string) => {
      const database = new DatabaseSync(file);
      const key = table === 'log' ? 'id' : 'seq';
      const row = database.prepare(`SELECT ${key} AS key, b FROM ${table} ORDER BY ${key} DESC LIMIT 1`).get();
      const blob = row?.b;
      if (!(blob instanceof Uint8Array)) throw new TypeError(`No record in ${table}`);
      blob[blob.length - 3] = (blob[blob.length - 3] ?? 0) ^ 4;
      const series =
        table === 'log' ? [] : database.prepare('SELECT series FROM chunk ORDER BY seq DESC LIMIT 1').all();
      database.prepare(`UPDATE ${table} SET b = ? WHERE ${key} = ?`).run(blob, row?.key ?? null);
      database.close();
      return Number(series[0]?.series);
    };
    const series = flip('chunk');
    const store = await openStore(runs.directory);
    const query = { series, from: 0, to: 8e15, order: 'asc', limit: 1_000_000 } as const;
    await expect(store.range(query)).rejects.toMatchObject({
      code: 'corrupt-record',
      message: expect.stringMatching(/^Chunk \d+ of series \d+, day \d+: checksum does not match$/),
    });
    await expect(store.aggregate({ ...query, intervalMs: 1e15 })).rejects.toMatchObject({ code: 'corrupt-record' });
    await store.close();
    flip('log');
    await expect(openStore(runs.directory)).rejects.toMatchObject({
      code: 'corrupt-record',
      message: expect.stringMatching(/^Log record \d+: checksum does not match$/),
    });
  });

  it('F2 refuses a file that is no database, of another installation, or of a newer version', async () => {
    await (await openStore(runs.directory)).close();
    const file = join(runs.directory, 'telemetry.sqlite');
    await expectRefusals(file, 'durability', (installationId) => openStore(runs.directory, installationId));
  });

  it('syncs every commit: PRAGMA synchronous reads back FULL in WAL mode', () => {
    const database = SqliteDriver.open({ path: join(runs.directory, 'pragma.sqlite') });
    expect([database.pragma('synchronous'), database.pragma('journal_mode')]).toEqual([2, 'wal']);
    database.close();
    const normal = SqliteDriver.open({ path: join(runs.directory, 'pragma.sqlite'), durability: 'normal' });
    expect(normal.pragma('synchronous')).toBe(1);
    normal.close();
  });

  it('syncs every commit: strace sees a sync of the WAL for each', async () => {
    if (!canTrace()) return;
    const { child, syncsOf } = runs.startTraced(0, 40);
    child.stdout?.resume();
    await endOf(child);
    const database = new DatabaseSync(join(runs.directory, 'telemetry.sqlite'));
    const commits = Number(database.prepare('SELECT max(id) AS id FROM log').get()?.id);
    database.close();
    expect(commits).toBeGreaterThanOrEqual(40);
    expect(syncsOf('telemetry.sqlite-wal')).toBeGreaterThanOrEqual(commits);
  });
});
