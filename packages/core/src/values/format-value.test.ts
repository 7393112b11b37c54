import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPoints, formatValue, formatValues } from './format-value.ts';
import { PointList } from './point-list.ts';
import { type Value, ValueKind } from './value.ts';
import { valueFromJson } from './value-from-json.ts';
import { ValueReader } from './value-reader.ts';

const { Boolean: B, Long: L, Double: D, String: S, Json: J } = ValueKind;

describe('formatValue', () => {
  it.each<[Value, string]>([
    [{ kind: B, value: true }, 'true'],
    [{ kind: L, value: 42 }, '42'],
    [{ kind: L, value: 9_223_372_036_854_775_807n }, '9223372036854775807'],
    [{ kind: D, value: 42 }, '42.0'],
    [{ kind: D, value: 1.5 }, '1.5'],
    [{ kind: D, value: 1e-7 }, '1e-7'],
    [{ kind: S, value: 'a"b' }, '"a\\"b"'],
    [{ kind: J, value: '{"a":1.0}' }, '{"a":1.0}'],
  ])('writes %o', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('is read back as the same value', () => {
    const reader = new ValueReader();
    const decoding = { text: (bytes: Uint8Array) => new TextDecoder().decode(bytes) };
    const options = { castStrings: false, tolerant: false, nulls: 'skipped', maximumValues: 10 } as const;
    const value = fc.oneof(
      fc.boolean().map((value): Value => ({ kind: B, value })),
      fc.maxSafeInteger().map((value): Value => ({ kind: L, value })),
      fc.integer().map((n): Value => ({ kind: D, value: n / 64 })),
      fc.string().map((value): Value => ({ kind: S, value })),
      fc
        .json()
        .filter((text) => /^[[{]/.test(text))
        .map((value): Value => ({ kind: J, value })),
    );
    fc.assert(
      fc.property(value, (one) => {
        const points = new PointList();
        const payload = new TextEncoder().encode(formatValues([['k', one]]));
        expect(reader.readObject(payload, decoding, options, points, 0)).toBeNull();
        expect({ kind: points.kinds[0], value: points.values[0] }).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });
});

describe('formatPoints', () => {
  it('writes a part of a list as an object', () => {
    const points = new PointList();
    points.add(1, 'a', L, 1);
    points.add(1, 'b"', S, 'x');
    points.add(1, 'c', B, false);
    expect(formatPoints(points)).toBe('{"a":1,"b\\"":"x","c":false}');
    expect(formatPoints(points, 1, 2)).toBe('{"b\\"":"x"}');
  });
});

describe('valueFromJson', () => {
  it('types parsed JSON', () => {
    expect(valueFromJson(null, true)).toBeNull();
    expect(valueFromJson(true, true)).toEqual({ kind: B, value: true });
    expect(valueFromJson(5, true)).toEqual({ kind: L, value: 5 });
    expect(valueFromJson(2 ** 60, true)).toEqual({ kind: L, value: 2n ** 60n });
    expect(valueFromJson(5.5, true)).toEqual({ kind: D, value: 5.5 });
    expect(valueFromJson(1e300, true)).toEqual({ kind: D, value: 1e300 });
    expect(valueFromJson('5', true)).toEqual({ kind: L, value: 5 });
    expect(valueFromJson('5', false)).toEqual({ kind: S, value: '5' });
    expect(valueFromJson({ a: [1] }, true)).toEqual({ kind: J, value: '{"a":[1]}' });
  });
});
