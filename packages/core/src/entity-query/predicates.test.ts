import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, type Scalar, ValueKind } from '../values/value.ts';
import { NamePattern } from './name-pattern.ts';
import { compareSortValues, meets, sortValue } from './predicates.ts';
import type { NumberOperation, TextOperation, ValuePredicate } from './query.ts';

const KINDS = {
  boolean: ValueKind.Boolean,
  number: ValueKind.Double,
  bigint: ValueKind.Long,
  string: ValueKind.String,
};
const point = (value: Scalar): Point => ({ ts: 1, kind: KINDS[typeof value as keyof typeof KINDS], value });
const text = (operation: TextOperation, ...values: string[]): ValuePredicate => ({
  type: 'STRING',
  operation,
  values,
  ignoreCase: false,
});
const number = (operation: NumberOperation, value: number): ValuePredicate => ({ type: 'NUMERIC', operation, value });

describe('predicates', () => {
  it.each([
    ['EQUAL', ['abc'], true],
    ['EQUAL', ['ABC'], false],
    ['NOT_EQUAL', ['ABC'], true],
    ['STARTS_WITH', ['ab'], true],
    ['ENDS_WITH', ['bc'], true],
    ['ENDS_WITH', ['ab'], false],
    ['CONTAINS', ['b'], true],
    ['NOT_CONTAINS', ['b'], false],
    ['IN', ['x', 'abc'], true],
    ['NOT_IN', ['x', 'abc'], false],
  ] as const)('STRING %s %j of abc is %s', (operation, values, expected) => {
    expect(meets(text(operation, ...values), point('abc'))).toBe(expected);
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
    expect(meets({ type: 'STRING', operation: 'CONTAINS', values: ['BC'], ignoreCase: true }, point('aBcd'))).toBe(
      true,
    );
    expect(meets(text('EQUAL', '42.0'), point(42))).toBe(true);
  });

  it('are not met by a value that is missing or of another type', () => {
    for (const predicate of [text('NOT_EQUAL', 'x'), number('NOT_EQUAL', 1)])
      expect(meets(predicate, null)).toBe(false);
    expect(meets(number('LESS', 10), point('5'))).toBe(false);
    const isTrue: ValuePredicate = { type: 'BOOLEAN', operation: 'EQUAL', value: true };
    expect([point(true), point(false), point('true')].map((value) => meets(isTrue, value))).toEqual([
      true,
      false,
      false,
    ]);
    expect(meets({ ...isTrue, operation: 'NOT_EQUAL' }, point(false))).toBe(true);
  });

  it('are joined by AND and OR at any depth', () => {
    const between: ValuePredicate = {
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
