import { describe, expect, it } from 'vitest';
import { MAXIMUM_PAYLOAD, type PayloadMode, readPayload } from './payload.ts';

function read(mode: PayloadMode, payload: string | Uint8Array) {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  let text: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    text = undefined;
  }
  return readPayload(mode, bytes, text);
}

function textOf(mode: PayloadMode, payload: string | Uint8Array): string {
  const outcome = read(mode, payload);
  return typeof outcome === 'string' ? outcome : outcome.text;
}

const nested = (open: string, depth: number, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`;

describe('json payloads', () => {
  it('TS-12 a bare number becomes value1, a JSON string and plain text become the same string', () => {
    expect(read('json', '23.5')).toEqual({ value: new Map([['value1', 23.5]]), text: '{"value1":23.5}' });
    expect(read('json', '"Hello!"')).toEqual({ value: new Map([['value1', 'Hello!']]), text: '{"value1":"Hello!"}' });
    expect(read('json', 'Hello!')).toEqual(read('json', '"Hello!"'));
  });

  it.each([
    ['{"temp":20, "humidity":50}', '{"temp":20,"humidity":50}'],
    [' {\n"b" : [ 1 , "a b, c:\\" d" ],\t"2":1.0,"1":{ } } ', '{"b":[1,"a b, c:\\" d"],"2":1.0,"1":{}}'],
    ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
    ['{"a":12345678901234567890,"b":1e400}', '{"a":12345678901234567890,"b":1e400}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
    ['{}', '{}'],
    ['true', '{"value1":true}'],
    ['[1, {"a":2}]', '{"value1":[1,{"a":2}]}'],
    ['+23.5', '{"value1":23.5}'],
    ['.5', '{"value1":0.5}'],
    ['-.5', '{"value1":-0.5}'],
    ['23.', '{"value1":23}'],
    [' 007\n', '{"value1":7}'],
    ['000', '{"value1":0}'],
    ['+1.e3', '{"value1":1e3}'],
    ['1e999.', '{"value1":"1e999."}'],
    ['.', '{"value1":"."}'],
    ['1.2.3', '{"value1":"1.2.3"}'],
    ['0x10', '{"value1":"0x10"}'],
    ['Infinity', '{"value1":"Infinity"}'],
    ['v=23.5&v2=51', '{"value1":23.5,"value2":51}'],
    ['a%20b=c+d&e=', '{"a b":"c d","e":""}'],
    ['door = open', '{"value1":"door = open"}'],
    ['{"a"=1}', '{"value1":"{\\"a\\"=1}"}'],
    ['a=%E0%A4', '{"value1":"a=%E0%A4"}'],
    ['a=1&b', '{"value1":"a=1&b"}'],
    ['{"a":', '{"value1":"{\\"a\\":"}'],
    ['日本語\u0000', '{"value1":"日本語\\u0000"}'],
    ['\uFEFF{"a":1}', '{"a":1}'],
    ['null', 'EMPTY_PAYLOAD'],
    ['', 'EMPTY_PAYLOAD'],
    [' \r\n', 'EMPTY_PAYLOAD'],
  ])('%j is stored as %s', (payload, text) => {
    expect(textOf('json', payload)).toBe(text);
  });

  it('TS-11 keep the order of their members, also of names that are numbers', () => {
    const outcome = read('json', '{"z":1,"10":2,"a":3,"2":4}');
    expect(typeof outcome === 'string' ? outcome : [...outcome.value]).toEqual([
      ['z', 1],
      ['10', 2],
      ['a', 3],
      ['2', 4],
    ]);
  });

  it('that are not UTF-8 are read as binary', () => {
    expect(textOf('json', Uint8Array.of(0x82, 0xa4, 0xff))).toBe('{"value1":"82a4ff"}');
    expect(textOf('legacy', Uint8Array.of(0xff))).toBe('{"value1":"ff"}');
  });

  it('give a number that nothing holds as text, and no half characters', () => {
    expect(read('json', '{"a":-1e400,"\\ud800":"\\udc00"}')).toEqual({
      value: new Map([
        ['a', '-1e400'],
        ['\ufffd', '\ufffd'],
      ]),
      text: '{"a":-1e400,"\ufffd":"\\udc00"}',
    });
  });

  it.each([
    [nested('{"a":', 16, '}'), nested('{"a":', 16, '}')],
    [nested('{"a":', 17, '}'), 'PAYLOAD_TOO_DEEP'],
    [nested('[', 15, ']'), `{"value1":${nested('[', 15, ']')}}`],
    [nested('[', 16, ']'), 'PAYLOAD_TOO_DEEP'],
    ['['.repeat(MAXIMUM_PAYLOAD), 'PAYLOAD_TOO_DEEP'],
    [`"${'['.repeat(20)}"`, `{"value1":"${'['.repeat(20)}"}`],
  ])('nest 16 deep at most: %j', (payload, text) => {
    expect(textOf('json', payload)).toBe(text);
  });

  it('have 64 KiB at most', () => {
    expect(textOf('json', 'x'.repeat(MAXIMUM_PAYLOAD))).toBe(`{"value1":"${'x'.repeat(MAXIMUM_PAYLOAD)}"}`);
    for (const mode of ['json', 'binary', 'legacy', 'state'] as const) {
      expect(textOf(mode, 'x'.repeat(MAXIMUM_PAYLOAD + 1))).toBe('PAYLOAD_TOO_LARGE');
    }
  });
});

describe('binary payloads', () => {
  it('TS-14 of all 256 byte values come back as 512 lower-case hex digits', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const outcome = read('binary', bytes);
    const hex = typeof outcome === 'string' ? outcome : outcome.value.get('value1');
    expect(hex).toBe(Buffer.from(bytes).toString('hex'));
    expect(hex).toMatch(/^[\da-f]{512}$/);
    expect(textOf('binary', bytes)).toBe(`{"value1":"${hex}"}`);
  });

  it('TS-16 give the stated hex, also where they are text', () => {
    const example = Uint8Array.of(0x82, 0xa4, ...Buffer.from('temp'), 0x14, 0xa8, ...Buffer.from('humidity'), 0x32);
    expect(textOf('binary', example)).toBe('{"value1":"82a474656d7014a868756d696469747932"}');
    expect(textOf('binary', '{}')).toBe('{"value1":"7b7d"}');
    expect(textOf('binary', '')).toBe('EMPTY_PAYLOAD');
  });
});

describe('legacy payloads', () => {
  it('TS-17 store value1 and value2 as numbers', () => {
    const outcome = read('legacy', 'v=23.5&v2=51');
    expect(outcome).toEqual({
      value: new Map([
        ['value1', 23.5],
        ['value2', 51],
      ]),
      text: '{"value1":23.5,"value2":51}',
    });
  });

  it.each([
    ['v=a&v2=b&v3=c&v4=d&v5=e', '{"value1":"a","value2":"b","value3":"c","value4":"d","v5":"e"}'],
    ['v=a+b%2Bc&&name=50%', '{"value1":"a b+c","name":"50%"}'],
    ['v=<a b>&flag&=1', '{"value1":"<a b>","flag":""}'],
    ['v=1&v=2\n', '{"value1":2}'],
    ['23.5', '{"value1":23.5}'],
    ['{"a":"b=c"}', '{"a":"b=c"}'],
    ['&=', '{"value1":"&="}'],
    ['', 'EMPTY_PAYLOAD'],
  ])('%j is stored as %s', (payload, text) => {
    expect(textOf('legacy', payload)).toBe(text);
  });
});

describe('state payloads', () => {
  it.each([
    ['health=OK&load=5.9&uptime=250036', '{"health":"OK","load":5.9,"uptime":250036}'],
    ['v=1', '{"v":1}'],
    ['{"health":"O=K","n":[1]}', '{"health":"O=K","n":[1]}'],
    ['{"health":', 'EMPTY_PAYLOAD'],
    ['[1]', 'EMPTY_PAYLOAD'],
    ['null', 'EMPTY_PAYLOAD'],
    ['fine', 'EMPTY_PAYLOAD'],
    [nested('{"a":', 17, '}'), 'PAYLOAD_TOO_DEEP'],
  ])('%j are read as %s', (payload, text) => {
    expect(textOf('state', payload)).toBe(text);
  });

  it('that are not UTF-8 say nothing', () => {
    expect(textOf('state', Uint8Array.of(0xff))).toBe('EMPTY_PAYLOAD');
  });
});
