import { describe, expect, it } from 'vitest';
import type { AggregateFunction, Bucket } from '../ports/telemetry-store.ts';
import { ValueKind } from '../values/value.ts';
import { aggregatePoint, aggregateValue } from './aggregate.ts';

const EMPTY: Bucket = {
  from: 0,
  counts: [0, 0, 0, 0, 0, 0],
  sum: 0,
  longSum: undefined,
  min: undefined,
  max: undefined,
  minText: undefined,
  maxText: undefined,
};
const ONE_AND_TWO: Bucket = { ...EMPTY, counts: [0, 0, 2, 0, 0, 0], sum: 3, longSum: 3n, min: 1, max: 2 };

function all(bucket: Bucket): Record<string, unknown> {
  const functions: AggregateFunction[] = ['min', 'max', 'avg', 'sum', 'count'];
  return Object.fromEntries(functions.map((name) => [name, aggregateValue(bucket, name)]));
}

describe('functions over a bucket', () => {
  it('TBS-51 TBS-55 gives integers for integers, but always a Double for AVG', () => {
    expect(all(ONE_AND_TWO)).toEqual({
      min: { kind: ValueKind.Long, value: 1 },
      max: { kind: ValueKind.Long, value: 2 },
      avg: { kind: ValueKind.Double, value: 1.5 },
      sum: { kind: ValueKind.Long, value: 3 },
      count: { kind: ValueKind.Long, value: 2 },
    });
  });

  it('TBS-51 gives Doubles as soon as one number is a Double', () => {
    const bucket: Bucket = { ...EMPTY, counts: [0, 0, 1, 1, 0, 0], sum: 3.5, min: 1, max: 2.5 };
    expect(all(bucket)).toEqual({
      min: { kind: ValueKind.Double, value: 1 },
      max: { kind: ValueKind.Double, value: 2.5 },
      avg: { kind: ValueKind.Double, value: 1.75 },
      sum: { kind: ValueKind.Double, value: 3.5 },
      count: { kind: ValueKind.Long, value: 2 },
    });
  });

  it('sums integers exactly beyond the safe integers, and as a Double beyond 64 bits', () => {
    const sum = (longSum: bigint) => aggregateValue({ ...ONE_AND_TWO, sum: Number(longSum), longSum }, 'sum');
    expect(sum(9_007_199_254_740_993n)).toEqual({ kind: ValueKind.Long, value: 9_007_199_254_740_993n });
    expect(sum(2n ** 63n - 1n)).toEqual({ kind: ValueKind.Long, value: 2n ** 63n - 1n });
    expect(sum(2n ** 63n)).toEqual({ kind: ValueKind.Double, value: 2 ** 63 });
    expect(sum(-(2n ** 53n) + 1n)).toEqual({ kind: ValueKind.Long, value: -(2 ** 53) + 1 });
  });

  it('keeps large extremes exact', () => {
    const bucket = { ...ONE_AND_TWO, min: -(2n ** 60n), max: 7n };
    expect(aggregateValue(bucket, 'min')).toEqual({ kind: ValueKind.Long, value: -(2n ** 60n) });
    expect(aggregateValue(bucket, 'max')).toEqual({ kind: ValueKind.Long, value: 7 });
  });

  it('compares text where there is no number, and has nothing else to say about it', () => {
    const bucket: Bucket = { ...EMPTY, counts: [0, 0, 0, 0, 2, 0], minText: 'a', maxText: 'b' };
    expect(all(bucket)).toEqual({
      min: { kind: ValueKind.String, value: 'a' },
      max: { kind: ValueKind.String, value: 'b' },
      avg: undefined,
      sum: undefined,
      count: { kind: ValueKind.Long, value: 2 },
    });
    const json: Bucket = { ...EMPTY, counts: [0, 0, 0, 0, 0, 1], minText: '{}', maxText: '{}' };
    expect(aggregateValue(json, 'min')).toEqual({ kind: ValueKind.Json, value: '{}' });
  });

  it('lets numbers win over text', () => {
    const bucket: Bucket = { ...ONE_AND_TWO, counts: [0, 0, 2, 0, 3, 0], minText: 'a', maxText: 'b' };
    expect(aggregateValue(bucket, 'max')).toEqual({ kind: ValueKind.Long, value: 2 });
  });

  it.each([
    [[0, 1, 2, 3, 4, 5], 1],
    [[0, 0, 2, 3, 4, 5], 4],
    [[0, 0, 2, 3, 0, 5], 5],
    [[0, 0, 2, 3, 0, 0], 5],
  ] as const)('counts the points of the first kind there is: bool, text, JSON, numbers (%j)', (counts, expected) => {
    expect(aggregateValue({ ...EMPTY, counts }, 'count')).toEqual({ kind: ValueKind.Long, value: expected });
  });

  it('has no value for a sum that left the finite numbers', () => {
    const bucket: Bucket = { ...EMPTY, counts: [0, 0, 0, 2, 0, 0], sum: Number.POSITIVE_INFINITY, min: 1, max: 1 };
    expect(aggregateValue(bucket, 'sum')).toBeUndefined();
    expect(aggregateValue(bucket, 'avg')).toBeUndefined();
  });
});

describe('time of a bucket', () => {
  it('TBS-51 is its middle, rounded down', () => {
    expect(aggregatePoint({ ...ONE_AND_TWO, from: 1000 }, 'sum', 1000, 9000)?.ts).toBe(1500);
    expect(aggregatePoint({ ...ONE_AND_TWO, from: 1000 }, 'sum', 5, 9000)?.ts).toBe(1002);
    expect(aggregatePoint({ ...ONE_AND_TWO, from: -5 }, 'sum', 5, 9000)?.ts).toBe(-3);
  });

  it('TBS-54 is the middle of the part before endTs in the last bucket', () => {
    expect(aggregatePoint({ ...ONE_AND_TWO, from: 2000 }, 'sum', 1000, 2500)?.ts).toBe(2250);
  });
});
