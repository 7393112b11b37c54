import { describe, expect, it } from 'vitest';
import { toStrictJson } from './tolerant-json.ts';

const strict = (text: string) => {
  const result = toStrictJson(text);
  return typeof result === 'string' ? result : result.json;
};

describe('toStrictJson', () => {
  it.each([
    ['{temperature:25}', '{"temperature":25}'],
    ["{'a':'b'}", '{"a":"b"}'],
    ['{a=1;b=>2}', '{"a":1,"b":2}'],
    ['// c\n{/* c */a:1 # c\n}', '{"a":1}'],
    ['{a:TRUE,b:False,c:nULL}', '{"a":true,"b":false,"c":null}'],
    ['{a:NaN,b:0123,c:.5,d:+1,e:on}', '{"a":"NaN","b":"0123","c":".5","d":"+1","e":"on"}'],
    ['{a:42.0,b:1e5}', '{"a":42.0,"b":1e5}'],
    ['{1:2}', '{"1":2}'],
    ['{a:[1,,2,]}', '{"a":[1,null,2,null]}'],
    ['{a:[],b:{}}', '{"a":[],"b":{}}'],
    ['[{a:1},{b:{c:[x]}}]', '[{"a":1},{"b":{"c":["x"]}}]'],
    [`{a:"it\\'s","b":"line\nbreak"}`, '{"a":"it\'s","b":"line\\nbreak"}'],
    ['{a:"\\u0041\\t"}', '{"a":"A\\t"}'],
    ['\ufeff{a:1}', '{"a":1}'],
    ['{a:two-words_1}', '{"a":"two-words_1"}'],
    ['word', '"word"'],
  ])('TB-27 rewrites %j', (text, json) => {
    expect(strict(text)).toBe(json);
  });

  it.each([
    '',
    '{',
    '{a}',
    '{a:}',
    '{a:1,}',
    '{a:1}}',
    '{a:1} b',
    '{a b:1}',
    '{"a":"x}',
    '{a:"\\x"}',
    '{a:"\\u12"}',
    '/* {a:1}',
    '{:1}',
    '{a::1}',
    '{a:1]',
  ])('refuses %j', (text) => {
    expect(strict(text)).toBe('malformed');
  });

  it('bounds the depth [B5]', () => {
    expect(strict(`${'['.repeat(32)}${']'.repeat(32)}`)).toContain('[');
    expect(strict('['.repeat(33))).toBe('tooDeep');
    expect(strict('{a:'.repeat(10_000))).toBe('tooDeep');
  });

  it('takes linear time [B5]', () => {
    const started = performance.now();
    expect(strict(`{${'a:1,'.repeat(200_000)}`)).toBe('malformed');
    expect(strict(`{a:'${"\\'".repeat(500_000)}`)).toBe('malformed');
    expect(performance.now() - started).toBeLessThan(1500);
  });
});
