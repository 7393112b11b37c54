import type { DeviceRef, Point } from '@moorage/core';
import type { HistoryQuery, SensoroPlatform } from '../ports.ts';
import { jsonValue, newReading, type Reading } from '../push/readings.ts';
import type { LogQuery } from './query.ts';

/** Everything that the device sent for one time. */
export interface LogEntry {
  readonly createdTime: number;
  readonly data: Reading;
}

/** Points of all keys together that are held at a time. */
const POINTS_AT_ONCE = 20_000;
const LEAST_POINTS = 10;

interface Stretch {
  readonly entries: readonly LogEntry[];
  /** Where the next stretch begins; null: there is none. */
  readonly next: number | null;
}

/** A page of the readings of a device, gathered from the histories of its keys. */
export async function deviceLog(
  platform: Pick<SensoroPlatform, 'latest' | 'history'>,
  device: DeviceRef,
  names: ReadonlyMap<string, string>,
  { startTime, endTime, page, count, order }: LogQuery,
): Promise<readonly LogEntry[]> {
  const keys = [...(await platform.latest(device)).keys()];
  if (keys.length === 0) return [];
  const limit = Math.max(Math.floor(POINTS_AT_ONCE / keys.length), LEAST_POINTS);
  let skipped = (page - 1) * count;
  const found: LogEntry[] = [];
  let [from, to] = [startTime, endTime];
  for (;;) {
    const query: HistoryQuery = { keys, from, to, order, limit };
    const { entries, next } = stretchOf(await platform.history(device, query), names, query);
    for (const entry of entries) {
      if (skipped > 0) skipped--;
      else if (found.length < count) found.push(entry);
    }
    if (next === null || found.length === count) return found;
    if (order === 'asc') from = next;
    else to = next;
    if (from > to) return found;
  }
}

/**
 * The entries up to where every key is known: a key with as many points as were asked for may have more behind its last one,
 * and there the next stretch begins.
 */
function stretchOf(
  points: ReadonlyMap<string, readonly Point[]>,
  names: ReadonlyMap<string, string>,
  { order, limit }: HistoryQuery,
): Stretch {
  const descending = order === 'desc';
  let edge: number | null = null;
  for (const list of points.values()) {
    const last = list.at(-1)?.ts;
    if (last === undefined || list.length < limit) continue;
    if (edge === null || (descending ? last > edge : last < edge)) edge = last;
  }
  const readings = new Map<number, Reading>();
  for (const [key, list] of points) {
    for (const { ts, kind, value } of list) {
      if (edge !== null && (descending ? ts < edge : ts > edge)) continue;
      let reading = readings.get(ts);
      if (reading === undefined) {
        reading = newReading();
        readings.set(ts, reading);
      }
      reading[names.get(key) ?? key] = jsonValue(kind, value);
    }
  }
  const entries = Array.from(readings, ([createdTime, data]) => ({ createdTime, data }));
  entries.sort((a, b) => (descending ? b.createdTime - a.createdTime : a.createdTime - b.createdTime));
  return { entries, next: edge === null ? null : edge + (descending ? -1 : 1) };
}
