import { type Point, ValueKind } from '../values/value.ts';

/** Fewest points that a picture of a series has: its ends and one between. */
export const MIN_SHOWN_POINTS = 3;

/**
 * At most `maxPoints` (at least 3) of the points that look like all of them when drawn: largest triangle three buckets
 * (Steinarsson 2013). First and last point stay. Points must be in the order of their times, either way. Series with
 * texts in them are thinned evenly, since a text has no height.
 */
export function downsample(points: readonly Point[], maxPoints: number): readonly Point[] {
  const count = points.length;
  const wanted = Math.max(MIN_SHOWN_POINTS, Math.trunc(maxPoints));
  if (count <= wanted) return points;
  const heights = heightsOf(points);
  return pick(points, heights === null ? evenly(count, wanted) : largestTriangles(points, heights, wanted));
}

function heightsOf(points: readonly Point[]): Float64Array | null {
  const heights = new Float64Array(points.length);
  for (let index = 0; index < points.length; index++) {
    const point = points[index];
    if (point === undefined || point.kind === ValueKind.String || point.kind === ValueKind.Json) return null;
    heights[index] = Number(point.value);
  }
  return heights;
}

function evenly(count: number, wanted: number): Int32Array {
  const chosen = new Int32Array(wanted);
  for (let index = 0; index < wanted; index++) chosen[index] = Math.round((index * (count - 1)) / (wanted - 1));
  return chosen;
}

function largestTriangles(points: readonly Point[], heights: Float64Array, wanted: number): Int32Array {
  const count = points.length;
  const timeAt = (index: number): number => points[index]?.ts ?? 0;
  const chosen = new Int32Array(wanted);
  /** The inner points in `wanted - 2` buckets; the ends stand alone. */
  const bucketStart = (bucket: number): number => 1 + Math.floor((bucket * (count - 2)) / (wanted - 2));
  let last = 0;
  for (let bucket = 0; bucket < wanted - 2; bucket++) {
    const from = bucketStart(bucket);
    const to = bucketStart(bucket + 1);
    const nextTo = bucket === wanted - 3 ? count : bucketStart(bucket + 2);
    let meanTime = 0;
    let meanHeight = 0;
    for (let index = to; index < nextTo; index++) {
      meanTime += timeAt(index) - timeAt(to);
      meanHeight += heights[index] ?? 0;
    }
    meanTime = timeAt(to) + meanTime / (nextTo - to);
    meanHeight /= nextTo - to;
    const lastTime = timeAt(last);
    const lastHeight = heights[last] ?? 0;
    let best = from;
    let bestArea = -1;
    for (let index = from; index < to; index++) {
      const area = Math.abs(
        (lastTime - meanTime) * ((heights[index] ?? 0) - lastHeight) -
          (lastTime - timeAt(index)) * (meanHeight - lastHeight),
      );
      if (area > bestArea) {
        bestArea = area;
        best = index;
      }
    }
    chosen[bucket + 1] = best;
    last = best;
  }
  chosen[wanted - 1] = count - 1;
  return chosen;
}

function pick(points: readonly Point[], chosen: Int32Array): Point[] {
  const picked: Point[] = [];
  for (const index of chosen) {
    const point = points[index];
    if (point !== undefined) picked.push(point);
  }
  return picked;
}
