import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NumericOperation, Predicate, TextOperation } from '../predicates/predicate.ts';
import { type Point, type Scalar, ValueKind } from '../values/value.ts';
import { NamePattern } from './name-pattern.ts';
import { compareSortValues, comparisons, meetsAll, sortValue } from './predicates.ts';

const KINDS = {
  boolean: ValueKind.Boolean,
  number: ValueKind.Double,
  bigint: ValueKind.Long,
  string: ValueKind.String,
};
const point = (value: Scalar): Point => ({ ts: 1, kind: KINDS[typeof value as keyof typeof KINDS], value });
const constant = <T>(value: T) => ({ constant: value, dynamic: null });
const text = (operation: TextOperation, value: string, ignoreCase = false): Predicate => ({
  type: 'STRING',
  operation,
  ignoreCase,
  operand: constant(value),
});
const list = (operation: 'IN' | 'NOT_IN', ...values: string[]): Predicate => ({
  type: 'STRING',
  operation,
  ignoreCase: false,
  operand: constant(values),
});
const number = (operation: NumericOperation, value: number): Predicate => ({
  type: 'NUMERIC',
  operation,
  operand: constant(value),
});
const meets = (predicate: Predicate, value: Point | null): boolean =>
  meetsAll([{ key: { type: 'ATTRIBUTE', key: 'a' }, predicate }], 'AND', () => value);

describe('predicates', () => {
  it.each([
    ['EQUAL', 'abc', true],
    ['EQUAL', 'ABC', false],
    ['NOT_EQUAL', 'ABC', true],
    ['STARTS_WITH', 'ab', true],
    ['ENDS_WITH', 'bc', true],
    ['ENDS_WITH', 'ab', false],
    ['CONTAINS', 'b', true],
    ['NOT_CONTAINS', 'b', false],
  ] as const)('STRING %s %j of abc is %s', (operation, value, expected) => {
    expect(meets(text(operation, value), point('abc'))).toBe(expected);
  });

  it('IN and NOT_IN look at each of their choices', () => {
    expect(meets(list('IN', 'x', 'abc'), point('abc'))).toBe(true);
    expect(meets(list('NOT_IN', 'x', 'abc'), point('abc'))).toBe(false);
    expect([list('IN'), list('NOT_IN')].map((predicate) => meets(predicate, point('abc')))).toEqual([false, true]);
  });

  it.each([
    ['EQUAL', 5, true],
    ['NOT_EQUAL', 5, false],
    ['GREATER', 5, false],
    ['GREATER_OR_EQUAL', 5, true],
    ['LESS', 6, true],
    ['LESS_OR_EQUAL', 4, false],
  ] as const)('NUMERIC %s %d of 5 is %s', (operation, value, expected) => {
    expect(meets(number(operation, value), point(5))).toBe(expected);
    expect(meets(number(operation, value), point(5n))).toBe(expected);
  });

  it('ignore case where asked to, and compare numbers as their text', () => {
    expect(meets(text('CONTAINS', 'BC', true), point('aBcd'))).toBe(true);
    expect(meets(text('CONTAINS', 'BC'), point('aBcd'))).toBe(false);
    expect(meets(text('EQUAL', '42.0'), point(42))).toBe(true);
  });

  it('are not met by a value that is missing', () => {
    const isNot: Predicate = { type: 'BOOLEAN', operation: 'NOT_EQUAL', operand: constant(true) };
    for (const predicate of [text('NOT_EQUAL', 'x'), list('NOT_IN', 'x'), number('NOT_EQUAL', 1), isNot]) {
      expect(meets(predicate, null)).toBe(false);
    }
  });

  it('read texts, numbers and Booleans as those of alarm rules do', () => {
    expect(meets(number('LESS', 10), point('5'))).toBe(true);
    expect(meets(number('EQUAL', 1), point(true))).toBe(true);
    expect(meets(number('NOT_EQUAL', 1), point('x'))).toBe(false);
    const isTrue: Predicate = { type: 'BOOLEAN', operation: 'EQUAL', operand: constant(true) };
    const values = [true, 'TRUE', 1, 2n, false, 'yes', 0].map(point);
    expect(values.map((value) => meets(isTrue, value))).toEqual([true, true, true, true, false, false, false]);
    const json: Point = { ts: 1, kind: ValueKind.Json, value: '{}' };
    for (const operation of ['EQUAL', 'NOT_EQUAL'] as const) expect(meets({ ...isTrue, operation }, json)).toBe(false);
    expect(meets({ ...isTrue, operation: 'NOT_EQUAL' }, point(false))).toBe(true);
  });

  it('compare integers beyond the safe ones exactly', () => {
    expect(meets(number('EQUAL', 9_007_199_254_740_992), point(9_007_199_254_740_993n))).toBe(false);
  });

  it('are counted with each choice of a list', () => {
    const one = text('EQUAL', 'a'.repeat(100));
    expect([one, list('IN'), list('IN', 'a', 'b', 'c')].map(comparisons)).toEqual([1, 1, 3]);
    expect(comparisons({ type: 'COMPLEX', operation: 'OR', predicates: [one, list('IN', 'a', 'b')] })).toBe(4);
  });

  it('are joined by AND and OR at any depth', () => {
    const between: Predicate = {
      type: 'COMPLEX',
      operation: 'AND',
      predicates: [
        number('GREATER', 1),
        { type: 'COMPLEX', operation: 'OR', predicates: [number('LESS', 5), number('EQUAL', 9)] },
      ],
    };
    expect([0, 3, 7, 9].map((value) => meets(between, point(value)))).toEqual([false, true, false, true]);
  });
});

describe('sorting by values', () => {
  it('has numbers by size, then texts by lower case, missing ones last in both directions', () => {
    const values = [point('b'), null, point(10), point('A'), point(2), point(false)];
    const order = (descending: boolean) => values.map(sortValue).sort((a, b) => compareSortValues(a, b, descending));
    expect(order(false)).toEqual([0, 2, 10, 'a', 'b', null]);
    expect(order(true)).toEqual(['b', 'a', 10, 2, 0, null]);
  });
});

describe('NamePattern', () => {
  it.each([
    ['Met', 'meter 1', true],
    ['ter', 'Meter 1', false],
    ['%TER', 'meter', true],
    ['%ter', 'meter 1', false],
    ['%ter%', 'Meter 1', true],
    ['m%1%', 'Meter 1', true],
    ['%a%a', 'a', false],
    ['_eter', 'Meter', false],
    ['%', 'anything', true],
  ] as const)('%j and %j: %s', (pattern, name, expected) => {
    expect(new NamePattern(pattern).matches(name)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '%'), maxLength: 6 });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, name) => {
        const whole = pattern.startsWith('%') || pattern.endsWith('%');
        const expression = new RegExp(`^${pattern.replaceAll('%', '.*')}${whole ? '' : '.*'}$`);
        expect(new NamePattern(pattern).matches(name)).toBe(expression.test(name));
        if (expression.test(name)) expect(name).toContain(new NamePattern(pattern).literal);
      }),
    );
  });
});
