import type { AggregateFunction, Bucket } from '../ports/telemetry-store.ts';
import { type Point, type Scalar, type Value, ValueKind } from '../values/value.ts';

/** The point of a bucket, in the middle of its time; undefined where the function has nothing to work on. */
export function aggregatePoint(
  bucket: Bucket,
  aggregate: AggregateFunction,
  intervalMs: number,
  endTs: number,
): Point | undefined {
  const value = aggregateValue(bucket, aggregate);
  if (value === undefined) return undefined;
  const end = Math.min(bucket.from + intervalMs, endTs);
  return { ts: bucket.from + Math.trunc((end - bucket.from) / 2), kind: value.kind, value: value.value };
}

/**
 * One function over one bucket. thingsboard-server.md, 3.2: AVG is always a Double; SUM, MIN and MAX are a Long if every
 * number is one; MIN and MAX compare text where there is no number; COUNT counts the first kind there is.
 */
export function aggregateValue(bucket: Bucket, aggregate: AggregateFunction): Value | undefined {
  const { counts } = bucket;
  const numbers = counts[ValueKind.Long] + counts[ValueKind.Double];
  const onlyLongs = counts[ValueKind.Double] === 0;
  switch (aggregate) {
    case 'count': {
      const counted = counts[ValueKind.Boolean] || counts[ValueKind.String] || counts[ValueKind.Json] || numbers;
      return counted > 0 ? { kind: ValueKind.Long, value: counted } : undefined;
    }
    case 'avg':
      if (numbers === 0) return undefined;
      return double(average(bucket, numbers));
    case 'sum':
      if (numbers === 0) return undefined;
      // Beyond 64 bits there is no Long: the nearest Double.
      if (onlyLongs && bucket.longSum !== undefined && BigInt.asIntN(64, bucket.longSum) === bucket.longSum)
        return { kind: ValueKind.Long, value: compact(bucket.longSum) };
      return double(bucket.longSum === undefined ? bucket.sum : Number(bucket.longSum));
    case 'min':
      return extreme(bucket, bucket.min, bucket.minText);
    case 'max':
      return extreme(bucket, bucket.max, bucket.maxText);
  }
}

function average(bucket: Bucket, numbers: number): number {
  const sum = bucket.longSum === undefined ? bucket.sum : Number(bucket.longSum);
  return sum / numbers;
}

function extreme(bucket: Bucket, number: number | bigint | undefined, text: string | undefined): Value | undefined {
  if (number !== undefined) {
    if (bucket.counts[ValueKind.Double] > 0) return double(Number(number));
    return { kind: ValueKind.Long, value: compact(number) };
  }
  if (text === undefined) return undefined;
  return { kind: bucket.counts[ValueKind.String] > 0 ? ValueKind.String : ValueKind.Json, value: text };
}

/** Sums of Doubles may leave the range of finite numbers: there is no value then. */
function double(value: number): Value | undefined {
  return Number.isFinite(value) ? { kind: ValueKind.Double, value } : undefined;
}

/** A Long is a `number` where that is exact. */
function compact(value: number | bigint): Scalar {
  if (typeof value === 'number') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
