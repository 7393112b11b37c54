import {
  type Attribute,
  type Caller,
  type PlatformError,
  type Point,
  refuse,
  type SeriesRangeQuery,
  success,
  type TelemetryService,
  ValueKind,
} from '@moorage/core';
import type { FakeState } from './fake-state.ts';

/** Enough of aggregation for the shape of its answers: numbers only. */
function aggregate(points: readonly Point[], query: SeriesRangeQuery): Point[] {
  const buckets: Point[] = [];
  for (let start = query.startTs; start < query.endTs; start += query.intervalMs) {
    const end = Math.min(start + query.intervalMs, query.endTs);
    const inside = points.filter(({ ts }) => ts >= start && ts < end);
    if (inside.length === 0) continue;
    const numbers = inside.map(({ value }) => Number(value));
    const sum = numbers.reduce((total, next) => total + next, 0);
    const allLong = inside.every(({ kind }) => kind === ValueKind.Long);
    const values = {
      min: Math.min(...numbers),
      max: Math.max(...numbers),
      sum,
      avg: sum / numbers.length,
      count: numbers.length,
    };
    const name = query.aggregate ?? 'count';
    const kind = name === 'count' || (allLong && name !== 'avg') ? ValueKind.Long : ValueKind.Double;
    buckets.push({ ts: start + Math.trunc((end - start) / 2), kind, value: values[name] });
  }
  return buckets;
}

export function fakeTelemetry(state: FakeState): TelemetryService {
  const refusal = (caller: Caller, deviceId: string): PlatformError | undefined => {
    if (caller.authority === 'SYS_ADMIN') return refuse('permissionDenied');
    return state.devices.has(deviceId) ? undefined : refuse('notFound');
  };
  const seriesOf = (deviceId: string): Map<string, Point[]> => {
    const found = state.series.get(deviceId) ?? new Map<string, Point[]>();
    state.series.set(deviceId, found);
    return found;
  };
  const attributesOf = (deviceId: string): Attribute[] => {
    const found = state.attributes.get(deviceId) ?? [];
    state.attributes.set(deviceId, found);
    return found;
  };
  return {
    async keys(caller, deviceId) {
      return refusal(caller, deviceId) ?? success([...seriesOf(deviceId).keys()]);
    },
    async latest(caller, deviceId, keys) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const series = seriesOf(deviceId);
      const answer = new Map<string, Point | null>();
      for (const key of keys ?? series.keys()) answer.set(key, series.get(key)?.at(-1) ?? null);
      return success(answer);
    },
    async range(caller, deviceId, query) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const intervals = Math.trunc((query.endTs - query.startTs) / Math.max(query.intervalMs, 1000));
      const aggregating = query.aggregate !== null && query.intervalMs >= 1;
      if (query.endTs < query.startTs || (aggregating && intervals > 700)) {
        return refuse('badRequest', `Incorrect TsKvQuery. Number of intervals is too high - ${intervals}.`);
      }
      const answer = new Map<string, readonly Point[]>();
      for (const key of query.keys) {
        const all = (seriesOf(deviceId).get(key) ?? []).filter(({ ts }) => ts >= query.startTs && ts < query.endTs);
        const ordered = query.order === 'asc' ? all : [...all].reverse();
        const points = aggregating ? aggregate(all, query) : ordered.slice(0, query.limit);
        if (points.length > 0) answer.set(key, points);
      }
      return success(answer);
    },
    async save(caller, deviceId, points) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const series = seriesOf(deviceId);
      points.keys.forEach((key, i) => {
        const [ts, kind, value] = [points.ts[i], points.kinds[i], points.values[i]];
        if (ts === undefined || kind === undefined || value === undefined) return;
        const list = (series.get(key) ?? []).filter((point) => point.ts !== ts);
        list.push({ ts, kind, value });
        series.set(
          key,
          list.sort((a, b) => a.ts - b.ts),
        );
      });
      return success(null);
    },
    async remove(caller, deviceId, query) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const { startTs, endTs } = query.range ?? { startTs: Number.NEGATIVE_INFINITY, endTs: Number.POSITIVE_INFINITY };
      const series = seriesOf(deviceId);
      for (const key of query.keys) {
        const kept = (series.get(key) ?? []).filter(({ ts }) => ts < startTs || ts >= endTs);
        if (kept.length === 0) series.delete(key);
        else series.set(key, kept);
      }
      return success(null);
    },
    async attributes(caller, deviceId, scope, keys) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const found = attributesOf(deviceId).filter((attribute) => scope === null || attribute.scope === scope);
      return success(found.filter(({ key }) => keys === null || keys.includes(key)));
    },
    async saveAttributes(caller, deviceId, scope, values) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      const kept = attributesOf(deviceId).filter((old) => old.scope !== scope || !values.has(old.key));
      for (const [key, value] of values) kept.push({ ...value, scope, key, lastUpdateTs: state.now });
      state.attributes.set(deviceId, kept);
      return success(null);
    },
    async removeAttributes(caller, deviceId, scope, keys) {
      const refused = refusal(caller, deviceId);
      if (refused !== undefined) return refused;
      state.attributes.set(
        deviceId,
        attributesOf(deviceId).filter((old) => old.scope !== scope || !keys.includes(old.key)),
      );
      return success(null);
    },
    async statistics() {
      return { bytes: 0, points: 0, series: 0, oldest: null, state: 'ok' };
    },
  };
}
