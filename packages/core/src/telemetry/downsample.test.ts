import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, ValueKind } from '../values/value.ts';
import { downsample } from './downsample.ts';

const doubles = (values: readonly number[]): Point[] =>
  values.map((value, index) => ({ ts: 1_700_000_000_000 + index * 1000, kind: ValueKind.Double, value }));

describe('downsample', () => {
  it('gives fewer points as they are', () => {
    const points = doubles([1, 2, 3]);
    expect(downsample(points, 3)).toBe(points);
    expect(downsample([], 10)).toEqual([]);
  });

  it('keeps the one peak of a flat line', () => {
    const values = new Array<number>(10_000).fill(1);
    values[4321] = 50;
    const shown = downsample(doubles(values), 100);
    expect(shown).toHaveLength(100);
    expect(shown.some(({ value }) => value === 50)).toBe(true);
  });

  it('chooses the point of the largest triangle in each bucket', () => {
    // Worked by hand: between 0 at the start and 0 at the end, 9 and -9 are farthest from the line.
    const shown = downsample(doubles([0, 1, 9, 2, -1, -9, -2, 0]), 4);
    expect(shown.map(({ value }) => value)).toEqual([0, 9, -9, 0]);
  });

  it('gives exactly so many points, in order, with both ends, all of them real', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 4, maxLength: 400 });
    fc.assert(
      fc.property(values, fc.integer({ min: 3, max: 50 }), fc.boolean(), (heights, wanted, newestFirst) => {
        const points = doubles(heights);
        if (newestFirst) points.reverse();
        const shown = downsample(points, wanted);
        expect(shown).toHaveLength(Math.min(points.length, wanted));
        expect([shown[0], shown.at(-1)]).toEqual([points[0], points.at(-1)]);
        const places = shown.map((point) => points.indexOf(point));
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
      }),
    );
  });

  it('draws booleans and large integers, and thins texts evenly', () => {
    const flags = doubles(new Array(100).fill(0)).map(
      (point, index): Point => ({ ...point, kind: ValueKind.Boolean, value: index === 50 }),
    );
    expect(downsample(flags, 10).some(({ value }) => value === true)).toBe(true);
    const longs = flags.map((point, index): Point => ({ ...point, kind: ValueKind.Long, value: BigInt(index) ** 12n }));
    expect(downsample(longs, 10)).toHaveLength(10);
    const texts = flags.map((point, index): Point => ({ ...point, kind: ValueKind.String, value: String(index) }));
    expect(downsample(texts, 4).map(({ value }) => value)).toEqual(['0', '33', '66', '99']);
  });
});
