import { describe, expect, it } from 'vitest';
import { matches } from './event-rule.ts';

type Operator = Parameters<typeof matches>[0]['operator'];

const check = (source: string, operator: Operator, threshold: string, value: string) =>
  matches({ source, operator, threshold }, value);

describe('event rules', () => {
  it.each<[Operator, boolean[]]>([
    ['<', [true, false, false]],
    ['>', [false, false, true]],
    ['<=', [true, true, false]],
    ['>=', [false, true, true]],
    ['=', [false, true, false]],
    ['!=', [true, false, true]],
  ])('compare numbers as source %s threshold', (operator, wanted) => {
    const found = [7, 8, 9].map((temp) => check('temp', operator, '8.0', `{"temp":${temp}}`));
    expect(found).toEqual(wanted.map((matched, index) => ({ matched, value: 7 + index })));
  });

  it('TS-45 data:value matches in an array of objects', () => {
    expect(check('data:value', '=', '10', '{"data":[{"value":10}]}')).toEqual({ matched: true, value: 10 });
    expect(check('data:value', '=', '10', '{"data":[{"value":9},{},[{"value":10}]]}')).toEqual({
      matched: true,
      value: 10,
    });
    expect(check('data:value', '=', '10', '{"data":[{"value":9},{"value":8}]}')).toEqual({ matched: false, value: 9 });
    expect(check('data:value', '=', '10', '{"data":{"value":[1,10]}}').matched).toBe(true);
  });

  it('compare as numbers what is written as one, and as text for equality alone otherwise', () => {
    expect(check('a', '=', '8', '{"a":"8.0"}').matched).toBe(true);
    expect(check('a', '>', '9', '{"a":"10"}').matched).toBe(true);
    expect(check('a', '=', 'open', '{"a":"open"}').matched).toBe(true);
    expect(check('a', '!=', 'open', '{"a":"shut"}').matched).toBe(true);
    expect(check('a', '=', 'true', '{"a":true}').matched).toBe(true);
    expect(check('a', '>', 'a', '{"a":"b"}').matched).toBe(false);
    expect(check('a', '<', '1', '{"a":""}').matched).toBe(false);
  });

  it.each(['{"b":1}', '{"a":null}', '{"a":{"b":1}}', '{"a":[]}', '[]', 'x', '{"__proto__":1}'])(
    'do not match what is missing: %s',
    (value) => {
      expect(check('a', '!=', '8', value)).toEqual({ matched: false, value: null });
      expect(check('toString', '!=', '8', value)).toEqual({ matched: false, value: null });
      expect(check('a:c', '!=', '8', value)).toEqual({ matched: false, value: null });
    },
  );
});
