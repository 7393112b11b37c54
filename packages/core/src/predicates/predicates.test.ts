import { describe, expect, it } from 'vitest';
import type { Json } from '../model/entities.ts';
import { type Value, ValueKind } from '../values/value.ts';
import { valueFromJson } from '../values/value-from-json.ts';
import { predicateHolds } from './evaluate-predicate.ts';
import { MAX_PREDICATE_DEPTH, MAX_PREDICATES, parsePredicate, parseValueType } from './parse-predicate.ts';
import { dynamicValuesOf, type Predicate } from './predicate.ts';

const RULES = { dynamicSources: ['CURRENT_DEVICE'] };

const json = (type: string, operation: string, defaultValue: Json, more: object = {}): Json => ({
  type,
  operation,
  value: { defaultValue, userValue: null, dynamicValue: null },
  ...more,
});

function parsed(predicate: Json): Predicate {
  const result = parsePredicate(predicate, null, 'p', RULES);
  if (!result.ok) throw new TypeError(result.message);
  return result.value;
}

const refusal = (predicate: Json, valueType: Parameters<typeof parsePredicate>[1] = null): string => {
  const result = parsePredicate(predicate, valueType, 'p', RULES);
  return result.ok ? 'accepted' : result.message;
};

const holds = (predicate: Json, subject: Json): boolean =>
  predicateHolds(parsed(predicate), valueFromJson(subject, false));

describe('text predicates', () => {
  it.each([
    ['EQUAL', 'ab', 'ab', true],
    ['EQUAL', 'ab', 'Ab', false],
    ['NOT_EQUAL', 'ab', 'ac', true],
    ['STARTS_WITH', 'a', 'ab', true],
    ['STARTS_WITH', 'b', 'ab', false],
    ['ENDS_WITH', 'b', 'ab', true],
    ['CONTAINS', 'b', 'abc', true],
    ['NOT_CONTAINS', 'b', 'abc', false],
    ['IN', 'a, b ,c', 'b', true],
    ['IN', '"a,b",c', 'a,b', true],
    ['IN', "it's,b", "it's", true],
    ['IN', 'ab', 'a', false],
    ['NOT_IN', 'a,b', 'c', true],
    ['EQUAL', '22.5', 22.5, true],
    ['EQUAL', 'true', true, true],
    ['CONTAINS', '"k":1', { k: 1 }, true],
  ])('%s %j of %j: %j', (operation, operand, subject, expected) => {
    expect(holds(json('STRING', operation, operand), subject)).toBe(expected);
  });

  it('ignore the case where they are asked to', () => {
    for (const operation of ['EQUAL', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'IN']) {
      expect(holds(json('STRING', operation, 'ÄB', { ignoreCase: true }), 'äb')).toBe(true);
    }
  });
});

describe('numeric predicates', () => {
  it.each([
    ['EQUAL', [false, true, false]],
    ['NOT_EQUAL', [true, false, true]],
    ['GREATER', [false, false, true]],
    ['LESS', [true, false, false]],
    ['GREATER_OR_EQUAL', [false, true, true]],
    ['LESS_OR_EQUAL', [true, true, false]],
  ])('%s', (operation, expected) => {
    expect([4, 5, 6].map((subject) => holds(json('NUMERIC', operation, 5), subject))).toEqual(expected);
    expect(['4', ' 5 ', '6.0'].map((subject) => holds(json('NUMERIC', operation, 5), subject))).toEqual(expected);
  });

  it('compare numbers beyond the safe integers exactly', () => {
    const long: Value = { kind: ValueKind.Long, value: 9_007_199_254_740_993n };
    expect(predicateHolds(parsed(json('NUMERIC', 'GREATER', 9_007_199_254_740_992)), long)).toBe(true);
    expect(predicateHolds(parsed(json('NUMERIC', 'EQUAL', 9_007_199_254_740_992)), long)).toBe(false);
  });

  it('hold for nothing that is no number, whatever the operation', () => {
    for (const subject of ['x', '', 'NaN', 'Infinity', '1e999', '0x10', `1${'0'.repeat(100)}`, {}]) {
      expect(holds(json('NUMERIC', 'NOT_EQUAL', 5), subject)).toBe(false);
    }
  });
});

describe('Boolean predicates', () => {
  it('read numbers and texts as Booleans', () => {
    const isTrue = json('BOOLEAN', 'EQUAL', true);
    expect([true, 1, 0.5, 'TRUE'].map((subject) => holds(isTrue, subject))).toEqual([true, true, true, true]);
    expect([false, 0, -1, 'yes', {}].map((subject) => holds(isTrue, subject))).toEqual(Array(5).fill(false));
    expect(holds(json('BOOLEAN', 'NOT_EQUAL', true), false)).toBe(true);
  });
});

