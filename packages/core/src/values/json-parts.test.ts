import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isList, isObject, parseJson } from './json.ts';
import { endOfString, jsonParts, jsonString } from './json-parts.ts';

describe('parts of JSON', () => {
  it.each([
    ['[]', []],
    ['{}', []],
    ['[1]', ['1']],
    ['[1.0,-2e3,"a,b"]', ['1.0', '-2e3', '"a,b"']],
    ['[[1,2],{"a":[3,4]},"]"]', ['[1,2]', '{"a":[3,4]}', '"]"']],
    ['{"a":1,"b":{"c":2},"a":"}"}', ['"a":1', '"b":{"c":2}', '"a":"}"']],
    [String.raw`["\"","\\","a\\\",b"]`, [String.raw`"\""`, String.raw`"\\"`, String.raw`"a\\\",b"`]],
  ])('%s has %j', (text, parts) => {
    expect(jsonParts(text, 10)).toEqual(parts);
  });

  it('are those that the text was made of', () => {
    fc.assert(
      fc.property(fc.array(fc.json(), { maxLength: 8 }), (values) => {
        const texts = values.map((value) => JSON.stringify(JSON.parse(value)));
        expect(jsonParts(`[${texts.join(',')}]`, 8)).toEqual(texts);
      }),
    );
  });

  it('are bounded, and an end is needed', () => {
    expect(jsonParts('[1,2,3]', 3)).toEqual(['1', '2', '3']);
    expect(jsonParts('[1,2,3]', 2)).toBeUndefined();
    expect(jsonParts('[1]', 0)).toBeUndefined();
    for (const text of ['', '[', '[1,2', '["]', '[{]']) expect(jsonParts(text, 10), text).toBeUndefined();
  });

  it('end a string at its own quote', () => {
    expect([endOfString('"a"', 0), endOfString(String.raw`x"\""y`, 1), endOfString('"a', 0)]).toEqual([2, 4, 2]);
  });

  it('give the text of a string and of nothing else', () => {
    expect(['"a\\u0062"', '""', '1', 'null', '{}', '', undefined].map(jsonString)).toEqual([
      'ab',
      '',
      ...Array(5).fill(undefined),
    ]);
  });
});

describe('JSON', () => {
  it('is parsed, or told from what is none', () => {
    expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
    expect(parseJson('null')).toBeNull();
    for (const text of ['', '{', 'undefined', '{"a":1}x']) expect(parseJson(text), text).toBeUndefined();
  });

  it('has objects and lists', () => {
    const values = [{}, [], null, 'a', 1, undefined];
    expect(values.map(isObject)).toEqual([true, false, false, false, false, false]);
    expect(values.map(isList)).toEqual([false, true, false, false, false, false]);
  });
});
