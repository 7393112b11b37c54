import { describe, expect, it } from 'vitest';
import { ValueKind } from '../values/value.ts';
import { cellValue } from './cell-value.ts';

describe('the value of a cell', () => {
  it.each([
    ['12', ValueKind.Long, 12],
    ['-7', ValueKind.Long, -7],
    ['9223372036854775807', ValueKind.Long, 9_223_372_036_854_775_807n],
    ['1.50', ValueKind.Double, 1.5],
    ['true', ValueKind.Boolean, true],
    ['FALSE', ValueKind.Boolean, false],
    ['{"a": [1, 12345678901234567890, "x y"] }', ValueKind.Json, '{"a":[1,12345678901234567890,"x y"]}'],
    [' [1,\n2] ', ValueKind.Json, '[1,2]'],
    ['["a\\" b"]', ValueKind.Json, '["a\\" b"]'],
    ['[1 2]', ValueKind.String, '[1 2]'],
    ['{"a":', ValueKind.String, '{"a":'],
    ['["a', ValueKind.String, '["a'],
    ['"quoted"', ValueKind.String, '"quoted"'],
    ['1e5', ValueKind.String, '1e5'],
    ['null', ValueKind.String, 'null'],
    [' 12', ValueKind.String, ' 12'],
    ['2nd floor', ValueKind.String, '2nd floor'],
  ])('%j is what it reads as', (cell, kind, value) => {
    expect(cellValue(cell)).toEqual({ kind, value });
  });

  it('is text when its JSON is nested too deep', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(cellValue(nested(32)).kind).toBe(ValueKind.Json);
    expect(cellValue(nested(33)).kind).toBe(ValueKind.String);
    expect(cellValue(nested(1_000_000)).kind).toBe(ValueKind.String);
  });
});
