import { readFileSync } from 'node:fs';
import type { SeriesId } from '@moorage/core';
import { DEVICES, KEYS, pointOf } from './durability-points.ts';
import { SqliteTelemetryStore } from './sqlite-telemetry-store.ts';

/**
 * Writes points of every kind as several devices at once and says on its output which ones are acknowledged:
 * `device first last`. Reads from its input: number of the first point, commits per device (0: until killed), directory.
 */
const [first = '0', commits = '0', directory = ''] = readFileSync(0, 'utf8').trim().split(' ');
const store = await SqliteTelemetryStore.open({
  directory,
  installationId: 'durability',
  clock: () => 0,
  ballastBytes: 0,
  headBudgetPoints: 20_000,
});

async function device(number: number): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, key) => `key ${key}`);
  const ids = await store.intern(`device ${number}`, keys);
  if (typeof ids === 'string') return;
  let next = Number(first);
  for (let round = 0; commits === '0' || round < Number(commits); round++) {
    const size = 1 + (next % 97);
    if (!(await append(ids, number, next, next + size))) return;
    process.stdout.write(`${number} ${next} ${next + size - 1}\n`);
    next += size;
  }
}

async function append(ids: readonly SeriesId[], number: number, from: number, to: number): Promise<boolean> {
  const count = to - from;
  const series = new Int32Array(count);
  const ts = new Float64Array(count);
  const kind = new Uint8Array(count);
  const num = new Float64Array(count);
  const other: { index: number; value: string | bigint }[] = [];
  for (let index = 0; index < count; index++) {
    const point = pointOf(number, from + index);
    series[index] = ids[point.key] ?? 0;
    ts[index] = point.ts;
    kind[index] = point.kind;
    if (typeof point.value === 'string' || typeof point.value === 'bigint') other.push({ index, value: point.value });
    else num[index] = Number(point.value);
  }
  return (await store.append({ count, series, ts, kind, num, other })) === 'stored';
}

await Promise.all(Array.from({ length: DEVICES }, (_, number) => device(number)));
await store.close();
