import { type Bucket, type Point, ValueKind } from '@moorage/core';

/** Buckets of points by rising time, worked out the plain way. */
export function bucketsOf(points: readonly Point[], from: number, intervalMs: number): Bucket[] {
  const groups = new Map<number, Point[]>();
  for (const point of points) {
    const start = from + Math.floor((point.ts - from) / intervalMs) * intervalMs;
    const group = groups.get(start);
    if (group === undefined) groups.set(start, [point]);
    else group.push(point);
  }
  return [...groups].map(([start, members]) => bucketOf(start, members));
}

function bucketOf(from: number, points: readonly Point[]): Bucket {
  const counts: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];
  let sum = 0;
  let longSum: bigint | undefined = 0n;
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  let minText: string | undefined;
  let maxText: string | undefined;
  for (const { kind, value } of points) {
    counts[kind]++;
    if (kind === ValueKind.Long || kind === ValueKind.Double) {
      if (typeof value !== 'number' && typeof value !== 'bigint') continue;
      sum += Number(value);
      if (kind === ValueKind.Double) longSum = undefined;
      else if (longSum !== undefined) longSum += BigInt(value);
      if (min === undefined || value < min) min = value;
      if (max === undefined || value > max) max = value;
    } else if (typeof value === 'string') {
      if (minText === undefined || value < minText) minText = value;
      if (maxText === undefined || value > maxText) maxText = value;
    }
  }
  if (counts[ValueKind.Long] === 0) longSum = undefined;
  if (longSum !== undefined) sum = Number(longSum);
  return { from, counts, sum, longSum, min, max, minText, maxText };
}