describe('predicates', () => {
  it('are joined by AND and OR', () => {
    const complex = (operation: string): Json => ({
      type: 'COMPLEX',
      operation,
      predicates: [
        json('NUMERIC', 'GREATER', 5),
        { type: 'COMPLEX', operation: 'OR', predicates: [json('NUMERIC', 'LESS', 9)] },
      ],
    });
    expect([4, 7, 10].map((subject) => holds(complex('AND'), subject))).toEqual([false, true, false]);
    expect([4, 7, 10].map((subject) => holds(complex('OR'), subject))).toEqual([true, true, true]);
  });

  it('do not hold without a value', () => {
    expect(predicateHolds(parsed(json('STRING', 'NOT_EQUAL', 'a')), null)).toBe(false);
  });

  it('take their operand from an attribute, else the default', () => {
    const dynamicValue = { sourceType: 'CURRENT_DEVICE', sourceAttribute: 'limit', inherit: false };
    const predicate = parsed({ type: 'NUMERIC', operation: 'GREATER', value: { defaultValue: 5, dynamicValue } });
    const limit = (value: Json) => () => valueFromJson(value, false);
    expect(dynamicValuesOf(predicate)).toEqual([{ sourceType: 'CURRENT_DEVICE', sourceAttribute: 'limit' }]);
    expect(predicateHolds(predicate, '7', limit(8))).toBe(false);
    expect(predicateHolds(predicate, '7', limit('6'))).toBe(true);
    expect(predicateHolds(predicate, '7', limit('none'))).toBe(true);
    const bare = parsed({ type: 'NUMERIC', operation: 'GREATER', value: { defaultValue: null, dynamicValue } });
    expect(predicateHolds(bare, '7', () => null)).toBe(false);
  });

  it('take the choices of a list from an attribute', () => {
    const dynamicValue = { sourceType: 'CURRENT_DEVICE', sourceAttribute: 'modes', inherit: false };
    const predicate = parsed({ type: 'STRING', operation: 'IN', value: { defaultValue: 'off', dynamicValue } });
    const modes = () => valueFromJson('on, "a,b"', false);
    expect(['on', 'a,b', 'off'].map((subject) => predicateHolds(predicate, subject, modes))).toEqual([
      true,
      true,
      false,
    ]);
    expect(['on', 'off'].map((subject) => predicateHolds(predicate, subject, () => null))).toEqual([false, true]);
  });

  it('prefer what the user has set', () => {
    expect(holds({ type: 'NUMERIC', operation: 'EQUAL', value: { defaultValue: 1, userValue: 2 } }, 2)).toBe(true);
  });

  it.each<[Json, string]>([
    [null, 'p must be an object'],
    [{ type: 'x' }, 'p.type must be one of STRING, NUMERIC, BOOLEAN, COMPLEX'],
    [
      json('NUMERIC', 'LIKE', 1),
      'p.operation must be one of EQUAL, NOT_EQUAL, GREATER, LESS, GREATER_OR_EQUAL, LESS_OR_EQUAL',
    ],
    [json('NUMERIC', 'EQUAL', 'x'), 'p.value.defaultValue must be a number'],
    [json('NUMERIC', 'EQUAL', null), 'p.value.defaultValue must be a number'],
    [json('BOOLEAN', 'EQUAL', 1), 'p.value.defaultValue must be Boolean'],
    [json('STRING', 'EQUAL', 'x'.repeat(10_001)), 'p.value.defaultValue must be a text of at most 10000 characters'],
    [json('STRING', 'EQUAL', 'x', { ignoreCase: 1 }), 'p.ignoreCase must be Boolean'],
    [{ type: 'STRING', operation: 'EQUAL' }, 'p.value must be an object'],
    [{ type: 'COMPLEX', operation: 'XOR', predicates: [] }, 'p.operation must be one of AND, OR'],
    [{ type: 'COMPLEX', operation: 'AND', predicates: [] }, 'p.predicates must be a list and not empty'],
    [
      { type: 'COMPLEX', operation: 'AND', predicates: [json('STRING', 'EQUAL', null)] },
      'p.predicates[0].value.defaultValue must be a text of at most 10000 characters',
    ],
  ])('are refused with the member at fault: %j', (predicate, message) => {
    expect(refusal(predicate)).toBe(`Validation error: ${message}`);
  });

  it('do not look at attributes of customers and tenants', () => {
    const from = (dynamicValue: Json) =>
      refusal({ type: 'NUMERIC', operation: 'EQUAL', value: { defaultValue: 1, dynamicValue } });
    const sourceAttribute = 'a';
    for (const sourceType of ['CURRENT_CUSTOMER', 'CURRENT_TENANT', null, 7]) {
      expect(from({ sourceType, sourceAttribute })).toBe(
        'Validation error: p.value.dynamicValue.sourceType must be CURRENT_DEVICE',
      );
    }
    expect(from({ sourceType: 'CURRENT_DEVICE', sourceAttribute: '' })).toMatch(/sourceAttribute must be the key/);
    expect(from({ sourceType: 'CURRENT_DEVICE', sourceAttribute, inherit: true })).toMatch(/inherit must be false/);
    expect(from({ sourceType: null, sourceAttribute: '' })).toBe('accepted');
  });

  it('fit the type of the value that they are about', () => {
    expect(refusal(json('NUMERIC', 'EQUAL', 1), 'DATE_TIME')).toBe('accepted');
    expect(refusal(json('NUMERIC', 'EQUAL', 1), 'STRING')).toBe(
      'Validation error: p.type does not fit the value type STRING',
    );
    expect(parseValueType('TIME', 'v')).toMatchObject({ ok: false });
  });

  it('are bounded in depth and in number', () => {
    let deep: Json = json('NUMERIC', 'EQUAL', 1);
    for (let level = 0; level < MAX_PREDICATE_DEPTH; level++)
      deep = { type: 'COMPLEX', operation: 'AND', predicates: [deep] };
    expect(refusal(deep)).toBe('accepted');
    expect(refusal({ type: 'COMPLEX', operation: 'AND', predicates: [deep] })).toMatch(/nested more than 8 deep/);
    const many = (count: number): Json => ({
      type: 'COMPLEX',
      operation: 'OR',
      predicates: Array(count).fill(json('NUMERIC', 'EQUAL', 1)),
    });
    expect(refusal(many(MAX_PREDICATES - 1))).toBe('accepted');
    expect(refusal(many(MAX_PREDICATES))).toMatch(/more than 100 predicates/);
  });
});
