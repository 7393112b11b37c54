import { type PointList, ValueKind, ValueReader } from '@moorage/core';
import { deviceLink } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { decodeUplink } from './payloads.ts';

const link = deviceLink(4);
const NOW = 1_700_000_000_000;

function decode(payload: string | Uint8Array): PointList {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return decodeUplink(new ValueReader(), bytes, link, NOW);
}

function valuesOf(payload: string | Uint8Array): Record<string, unknown> {
  const points = decode(payload);
  expect(points.ts.every((ts) => ts === NOW)).toBe(true);
  return Object.fromEntries(points.keys.map((key, index) => [key, points.values[index]]));
}

describe('what a device says of itself (section 4.5)', () => {
  it('WS-28 every member of data is a property with its type, all with one time stamp', () => {
    const points = decode('{"data":{"a":1,"b":2.5,"c":"x","d":true}}');
    expect(points.keys).toEqual(['a', 'b', 'c', 'd']);
    expect(points.values).toEqual([1, 2.5, 'x', true]);
    expect(points.kinds).toEqual([ValueKind.Long, ValueKind.Double, ValueKind.String, ValueKind.Boolean]);
    expect(points.ts).toEqual([NOW, NOW, NOW, NOW]);
  });

  it('is read alike wherever data stands and however it is written', () => {
    for (const payload of [
      '{"data":{"a":1}}',
      ' { "data" : { "a" : 1 } } ',
      '{"ID":"x","data":{"a":1}}',
      '{"data":{"a":1},"ID":"x","more":2}',
      '{"data":5,"data":{"a":1}}',
      '{"data":{"b":1},"x":{},"data":{"a":1}}',
    ]) {
      expect(valuesOf(payload), payload).toEqual({ a: 1 });
    }
    expect(valuesOf('{"data":{}}')).toEqual({});
    expect(valuesOf('{"data":{"data":{"a":1}}}')).toEqual({ data: '{"a":1}' });
    expect(valuesOf('{"data":{"ID":7}}')).toEqual({ ID: 7 });
    expect(valuesOf('{"data":{"ts":1,"values":{"a":1}}}')).toEqual({ ts: 1, values: '{"a":1}' });
  });

  it('WS-29 an object with nothing but ID has no property', () => {
    expect(valuesOf('{"ID":"9c1b5749"}')).toEqual({});
  });

  it('WS-30 without data every member but ID is a property', () => {
    expect(valuesOf('{"lat":1,"lng":2}')).toEqual({ lat: 1, lng: 2 });
    expect(valuesOf('{"ID":"9c1b5749","lat":1,"id":2}')).toEqual({ lat: 1, id: 2 });
    for (const data of ['5', '"x"', '[1]', 'true']) {
      expect(valuesOf(`{"data":${data},"a":1}`)).toEqual({ data: JSON.parse(data === '[1]' ? '"[1]"' : data), a: 1 });
    }
    expect(valuesOf('{"data":null,"a":1}')).toEqual({ a: 1 });
  });

  it('JSON that is no object is the property value', () => {
    expect(valuesOf('21.5')).toEqual({ value: 21.5 });
    expect(valuesOf(' "on" ')).toEqual({ value: 'on' });
    expect(valuesOf('true')).toEqual({ value: true });
    expect(valuesOf('[1, 2]')).toEqual({ value: '[1,2]' });
    expect(valuesOf('null')).toEqual({});
    expect(valuesOf('1e400')).toEqual({ value: '1e400' });
  });

  it('null is no value, objects and arrays are kept as JSON', () => {
    const points = decode('{"data":{"a":null,"b":{"c":[1, null]},"d":[]}}');
    expect(points.keys).toEqual(['b', 'd']);
    expect(points.values).toEqual(['{"c":[1,null]}', '[]']);
    expect(points.kinds).toEqual([ValueKind.Json, ValueKind.Json]);
  });

  it('numbers keep double precision, also where no type holds them exactly', () => {
    expect(valuesOf('{"data":{"Latitude":22.543100000000000123456,"b":123456789012345678901234567890}}')).toEqual({
      Latitude: 22.5431,
      b: 1.2345678901234568e29,
    });
    expect(valuesOf('{"a":0.1234567890123456789,"ID":1,"t":true,"s":"\\u00e9","n":null,"j":[1],"x":-1e999}')).toEqual({
      a: 0.12345678901234568,
      t: true,
      s: 'é',
      j: '[1]',
      x: '-1e999',
    });
    expect(valuesOf('{"data":{"big":9007199254740993}}')).toEqual({ big: 9007199254740993n });
    expect(valuesOf('{"data":{"text":"12"}}')).toEqual({ text: '12' });
  });

  it('WS-31 other text is the property raw, its first 1,024 characters', () => {
    expect(valuesOf('hello')).toEqual({ raw: 'hello' });
    expect(valuesOf('{"data":{"a":1}')).toEqual({ raw: '{"data":{"a":1}' });
    expect(valuesOf('{"data":{"a":1}}}')).toEqual({ raw: '{"data":{"a":1}}}' });
    expect(valuesOf('lat=1&lng=2')).toEqual({ raw: 'lat=1&lng=2' });
    expect(valuesOf('x'.repeat(5000))).toEqual({ raw: 'x'.repeat(1024) });
    // A pair that the limit would cut in two is left out whole.
    expect(valuesOf(`${'x'.repeat(1023)}😀`)).toEqual({ raw: 'x'.repeat(1023) });
    expect(valuesOf('')).toEqual({});
  });

  it('WS-32 other bytes are raw as hex, the first 512', () => {
    expect(valuesOf(Uint8Array.of(0xff, 0x00, 0x1a))).toEqual({ raw: 'ff001a' });
    expect(valuesOf(new Uint8Array(600).fill(0xfe))).toEqual({ raw: 'fe'.repeat(512) });
  });

  it('JSON whose names or depth nothing can hold is kept as text', () => {
    const deep = `{"data":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`;
    for (const payload of ['{"":1}', '{"data":{" ":1}}', `{"${'k'.repeat(300)}":1}`, deep]) {
      expect(valuesOf(payload)).toEqual({ raw: payload });
    }
  });

  it('a payload of 256 KiB is read in time that grows with its length', () => {
    const members = Array.from({ length: 16_000 }, (_, index) => `"k${index}":${index}`).join(',');
    expect(decode(`{"data":{${members}}}`).length).toBe(16_000);
    const more = Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',');
    expect(decode(`{"data":{${more}}}`).keys).toEqual(['raw']);
    const start = performance.now();
    decode('['.repeat(262_144));
    decode('{"a":'.repeat(52_000));
    decode(`{"data":{${'"a":0.12345678901234567890123,'.repeat(8000)}"b":1}}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
