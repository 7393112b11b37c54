import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { jsonToMessage } from './json-to-message.ts';
import { messageToJson } from './message-to-json.ts';
import type { MessageSchema } from './schema.ts';
import { parseSchema } from './schema-parser.ts';

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

const TEXT = `syntax = "proto3"; package test;
  enum Mode { OFF = 0; ON = 1; FAST = 7; }
  message Inner { sint32 s = 1; repeated string names = 2; Inner again = 3; }
  message All {
    double d = 1; float f = 2; int32 i32 = 3; int64 i64 = 4; uint32 u32 = 5; uint64 u64 = 6; sint32 s32 = 7;
    sint64 s64 = 8; fixed32 f32 = 9; fixed64 f64 = 10; sfixed32 sf32 = 11; sfixed64 sf64 = 12; bool b = 13;
    string text = 14; bytes raw = 15; Mode mode = 16; Inner inner = 17; repeated sint64 list = 18;
    repeated Inner inners = 19; map<string, double> by_name = 20; map<int32, Inner> by_number = 21;
    optional int32 maybe = 22; oneof one { string left = 23; int32 right = 24; }
  }`;

function schemaOf(text: string): MessageSchema {
  const schema = parseSchema(text);
  if ('problem' in schema) throw new TypeError(schema.problem);
  return schema;
}

const schema = schemaOf(TEXT);
const oracle = protobuf.parse(TEXT, { keepCase: true }).root.lookupType('test.All');

function jsonOf(payload: Uint8Array, by = schema): unknown {
  const read = messageToJson(payload, by, decoding);
  return 'problem' in read ? read.problem : JSON.parse(read.json);
}

/** Values that JSON holds exactly; wider ones have a test of their own. */
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const uint64 = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ maxLength: 12, unit: 'grapheme' });
const inner = fc.record({ s: int32, names: fc.array(text, { maxLength: 3 }) }, { requiredKeys: [] });
const all = fc.record(
  {
    d: double,
    f: float,
    i32: int32,
    i64: int64,
    u32: uint32,
    u64: uint64,
    s32: int32,
    s64: int64,
    f32: uint32,
    f64: uint64,
    sf32: int32,
    sf64: int64,
    b: fc.boolean(),
    text,
    raw: fc.uint8Array({ maxLength: 9 }),
    mode: fc.constantFrom(0, 1, 7, 99),
    inner,
    list: fc.array(int64, { maxLength: 4 }),
    inners: fc.array(inner, { maxLength: 3 }),
    by_name: fc.dictionary(text, double, { maxKeys: 3 }),
    by_number: fc.dictionary(int32.map(String), inner, { maxKeys: 3 }),
    maybe: int32,
    left: text,
  },
  { requiredKeys: [] },
);

type Plain = Record<string, unknown>;

/** What the JSON mapping of proto3 makes of a message, except that numbers of 64 bits stay numbers. */
function expected(message: Plain): Plain {
  const zero = { d: 0, f: 0, i32: 0, i64: 0, u32: 0, u64: 0, s32: 0, s64: 0, f32: 0, f64: 0, sf32: 0, sf64: 0 };
  const empty = { b: false, text: '', raw: '', mode: 'OFF', list: [], inners: [], byName: {}, byNumber: {} };
  const found: Plain = { ...zero, ...empty };
  const one = (value: unknown): Plain => ({ s: 0, names: [], ...(value as Plain) });
  for (const [key, value] of Object.entries(message)) {
    if (key === 'raw') found.raw = Buffer.from(value as Uint8Array).toString('base64');
    else if (key === 'mode') found.mode = { 0: 'OFF', 1: 'ON', 7: 'FAST' }[value as number] ?? value;
    else if (key === 'inner') found.inner = one(value);
    else if (key === 'inners') found.inners = (value as unknown[]).map(one);
    else if (key === 'by_name') found.byName = value;
    else if (key === 'by_number') {
      found.byNumber = Object.fromEntries(Object.entries(value as Plain).map(([k, v]) => [k, one(v)]));
    } else found[key] = typeof value === 'string' ? value : Object.is(value, -0) ? 0 : value;
  }
  return found;
}

/** As JSON holds it, with numbers of 32 bits as such: there are many decimals for one of them. */
const normal = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, one) =>
    key === 'f' && typeof one === 'number' ? Math.fround(one) + 0 : one,
  );

