import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { castNumericString, parseTimestamp, typeNumber } from './number-typing.ts';
import { PointList } from './point-list.ts';
import { ValueKind } from './value.ts';
import { ValueReader } from './value-reader.ts';

const { Long: L, Double: D, String: S } = ValueKind;

describe('typeNumber', () => {
  it.each([
    ['73', L, 73],
    ['-0', L, 0],
    ['1e5', L, 100_000],
    ['1E+2', L, 100],
    ['1.5e1', L, 15],
    ['1.50e1', L, 15],
    ['0e5', L, 0],
    ['0.0e-99999999', L, 0],
    ['42.0', D, 42],
    ['-0.0', D, 0],
    ['21.57', D, 21.57],
    ['1.5e-3', D, 0.0015],
    ['1234567890123456.5', D, 1_234_567_890_123_456.5],
    ['0.1234567890123456', D, 0.1234567890123456],
    ['9007199254740991', L, 9_007_199_254_740_991],
    ['9007199254740992', L, 9_007_199_254_740_992n],
    ['9223372036854775807', L, 9_223_372_036_854_775_807n],
    ['-9223372036854775808', L, -9_223_372_036_854_775_808n],
    ['9223372036854775808', S, '9223372036854775808'],
    ['-9223372036854775809', S, '-9223372036854775809'],
    ['1e30', S, '1000000000000000000000000000000'],
    ['0.12345678901234567', S, '0.12345678901234567'],
    ['1.00000000000000000', S, '1.00000000000000000'],
    ['1e-20', S, '0.00000000000000000001'],
    ['-12e-20', S, '-0.00000000000000000012'],
    ['0000123', L, 123],
    ['.5', D, 0.5],
  ])('types %s by the way it is written', (lexeme, kind, value) => {
    expect(typeNumber(lexeme, true)).toEqual({ kind, value });
  });

  it('keeps a double that has no finite value as text', () => {
    const text = `${'9'.repeat(400)}.5`;
    expect(typeNumber(text, true)).toEqual({ kind: S, value: text });
  });

  it('refuses what fits no kind while casting is off', () => {
    for (const lexeme of ['9223372036854775808', '0.12345678901234567', '1e30']) {
      expect(typeNumber(lexeme, false)).toBe('numberOutOfRange');
    }
  });

  it('refuses numbers beyond 512 characters, written or plain', () => {
    for (const lexeme of ['1'.repeat(513), '1e600', '1e-600', '1e99999999999999999999', '1e-99999999999999999999']) {
      expect(typeNumber(lexeme, true), lexeme).toBe('numberTooLong');
    }
  });
});

describe('castNumericString', () => {
  it.each([
    ['25', L, 25],
    ['25.0', D, 25],
    ['0123', L, 123],
    ['.5', D, 0.5],
    ['-.5', D, -0.5],
    ['-0', L, 0],
    ['12345678901234567890', S, '12345678901234567890'],
    ['00000000000000000000001', L, 1],
  ])('casts %s', (text, kind, value) => {
    expect(castNumericString(text)).toEqual({ kind, value });
  });

  it.each(['', '-', '.', '5.', '1e5', 'NaN', 'true', '+1', ' 1', '1 ', '1.2.3', '0x10', '1,5', '١', '9'.repeat(513)])(
    'leaves %j a string',
    (text) => {
      expect(castNumericString(text)).toBeUndefined();
    },
  );
});

describe('parseTimestamp', () => {
  it('takes decimal numbers within the calendar', () => {
    expect(parseTimestamp('1451649600512')).toBe(1_451_649_600_512);
    expect(parseTimestamp('-1.9')).toBe(-1);
    expect(parseTimestamp('8.64e15')).toBe(8.64e15);
    expect(Object.is(parseTimestamp('-0.2'), 0)).toBe(true);
  });

  it('refuses everything else', () => {
    for (const text of ['', ' 1', 'abc', 'Infinity', '1e', '8640000000000001', '1'.repeat(600)]) {
      expect(parseTimestamp(text), text).toBeUndefined();
    }
  });
});

describe('numbers in a message', () => {
  it('are computed exactly: every double written shortest is read back, and every long', () => {
    const reader = new ValueReader();
    const decoding = { text: (bytes: Uint8Array) => new TextDecoder().decode(bytes) };
    const options = { castStrings: true, tolerant: false, nulls: 'skipped', maximumValues: 10 } as const;
    const read = (lexeme: string) => {
      const points = new PointList();
      const payload = new TextEncoder().encode(`{"a":${lexeme}}`);
      expect(reader.readSeries(payload, decoding, options, points, 0)).toBeNull();
      return { kind: points.kinds[0], value: points.values[0] };
    };
    fc.assert(
      fc.property(
        fc.integer({ min: -999_999_999, max: 999_999_999 }),
        fc.integer({ min: 1, max: 15 }),
        (n, decimals) => {
          const lexeme = (n / 1000).toFixed(decimals);
          expect(read(lexeme)).toEqual({ kind: D, value: Number(lexeme) === 0 ? 0 : Number(lexeme) });
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (long) => {
        const value = read(String(long)).value;
        expect(BigInt(value as number | bigint)).toBe(long);
        expect(typeof value).toBe(Number.isSafeInteger(Number(long)) ? 'number' : 'bigint');
      }),
      { numRuns: 300 },
    );
  });
});
