import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PointList } from './point-list.ts';
import { type Scalar, ValueKind } from './value.ts';
import type { ValueFault } from './value-fault.ts';
import { ValueReader, type ValueReadOptions } from './value-reader.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decoding = {
  text(bytes: Uint8Array): string | undefined {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  },
};
const STRICT: ValueReadOptions = { castStrings: true, tolerant: false, nulls: 'skipped', maximumValues: 10_000 };
const TOLERANT: ValueReadOptions = { ...STRICT, tolerant: true };
const reader = new ValueReader();
const NOW = 1_700_000_000_000;

type Row = readonly [key: string, kind: ValueKind, value: Scalar, ts?: number];

function rowsOf(points: PointList): Row[] {
  return points.keys.map((key, i): Row => {
    const kind = points.kinds[i] as ValueKind;
    const value = points.values[i] as Scalar;
    return points.ts[i] === NOW ? [key, kind, value] : [key, kind, value, points.ts[i] as number];
  });
}

function read(
  payload: string | Uint8Array,
  options = STRICT,
  form: 'series' | 'object' = 'series',
): Row[] | ValueFault {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const points = new PointList();
  const fault =
    form === 'series'
      ? reader.readSeries(bytes, decoding, options, points, NOW)
      : reader.readObject(bytes, decoding, options, points, NOW);
  if (fault !== null) {
    expect(points.length).toBe(0);
    return fault;
  }
  return rowsOf(points);
}

const { Boolean: B, Long: L, Double: D, String: S, Json: J } = ValueKind;

