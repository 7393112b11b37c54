import { type PointList, type Scalar, ValueKind } from '@moorage/core';

/** Members of `data` by name, without a prototype: `__proto__` is a name like any other. */
export type Reading = Record<string, unknown>;

/** What a value becomes in JSON. Integers beyond 2^53 are rounded as JavaScript does. sensoro.md, 4.5 */
export function jsonValue(kind: ValueKind, value: Scalar): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (kind !== ValueKind.Json) return value;
  try {
    return JSON.parse(String(value));
  } catch {
    return value;
  }
}

export function newReading(): Reading {
  return Object.create(null);
}

/** One reading for each time, the oldest first. `names`: other names for keys. sensoro.md, 4.5 */
export function readingsOf(
  points: PointList,
  names: ReadonlyMap<string, string>,
): readonly (readonly [createdTime: number, data: Reading])[] {
  const readings = new Map<number, Reading>();
  for (let index = 0; index < points.length; index++) {
    const { [index]: ts = 0 } = points.ts;
    const { [index]: key = '' } = points.keys;
    const { [index]: kind } = points.kinds;
    const { [index]: value } = points.values;
    if (kind === undefined || value === undefined) continue;
    let reading = readings.get(ts);
    if (reading === undefined) {
      reading = newReading();
      readings.set(ts, reading);
    }
    reading[names.get(key) ?? key] = jsonValue(kind, value);
  }
  return readings.size === 1 ? [...readings] : [...readings].sort(([a], [b]) => a - b);
}
