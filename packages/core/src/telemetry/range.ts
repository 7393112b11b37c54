import type { SeriesRangeQuery } from '../platform.ts';
import type { SeriesId, TelemetryStore } from '../ports/telemetry-store.ts';
import type { Point } from '../values/value.ts';
import { aggregatePoint } from './aggregate.ts';
import { isStorableTime } from './point-rules.ts';

/** Most buckets of one aggregation, counted with intervals of at least a second. thingsboard-server.md, 3.2 */
export const MAX_INTERVALS = 700;

/** Most points of one answer over all keys. */
export const MAX_POINTS_OF_ANSWER = 1_000_000;

/** Smallest interval that counts for `MAX_INTERVALS`, milliseconds. */
const SMALLEST_COUNTED_INTERVAL_MS = 1000;

/** Why a query is refused, as a sentence, or null. Aggregation without an interval means raw points. */
export function rangeFault(query: SeriesRangeQuery): string | null {
  const { startTs, endTs, intervalMs, limit } = query;
  if (!isStorableTime(startTs) || !isStorableTime(endTs)) return 'Incorrect TsKvQuery. Invalid startTs or endTs.';
  const aggregating = query.aggregate !== null && intervalMs >= 1;
  const intervals = Math.trunc((endTs - startTs) / Math.max(intervalMs, SMALLEST_COUNTED_INTERVAL_MS));
  if (endTs < startTs || (aggregating && intervals > MAX_INTERVALS))
    return (
      `Incorrect TsKvQuery. Number of intervals is too high - ${intervals}. ` +
      "Please increase 'interval' parameter for your query or reduce the time range of the query."
    );
  if (aggregating && !Number.isSafeInteger(intervalMs)) return 'Incorrect TsKvQuery. Invalid interval.';
  if (!aggregating && !(Number.isInteger(limit) && limit >= 1)) return 'Incorrect TsKvQuery. Limit must be at least 1.';
  return null;
}

/** Reads a query without faults, key after key so that memory stays bounded. Keys without points are absent. */
export async function readRange(
  store: TelemetryStore,
  series: readonly (readonly [key: string, id: SeriesId])[],
  query: SeriesRangeQuery,
): Promise<ReadonlyMap<string, readonly Point[]> | 'tooMany'> {
  const answer = new Map<string, readonly Point[]>();
  if (query.startTs === query.endTs) return answer;
  let left = MAX_POINTS_OF_ANSWER;
  for (const [key, id] of series) {
    const points = await readKey(store, id, query, left);
    if (points.length > left) return 'tooMany';
    left -= points.length;
    if (points.length > 0) answer.set(key, points);
  }
  return answer;
}

async function readKey(
  store: TelemetryStore,
  series: SeriesId,
  query: SeriesRangeQuery,
  left: number,
): Promise<readonly Point[]> {
  const { startTs: from, endTs: to, intervalMs, aggregate, order } = query;
  if (aggregate === null || intervalMs < 1) {
    const limit = Math.min(query.limit, left + 1, MAX_POINTS_OF_ANSWER);
    return store.range({ series, from, to, order, limit });
  }
  const points: Point[] = [];
  for (const bucket of await store.aggregate({ series, from, to, intervalMs })) {
    const point = aggregatePoint(bucket, aggregate, intervalMs, to);
    if (point !== undefined) points.push(point);
  }
  return points;
}