describe('ValueReader', () => {
  it('types every kind of value', () => {
    expect(read('{"a":1,"b":true,"c":"x","d":4.2,"e":{"k":[1]},"f":false,"g":-7,"h":[]}')).toEqual([
      ['a', L, 1],
      ['b', B, true],
      ['c', S, 'x'],
      ['d', D, 4.2],
      ['e', J, '{"k":[1]}'],
      ['f', B, false],
      ['g', L, -7],
      ['h', J, '[]'],
    ]);
  });

  it('keeps nested JSON compact with its numbers as written', () => {
    const text = '{"e": {"k" : [ 1.0 , 1e5,\n"a \\" b" ], "n" : 12345678901234567890}}';
    expect(read(text)).toEqual([['e', J, '{"k":[1.0,1e5,"a \\" b"],"n":12345678901234567890}']]);
  });

  it('reads `{"ts","values"}` in any order and forgets other members', () => {
    const expected = [['a', L, 1, 5]];
    expect(read('{"ts":5,"values":{"a":1}}')).toEqual(expected);
    expect(read('{"values":{"a":1},"ts":5}')).toEqual(expected);
    expect(read('{"x":[1,2],"ts":5,"y":"z","values":{"a":1},"metadata":{"m":1}}')).toEqual(expected);
  });

  it('takes ts or values alone as names', () => {
    expect(read('{"ts":5}')).toEqual([['ts', L, 5]]);
    expect(read('{"ts":5,"a":1}')).toEqual([
      ['a', L, 1],
      ['ts', L, 5],
    ]);
    expect(read('{"values":{"a":1}}')).toEqual([['values', J, '{"a":1}']]);
    expect(read('{"ts":5,"values":{"a":1}}', STRICT, 'object')).toEqual([
      ['ts', L, 5],
      ['values', J, '{"a":1}'],
    ]);
  });

  it('takes numbers and numeric strings as a time and cuts fractions off', () => {
    for (const ts of ['1451649600512', '"1451649600512"', '1451649600512.9', '1.451649600512e12', ' 1451649600512 ']) {
      expect(read(`{"ts":${ts},"values":{"a":1}}`), ts).toEqual([['a', L, 1, 1_451_649_600_512]]);
    }
    expect(read('{"ts":-0.5,"values":{"a":1}}')).toEqual([['a', L, 1, 0]]);
  });

  it('refuses a time that is no number or beyond the calendar', () => {
    for (const ts of ['"abc"', 'true', 'null', '{}', '8640000000000001', '1e300', '""', '"0x10"']) {
      expect(read(`{"ts":${ts},"values":{"a":1}}`), ts).toBe('invalidTimestamp');
    }
  });

  it('reads arrays of both forms', () => {
    expect(read('[{"a":1},{"ts":7,"values":{"a":2,"b":3}},{}]')).toEqual([
      ['a', L, 1],
      ['a', L, 2, 7],
      ['b', L, 3, 7],
    ]);
    expect(read('[]')).toEqual([]);
  });

  it('refuses other shapes', () => {
    for (const payload of [
      '[1]',
      '[[{"a":1}]]',
      '"x"',
      'null',
      '1',
      'true',
      '[null]',
      '{"ts":1,"values":[]}',
      '{"ts":1,"values":2}',
    ]) {
      expect(read(payload), payload).toBe('wrongShape');
    }
    expect(read('[{"a":1}]', STRICT, 'object')).toBe('wrongShape');
  });

  it('refuses what is not JSON', () => {
    const payloads = [
      '',
      ' ',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,}',
      '{"a":1}x',
      '{"a":01}',
      '{"a":1.}',
      '{"a":.5}',
    ];
    payloads.push(
      '{"a":-}',
      '{"a":+1}',
      '{"a":1e}',
      '{"a":tru}',
      '{"a":NaN}',
      '{"a":"\n"}',
      '{"a":"\\x"}',
      '{"a":"\\u12"}',
    );
    payloads.push(
      "{'a':1}",
      '{a:1}',
      '{"a" 1}',
      '{"a":[1,]}',
      '{"a":[1 2]}',
      '{"a":{"b"}}',
      '{"a":{,}}',
      '[{"a":1},]',
      '{"a":1]',
    );
    for (const payload of payloads) expect(read(payload), payload).toBe('malformed');
  });

  it('refuses invalid UTF-8 in names, values, nested values and ignored members', () => {
    const bytes = (text: string) => Uint8Array.from(text, (c) => (c === '~' ? 0xff : c.charCodeAt(0)));
    for (const text of ['{"~":1}', '{"a":"~"}', '{"a":["~"]}', '{"b":"~","ts":1,"values":{"a":1}}']) {
      expect(read(bytes(text)), text).toBe('malformed');
      expect(read(bytes(text), TOLERANT), text).toBe('malformed');
    }
  });

  it('lets the last of equal names win, null included', () => {
    expect(read('{"a":1,"b":2,"a":"x"}')).toEqual([
      ['a', S, 'x'],
      ['b', L, 2],
    ]);
    expect(read('{"a":1,"b":2,"a":null}')).toEqual([['b', L, 2]]);
    expect(read('{"a":1,"a":null,"a":3}')).toEqual([['a', L, 3]]);
    expect(read('{"ts":1,"values":{"a":1},"ts":2,"values":{"b":1}}')).toEqual([['b', L, 1, 2]]);
    const many = Array.from({ length: 40 }, (_, i) => `"k${i % 20}":${i}`).join(',');
    expect(read(`{${many}}`)).toEqual(Array.from({ length: 20 }, (_, i) => [`k${i}`, L, i + 20]));
  });

  it('treats __proto__ and its like as ordinary names', () => {
    expect(read('{"__proto__":{"x":1},"constructor":1,"toString":2}')).toEqual([
      ['__proto__', J, '{"x":1}'],
      ['constructor', L, 1],
      ['toString', L, 2],
    ]);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('x');
  });

  it('refuses blank, too long and NUL keys', () => {
    for (const key of ['', '  ', 'k'.repeat(256), 'a\\u0000b']) expect(read(`{"${key}":1}`), key).toBe('invalidKey');
    expect(read(`{"${'k'.repeat(255)}":1}`)).toEqual([['k'.repeat(255), L, 1]]);
  });

  it('decodes escapes and characters beyond ASCII, and replaces lone surrogates', () => {
    expect(read('{"\\u00e4ö":"\\n\\u20ac😀\\"","b":"\\ud800"}')).toEqual([
      ['äö', S, '\n€😀"'],
      ['b', S, '\ufffd'],
    ]);
  });

  it('skips null or refuses it, as asked', () => {
    expect(read('{"a":null,"b":1}')).toEqual([['b', L, 1]]);
    expect(read('{"a":null}', { ...STRICT, nulls: 'refused' })).toBe('nullValue');
  });

  it('casts numeric strings only when asked', () => {
    expect(read('{"a":"25","b":"abc"}')).toEqual([
      ['a', L, 25],
      ['b', S, 'abc'],
    ]);
    expect(read('{"a":"25"}', { ...STRICT, castStrings: false })).toEqual([['a', S, '25']]);
  });

  it('bounds the number of values', () => {
    const two = { ...STRICT, maximumValues: 2 };
    expect(read('[{"a":1},{"a":2}]', two)).toHaveLength(2);
    expect(read('[{"a":1},{"a":2},{"a":3}]', two)).toBe('tooManyValues');
  });

  it('counts from what the list already had and leaves it alone on a fault', () => {
    const points = new PointList();
    points.add(1, 'old', ValueKind.Long, 1);
    const bytes = new TextEncoder().encode('{"a":1,"b":');
    expect(reader.readSeries(bytes, decoding, STRICT, points, NOW)).toBe('malformed');
    expect(points.keys).toEqual(['old']);
    const good = new TextEncoder().encode('{"old":2}');
    expect(reader.readSeries(good, decoding, { ...STRICT, maximumValues: 1 }, points, NOW)).toBeNull();
    expect(points.values).toEqual([1, 2]);
  });

  it('bounds the depth [B5]', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(read(nested(32))).toHaveLength(1);
    expect(read(nested(33))).toBe('tooDeep');
    for (const options of [STRICT, TOLERANT]) {
      expect(read('['.repeat(10_000), options)).toBe('tooDeep');
      expect(read(nested(10_000), options)).toBe('tooDeep');
      expect(read(`{"a":${'{"a":'.repeat(10_000)}`, options)).toBe('tooDeep');
    }
    expect(read(`{a:${'['.repeat(10_000)}`, TOLERANT)).toBe('tooDeep');
  });

  it('refuses a number of 10 MB in linear time [B5]', () => {
    const digits = '9'.repeat(10_000_000);
    expect(read(`{"a":${digits}}`)).toBe('numberTooLong');
    expect(read(`{"a":1e${digits}}`)).toBe('numberTooLong');
    expect(read(`{"a":"${digits}"}`)).toEqual([['a', S, digits]]);
  });

  it('takes as long for many repeated and removed names as for many names [B5]', () => {
    const names = Array.from({ length: 9000 }, (_, i) => `"k${i}":1`).join(',');
    const nulls = Array.from({ length: 9000 }, (_, i) => `"k${i}":null`).join(',');
    const started = performance.now();
    expect(read(`{${names},${nulls}}`)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('answers the same for a key whether or not it was read before', () => {
    const fresh = new ValueReader();
    const points = new PointList();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 6000; i++) {
        fresh.readSeries(new TextEncoder().encode(`{"key-${i}":${i}}`), decoding, STRICT, points, NOW);
      }
    }
    expect(points.keys.every((key, i) => key === `key-${i % 6000}` && points.values[i] === i % 6000)).toBe(true);
  });

  it('agrees with JSON.parse on every object', () => {
    // A Long beyond the safe integers comes as a bigint.
    const exact = (v: unknown) => (Number.isInteger(v) && !Number.isSafeInteger(v) ? BigInt(Number(v)) : v);
    const json = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }).filter((k) => k.trim() !== '' && !k.includes('\0')),
      fc.jsonValue({ maxDepth: 4 }),
      { maxKeys: 20 },
    );
    const options = { ...STRICT, castStrings: false };
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const expected = Object.entries(JSON.parse(JSON.stringify(value)) as Record<string, unknown>).filter(
          ([, v]) => v !== null,
        );
        const rows = read(JSON.stringify(value, null, indent), options, 'object');
        if (typeof rows === 'string') return rows === 'numberOutOfRange' || rows === 'numberTooLong';
        const actual = rows.map(([key, kind, v]) => [key.toWellFormed(), kind === J ? JSON.parse(String(v)) : v]);
        const normal = expected.map(([key, v]) => [
          key.toWellFormed(),
          typeof v === 'string' ? v.toWellFormed() : Object.is(v, -0) ? 0 : exact(v),
        ]);
        const byKey = (rowset: unknown[][]) => new Map(rowset.map(([key, v]) => [key, v]));
        expect(byKey(actual)).toEqual(byKey(normal));
        return true;
      }),
      { numRuns: 300 },
    );
  });

  it('never throws and accepts strictly only what JSON.parse accepts', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      'a',
      '1',
      '.',
      '-',
      'e',
      'null',
      'true',
      '"a"',
      '"ts"',
      '"values"',
      ' ',
      '\\',
      'é',
      '/',
      '#',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 24 }), fc.boolean(), (parts, wrap) => {
        const text = wrap ? `{"a":${parts.join('')}}` : parts.join('');
        const rows = read(text);
        read(text, TOLERANT);
        if (typeof rows !== 'string') expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws on bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        read(bytes, TOLERANT);
        read(Uint8Array.of(0x7b, 0x22, 0x61, 0x22, 0x3a, ...bytes), TOLERANT);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ValueReader.readMembers and readJson', () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  it('gives members as compact text with numbers as written', () => {
    const members = reader.readMembers(encode('{ "method" : "m", "params": { "a": 1.0 }, "a":1, "a":2 }'), decoding, 8);
    expect(members).toEqual(
      new Map([
        ['method', '"m"'],
        ['params', '{"a":1.0}'],
        ['a', '2'],
      ]),
    );
  });

  it('answers a fault for anything else and for too many members', () => {
    expect(reader.readMembers(encode('[1]'), decoding, 8)).toBe('wrongShape');
    expect(reader.readMembers(encode('{"a":1} x'), decoding, 8)).toBe('malformed');
    expect(reader.readMembers(encode('{"a":1,"b":2}'), decoding, 1)).toBe('tooManyValues');
  });

  it('gives any JSON as compact text', () => {
    expect(reader.readJson(encode(' [ 1.0, {"a" : "b c"} ] '), decoding)).toBe('[1.0,{"a":"b c"}]');
    expect(reader.readJson(encode('null'), decoding)).toBe('null');
    for (const text of ['', 'x', '1 2', '['.repeat(40), '"a'])
      expect(reader.readJson(encode(text), decoding)).toBeUndefined();
  });
});
