import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messagePackMembers } from './message-pack.ts';

const members = (bytes: Uint8Array) => {
  const found = messagePackMembers(bytes);
  return found === undefined ? undefined : [...found];
};

const nested = (depth: number) => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { a: value };
  return encode(value);
};

describe('MessagePack', () => {
  it('TS-16 gives the members of a map', () => {
    expect(members(encode({ temp: 20, humidity: 50 }))).toEqual([
      ['temp', 20],
      ['humidity', 50],
    ]);
    expect(members(encode({ s: 'x', n: null, l: [1.5, { a: true }], b: Uint8Array.of(1, 255) }))).toEqual([
      ['s', 'x'],
      ['n', null],
      ['l', [1.5, { a: true }]],
      ['b', '01ff'],
    ]);
    expect(members(encode({ at: new Date(0), nan: Number.NaN }))).toEqual([
      ['at', '1970-01-01T00:00:00.000Z'],
      ['nan', 'NaN'],
    ]);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a number', encode(1)],
    ['a list', encode([1])],
    ['a time', encode(new Date(0))],
    ['something behind the map', Uint8Array.of(...encode({ a: 1 }), 0)],
    ['a map that is cut off', encode({ a: 'text' }).slice(0, 4)],
    ['a byte that means nothing', Uint8Array.of(0x81, 0xa1, 0x61, 0xc1)],
    ['a name that is a list', Uint8Array.of(0x81, 0x90, 0x01)],
    ['a dangerous name', encode(JSON.parse('{"__proto__":{"a":1}}'))],
    ['17 levels', nested(17)],
    ['a list that says it is long', Uint8Array.of(0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff)],
    [
      'lists in lists that say so',
      Uint8Array.from({ length: 65_535 }, (_, index) => [0xdd, 0, 0, 0xff, 0xff][index % 5] ?? 0),
    ],
    ['a text that says it is long', Uint8Array.of(0x81, 0xdb, 0xff, 0xff, 0xff, 0xff)],
  ])('gives none for %s', (_, bytes) => {
    expect(members(bytes)).toBeUndefined();
  });

  it('reads 16 levels', () => {
    expect(members(nested(16))).toHaveLength(1);
  });

  it('never throws, and reads what it has written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        messagePackMembers(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__' && name.isWellFormed()),
          fc.jsonValue(),
        ),
        (value) => {
          const found = messagePackMembers(encode(value));
          expect(found === undefined ? undefined : JSON.stringify(Object.fromEntries(found))).toBe(
            JSON.stringify({ ...value }),
          );
        },
      ),
    );
  });
});
