import type { Point, PointBatch, Scalar, SeriesId } from '@moorage/core';
import { ValueKind } from '@moorage/core';

/** A point with the series it belongs to. */
export interface SeriesPoint extends Point {
  readonly series: SeriesId;
}

/** Makes the columns of a batch from points. Values that no column can hold become NaN. */
export function batchOf(points: readonly SeriesPoint[]): PointBatch {
  const count = points.length;
  const other: { index: number; value: string | bigint }[] = [];
  const num = new Float64Array(count);
  for (const [index, { value }] of points.entries()) {
    if (typeof value === 'string' || typeof value === 'bigint') other.push({ index, value });
    else num[index] = Number(value);
  }
  return {
    count,
    series: Int32Array.from(points, (point) => point.series),
    ts: Float64Array.from(points, (point) => point.ts),
    kind: Uint8Array.from(points, (point) => point.kind),
    num,
    other,
  };
}

/** A seeded generator of random numbers in [0, 1), the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A random value of any kind, with the awkward ones often enough. */
export function randomValue(random: () => number): { kind: ValueKind; value: Scalar } {
  const pick = Math.floor(random() * 14);
  if (pick < 3) return { kind: ValueKind.Double, value: Math.round(random() * 10_000) / 100 };
  if (pick < 6) return { kind: ValueKind.Long, value: Math.floor(random() * 1000) - 500 };
  if (pick < 8) return { kind: ValueKind.Boolean, value: random() < 0.5 };
  if (pick < 10) return { kind: ValueKind.String, value: TEXTS[Math.floor(random() * TEXTS.length)] ?? '' };
  if (pick < 11) return { kind: ValueKind.Json, value: `{"a":${Math.floor(random() * 100)}}` };
  if (pick < 12) return { kind: ValueKind.Double, value: (random() - 0.5) * 10 ** Math.floor(random() * 300) };
  if (pick < 13) return { kind: ValueKind.Double, value: DOUBLES[Math.floor(random() * DOUBLES.length)] ?? 0 };
  return { kind: ValueKind.Long, value: LONGS[Math.floor(random() * LONGS.length)] ?? 0 };
}

const TEXTS = ['', 'on', 'off', 'a\u0000b', '\ud800', 'träge', '\u{1f600}', 'x'.repeat(300)];
const DOUBLES = [-0, 0, 0.1, 5e-324, 1.7976931348623157e308, -1.5e-7, 21.299999237060547];
const LONGS = [9007199254740993n, -9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n), Number.MAX_SAFE_INTEGER];
