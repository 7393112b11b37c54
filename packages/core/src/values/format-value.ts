import type { PointList } from './point-list.ts';
import { type Scalar, type Value, ValueKind } from './value.ts';

function formatScalar(kind: ValueKind, value: Scalar): string {
  switch (kind) {
    case ValueKind.Double: {
      const text = String(value);
      return /^-?\d+$/.test(text) ? `${text}.0` : text;
    }
    case ValueKind.String:
      return JSON.stringify(value);
    default:
      return String(value);
  }
}

/** Compact JSON text of a value. A Double keeps a point (`42.0`), so that it is read back as a Double. */
export function formatValue(value: Value): string {
  return formatScalar(value.kind, value.value);
}

/** JSON object text of values by key, in their order. */
export function formatValues(values: Iterable<readonly [key: string, value: Value]>): string {
  const members: string[] = [];
  for (const [key, value] of values) members.push(`${JSON.stringify(key)}:${formatValue(value)}`);
  return `{${members.join(',')}}`;
}

/** JSON object text of the points [from, to) of a list, without their times. */
export function formatPoints(points: PointList, from = 0, to: number = points.length): string {
  const members: string[] = [];
  for (let index = from; index < to; index++) {
    const kind = points.kinds[index];
    const value = points.values[index];
    if (kind === undefined || value === undefined) break;
    members.push(`${JSON.stringify(points.keys[index])}:${formatScalar(kind, value)}`);
  }
  return `{${members.join(',')}}`;
}
