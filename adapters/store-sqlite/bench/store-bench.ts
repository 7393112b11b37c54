import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PointBatch } from '@moorage/core';
import { ValueKind } from '@moorage/core';
import { SqliteTelemetryStore } from '../src/index.ts';
import { DEVICES, KEYS, START, Workload } from './workload.ts';

/** Measures the telemetry store; prints one line of JSON per case. Rates of one run compare, those of two runs do not. */

const DAY_MS = 86_400_000;

/** Points of a batch, batches in flight. */
const INGEST_CASES = [
  [200, 1],
  [500, 1],
  [2000, 1],
  [5000, 1],
  [200, 32],
] as const;

type Figures = Record<string, unknown>;

async function withStore<T>(work: (store: SqliteTelemetryStore, directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'moorage-bench-'));
  const store = await SqliteTelemetryStore.open({
    directory,
    installationId: 'bench',
    clock: Date.now,
    ballastBytes: 0,
  });
  const keys = Array.from({ length: KEYS }, (_, key) => `key ${key}`);
  await Promise.all(Array.from({ length: DEVICES }, (_, device) => store.intern(`device ${device}`, keys)));
  try {
    return await work(store, directory);
  } finally {
    await store.terminate();
    rmSync(directory, { recursive: true });
  }
}

/**
 * Stores for some seconds as fast as it goes. One batch in flight makes one commit of each batch; with more of them the
 * store decides how many share a commit.
 */
async function ingest(
  store: SqliteTelemetryStore,
  directory: string,
  size: number,
  inFlight: number,
  seconds: number,
): Promise<Figures> {
  const workload = new Workload();
  // Made beforehand, so that the generator is not measured; used again with later times.
  const prepared = Array.from({ length: Math.ceil(2_000_000 / size) }, () => workload.batch(size));
  const commitsBefore = commits(directory);
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  let points = 0;
  let failed = 0;
  const feed = async () => {
    while (performance.now() - start < seconds * 1000) {
      const batch = prepared[next % prepared.length];
      if (batch === undefined) return;
      if (next++ >= prepared.length) shift(batch, prepared.length * size);
      if ((await store.append(batch)) === 'stored') points += size;
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, feed));
  const elapsed = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    case: 'ingest',
    pointsPerBatch: size,
    batchesInFlight: inFlight,
    pointsPerCommit: Math.round(points / (commits(directory) - commitsBefore)),
    pointsPerSecond: Math.round(points / elapsed),
    cpuUsPerPoint: round((used.user + used.system) / points, 3),
    cpuUserUsPerPoint: round(used.user / points, 3),
    points,
    failed,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function ask(directory: string, sql: string): Record<string, unknown> {
  const database = new DatabaseSync(join(directory, 'telemetry.sqlite'), { readOnly: true });
  const row = database.prepare(sql).get();
  database.close();
  return row ?? {};
}

/** Commits of points so far: one log record each. */
function commits(directory: string): number {
  return Number(ask(directory, 'SELECT max(id) AS id FROM log').id);
}

/** Moves a batch behind all prepared ones in time: 53.2 points are due per second. */
function shift(batch: PointBatch, points: number): void {
  const by = Math.round(points / 53.2) * 1000;
  for (let at = 0; at < batch.count; at++) batch.ts[at] = (batch.ts[at] ?? 0) + by;
}

function chunkFigures(directory: string): Figures {
  const row = ask(directory, 'SELECT sum(n) AS points, sum(length(b)) AS bytes, count(*) AS chunks FROM chunk');
  const points = Number(row.points);
  return { case: 'chunks', points, chunks: row.chunks, bytesPerPoint: round(Number(row.bytes) / points, 2) };
}

/** Middle of several runs of a query, milliseconds. */
async function timed(name: string, query: () => Promise<number>): Promise<Figures> {
  const times: number[] = [];
  let results = 0;
  for (let run = 0; run < 11; run++) {
    const start = performance.now();
    results = await query();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { case: name, ms: round(times[5] ?? 0, 2), results };
}

async function queries(store: SqliteTelemetryStore): Promise<Figures[]> {
  for (let second = 0; second < 3 * 86_400; second += 4000) {
    const count = 4000;
    const series = new Int32Array(count).fill(1);
    const ts = Float64Array.from(series, (_, index) => START + (second + index) * 1000);
    const num = Float64Array.from(ts, (time) => Math.round(2000 + 500 * Math.sin(time / 3_600_000)) / 100);
    await store.append({ count, series, ts, num, kind: new Uint8Array(count).fill(ValueKind.Double), other: [] });
  }
  const day = { series: 1, from: START + DAY_MS, to: START + 2 * DAY_MS };
  const ids = Array.from({ length: 1000 }, (_, index) => index + 1);
  const aggregate = async (intervalMs: number) => (await store.aggregate({ ...day, intervalMs })).length;
  return [
    await timed(
      'day of a 1 Hz series',
      async () => (await store.range({ ...day, order: 'asc', limit: 100_000 })).length,
    ),
    await timed('its last 100 points', async () => (await store.range({ ...day, order: 'desc', limit: 100 })).length),
    await timed('its hourly aggregate', () => aggregate(3_600_000)),
    await timed('its 5 min aggregate', () => aggregate(300_000)),
    await timed('latest of 1000 series', async () => (await store.latest(ids)).length),
  ];
}

/** Runs all cases, `seconds` for each ingest, and hands each one's figures to `report` as soon as it is there. */
export async function runStoreBench(seconds = 3, report?: (figures: Figures) => void): Promise<Figures> {
  const cases: Figures[] = [];
  const note = (figures: Figures) => {
    cases.push(figures);
    report?.(figures);
  };
  for (const [size, inFlight] of INGEST_CASES) {
    await withStore(async (store, directory) => {
      note(await ingest(store, directory, size, inFlight, seconds));
      if (size === 5000) note(chunkFigures(directory));
    });
  }
  for (const figures of await withStore(queries)) note(figures);
  return { case: 'store', cases };
}

if (import.meta.main) {
  const seconds = Number(process.env.BENCH_SECONDS ?? 3);
  await runStoreBench(seconds, (figures) => process.stdout.write(`${JSON.stringify(figures)}\n`));
}
