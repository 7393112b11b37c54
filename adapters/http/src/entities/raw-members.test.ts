import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rawMember } from './raw-members.ts';

it.each([
  ['{"params":1.0}', '1.0'],
  ['{ "method" : "m" , "params" : 9007199254740993 }', '9007199254740993'],
  ['{"params":{"a":"}","b":[1,2]},"method":"m"}', '{"a":"}","b":[1,2]}'],
  ['{"a":{"params":1},"params":"x,\\"y"}', '"x,\\"y"'],
  ['{"params":1,"params":[2]}', '[2]'],
  ['{"par\\u0061ms":true}', 'true'],
  ['{"__proto__":{"params":1}}', undefined],
  ['{"method":"params"}', undefined],
  ['{}', undefined],
])('the member of %s is %s', (text, raw) => {
  expect(rawMember(text, 'params')).toBe(raw);
});

it('TB-59 the text of a member means what the member means, whatever JSON it is', () => {
  const key = fc.oneof(fc.constantFrom('params', 'method', '__proto__'), fc.string());
  const layout = fc.constantFrom('', ' ', '\n\t');
  const member = fc.tuple(key, fc.jsonValue());
  fc.assert(
    fc.property(fc.array(member), fc.jsonValue(), layout, (members, params, space) => {
      const written = [...members, ['params', params] as const].map(
        ([name, value]) => `${space}${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}${space}`,
      );
      expect(rawMember(`${space}{${written.join(',')}}`, 'params')).toBe(JSON.stringify(params));
    }),
  );
});