describe('messages by schema', () => {
  it('reads what another implementation writes', () => {
    fc.assert(
      fc.property(all, (message) => {
        const payload = oracle.encode(oracle.create(message)).finish();
        const wellFormed = normal(expected(message as Plain));
        expect(normal(jsonOf(payload))).toEqual(wellFormed);
      }),
      { numRuns: 400 },
    );
  });

  it('writes what another implementation reads', () => {
    fc.assert(
      fc.property(all, (message) => {
        const json = expected(message as Plain);
        const payload = jsonToMessage(json, schema);
        if (payload === undefined) throw new TypeError(JSON.stringify(json));
        expect(normal(jsonOf(oracle.encode(oracle.decode(payload)).finish()))).toEqual(normal(json));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps all digits of numbers of 64 bits and tells doubles from whole numbers', () => {
    const wide = {
      i64: '-9223372036854775808',
      u64: '18446744073709551615',
      d: 42,
      f: 0.1,
      s64: '9223372036854775807',
    };
    const payload = jsonToMessage(wide, schema);
    const read = messageToJson(payload ?? new Uint8Array(0), schema, decoding);
    const json = 'json' in read ? read.json : '';
    expect(json).toContain('"i64":-9223372036854775808,');
    expect(json).toContain('"u64":18446744073709551615,');
    expect(json).toContain('"s64":9223372036854775807,');
    expect(json).toContain('{"d":42.0,"f":0.1,');
    const large = messageToJson(jsonToMessage({ d: 1e300 }, schema) ?? new Uint8Array(0), schema, decoding);
    expect('json' in large && /^\{"d":\d{301}\.0,/.test(large.json)).toBe(true);
    for (const [d, said] of [
      [Number.NaN, '"NaN"'],
      [Number.POSITIVE_INFINITY, '"Infinity"'],
      [Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ] as const) {
      const unusual = messageToJson(jsonToMessage({ d }, schema) ?? new Uint8Array(0), schema, decoding);
      expect('json' in unusual && unusual.json.startsWith(`{"d":${said},`)).toBe(true);
    }
  });

  it('merges a message that comes twice and lets the last of other fields hold', () => {
    const parts = [
      { inner: { s: 1, names: ['a'] }, i32: 1 },
      { inner: { names: ['b'] }, i32: 2 },
    ];
    const payload = Buffer.concat(parts.map((part) => jsonToMessage(part, schema) ?? new Uint8Array(0)));
    expect(jsonOf(payload)).toMatchObject({ inner: { s: 1, names: ['a', 'b'] }, i32: 2 });
  });

  it('passes over unknown fields and fields of another wire type', () => {
    const other = schemaOf('syntax = "proto3"; message O { string i32 = 3; int32 text = 14; bytes later = 100; }');
    const payload = jsonToMessage({ i32: 'x', text: 5, later: 'AAAA' }, other);
    expect(jsonOf(payload ?? new Uint8Array(0))).toMatchObject({ i32: 0, text: '' });
  });

  it('what is no message of the schema is a problem, at every cut of a message', () => {
    const payload = jsonToMessage({ inner: { s: -5, names: ['abc'] }, list: [1, 2], text: 'é' }, schema);
    if (payload === undefined) throw new TypeError('not written');
    const whole = jsonOf(payload);
    for (let length = 0; length < payload.length; length++)
      expect(jsonOf(payload.subarray(0, length))).not.toEqual(whole);
    expect(jsonOf(Uint8Array.of(0x72, 1, 0xff))).toContain('no message');
    expect(jsonOf(new TextEncoder().encode('{"i32":1}'))).toContain('no message');
  });

  it('is never thrown out of step by any bytes [B5]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(jsonOf(bytes)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('bounds the depth and the length of what it writes [B5]', () => {
    let nested: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 60; depth++) {
      nested = Uint8Array.from([
        0x1a,
        ...(nested.length > 127 ? [(nested.length & 127) | 128, nested.length >> 7] : [nested.length]),
        ...nested,
      ]);
    }
    const again = schemaOf('syntax = "proto3"; message Inner { Inner again = 3; }');
    expect(jsonOf(nested, again)).toContain('no message');
    const fields = Array.from({ length: 500 }, (_, i) => `int32 field_number_${i} = ${i + 1};`).join('');
    const wide = schemaOf(`syntax = "proto3"; message W { ${fields} } message L { repeated W list = 1; }`);
    const empties = new Uint8Array(60_000);
    for (let at = 0; at < empties.length; at += 2) empties[at] = 0x0a;
    expect(jsonOf(empties, wide)).toContain('longer than');
  });

  it('a member that does not fit its field is not written', () => {
    for (const json of [
      { i32: 2 ** 31 },
      { i32: 'x' },
      { u32: -1 },
      { b: 1 },
      { d: 'x' },
      { raw: '!' },
      { inner: 5 },
      { inner: [] },
      { list: 5 },
      { list: [1, 'x'] },
      { mode: 'SLOW' },
      { byName: [] },
      { byNumber: { x: {} } },
    ]) {
      expect(jsonToMessage(json, schema), JSON.stringify(json)).toBeUndefined();
    }
    const endless: { again?: unknown } = {};
    endless.again = endless;
    expect(jsonToMessage({ inner: endless }, schema)).toBeUndefined();
  });
});
