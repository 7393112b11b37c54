import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageSchema } from './schema.ts';
import { jsonNameOf } from './schema.ts';
import { SchemaCache } from './schema-cache.ts';
import { parseSchema } from './schema-parser.ts';

function schemaOf(text: string): MessageSchema {
  const schema = parseSchema(text);
  if ('problem' in schema) throw new TypeError(schema.problem);
  return schema;
}

function problemOf(text: string): string {
  const schema = parseSchema(text);
  return 'problem' in schema ? schema.problem : 'none';
}

describe('schemas of tenants', () => {
  it('the last message of the text is the one, with its fields in the order of their numbers', () => {
    const schema = schemaOf(`syntax = "proto3"; package a.b;
      enum Mode { OFF = 0; ON = 1; }
      message Inner { bool on = 1; }
      message Reading {
        map<string, double> readings = 7; repeated int64 list = 3; optional string text_value = 2;
        Mode mode = 4; Inner inner = 5; oneof choice { bytes raw = 6; }
        Reading again = 8; uint32 plain = 1;
      }`);
    expect(
      schema.fields.map(({ number, name, jsonName, form, presence, type }) => [
        number,
        name,
        jsonName,
        form,
        presence,
        type.kind,
      ]),
    ).toEqual([
      [1, 'plain', 'plain', 'single', false, 'scalar'],
      [2, 'text_value', 'textValue', 'single', true, 'scalar'],
      [3, 'list', 'list', 'repeated', false, 'scalar'],
      [4, 'mode', 'mode', 'single', false, 'enum'],
      [5, 'inner', 'inner', 'single', true, 'message'],
      [6, 'raw', 'raw', 'single', true, 'scalar'],
      [7, 'readings', 'readings', 'map', false, 'scalar'],
      [8, 'again', 'again', 'single', true, 'message'],
    ]);
    const again = schema.byNumber.get(8)?.type;
    expect(again?.kind === 'message' && again.message).toBe(schema);
  });

  it('a schema without package and one in several levels of names work', () => {
    expect(schemaOf('syntax = "proto3"; message A { int32 a = 1; }').fields).toHaveLength(1);
    expect(schemaOf('syntax = "proto3"; package x.y.z; message A { int32 a = 1; } message B {}').fields).toEqual([]);
  });

  it.each([
    ['', 'no message'],
    ['//', 'no message'],
    ['syntax = "proto3"; enum E { A = 0; }', 'no message'],
    ['not a schema', 'cannot be used'],
    ['/*', 'cannot be used'],
    ['"', 'cannot be used'],
    ['syntax = "proto3"; message A {', 'cannot be used'],
    ['syntax = "proto3"; message A { B b = 1; }', 'cannot be used'],
    ['syntax = "proto3"; message A { int32 a = 1; int32 b = 1; }', 'cannot be used'],
    ['syntax = "proto3"; message A { int32 a = 0; }', 'cannot be used'],
    ['syntax = "proto3"; import "x.proto"; message A { int32 a = 1; }', 'imports another'],
    [`syntax = "proto3"; ${'message A {'.repeat(1000)}`, 'cannot be used'],
    [`// ${'x'.repeat(40_000)}`, 'more than 16384 characters'],
  ])('schema %# is answered with a problem [B5]', (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });

  it('too many fields are answered with a problem [B5]', () => {
    const fields = Array.from({ length: 1001 }, (_, i) => `bool f${i}=${i + 1};`).join('');
    expect(problemOf(`syntax="proto3";message A{${fields}}`)).toContain('more than');
  });

  it('no text is ever thrown at, nor read without end [B5]', () => {
    const pieces = fc.constantFrom(
      'syntax="proto3";',
      'message',
      'enum',
      'oneof',
      'map<string,int32>',
      'repeated',
      'optional',
      'reserved',
      'option',
      'extend',
      'service',
      'rpc',
      'group',
      'A',
      'b',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      '=',
      ';',
      ',',
      '.',
      '"x"',
      '"',
      "'",
      '1',
      '0',
      '-1',
      'to',
      'max',
      '//',
      '/*',
      '*/',
      '\n',
      'int32',
      'string',
      'package a;',
      'a.b',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.boolean(), (parts, framed) => {
        const text = parts.join(' ');
        expect(parseSchema(framed ? `syntax="proto3"; message M { ${text} }` : text)).toBeDefined();
      }),
      { numRuns: 3000 },
    );
  });

  it('names that mean something to JavaScript are plain data', () => {
    const text = `syntax = "proto3"; option __proto__.polluted = 1;
      message constructor { int32 hasOwnProperty = 1 [(constructor).prototype.polluted = true]; string toString = 2; }`;
    expect(schemaOf(text).fields.map(({ name }) => name)).toEqual(['hasOwnProperty', 'toString']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('the name of a field in JSON is lowerCamelCase', () => {
    expect(['a_b', 'fw_state_2x', 'Abc', 'a__b', 'a_', '_a'].map(jsonNameOf)).toEqual([
      'aB',
      'fwState2x',
      'Abc',
      'aB',
      'a',
      'A',
    ]);
  });

  it('are compiled once for each text, a bounded number of them', () => {
    const cache = new SchemaCache(2);
    const text = (name: string) => `syntax = "proto3"; message ${name} { int32 a = 1; }`;
    const first = cache.schemaOf(text('A'));
    cache.schemaOf(text('B'));
    expect(cache.schemaOf(text('A'))).toBe(first);
    cache.schemaOf(text('C'));
    expect(cache.schemaOf(text('A'))).toBe(first);
    cache.schemaOf(text('D'));
    cache.schemaOf(text('E'));
    expect(cache.schemaOf(text('A'))).not.toBe(first);
    expect(cache.schemaOf('broken')).toBe(cache.schemaOf('broken'));
  });
});
