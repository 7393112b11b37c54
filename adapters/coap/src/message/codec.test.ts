import { generate, parse } from 'coap-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CoapMessage, codeNumber, MESSAGE_TYPES } from './coap-message.ts';
import { decodeMessage } from './decode-message.ts';
import { encodeMessage } from './encode-message.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const plain = (message: ReturnType<typeof decodeMessage>) =>
  message === undefined || 'formatError' in message
    ? message
    : {
        ...message,
        token: [...message.token],
        payload: [...message.payload],
        options: message.options.map(({ number, value }) => [number, ...value]),
      };

/** GET /temperature, Message ID 0x7d34, and its answer: RFC 7252, appendix A, figure 16. */
const REQUEST = '40 01 7d 34 bb 74656d7065726174757265';
const RESPONSE = '60 45 7d 34 ff 32322e332043';

const message = fc.record<CoapMessage>({
  type: fc.constantFrom(...MESSAGE_TYPES),
  code: fc.constantFrom(1, 2, 3, 4, 65, 68, 69, 95, 128, 132, 160, 163),
  messageId: fc.nat(0xffff),
  token: fc.uint8Array({ maxLength: 8 }),
  options: fc
    .array(fc.record({ number: fc.nat(2000), value: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 10 })
    .map((options) => options.toSorted((a, b) => a.number - b.number)),
  payload: fc.uint8Array({ maxLength: 200 }),
});

describe('CoAP messages', () => {
  it('are read and written as in the examples of RFC 7252', () => {
    const request = decodeMessage(hex(REQUEST));
    expect(plain(request)).toEqual({
      type: 'confirmable',
      code: 1,
      messageId: 0x7d34,
      token: [],
      options: [[11, ...Buffer.from('temperature')]],
      payload: [],
    });
    const response = decodeMessage(hex(RESPONSE));
    expect(plain(response)).toMatchObject({ type: 'acknowledgement', code: codeNumber('2.05'), options: [] });
    for (const [read, text] of [
      [request, REQUEST],
      [response, RESPONSE],
    ] as const) {
      if (read === undefined || 'formatError' in read) throw new TypeError('not read');
      expect(Buffer.from(encodeMessage(read)).equals(Buffer.from(hex(text)))).toBe(true);
    }
  });

  it.each([
    ['nothing', ''],
    ['three bytes', '40 01 00'],
    ['version 0', '00 01 00 01'],
    ['version 2', '80 01 00 01'],
  ])('are no messages: %s', (_title, bytes) => {
    expect(decodeMessage(hex(bytes))).toBeUndefined();
  });

  it.each([
    ['a Token of 9 bytes', '49 01 00 01 010203040506070809'],
    ['a Token that is cut off', '44 01 00 01 010203'],
    ['an Empty message with a Token', '41 00 00 01 01'],
    ['an Empty message with a payload', '40 00 00 01 ff 01'],
    ['a reserved class', '40 21 00 01'],
    ['a payload marker with nothing behind', '40 01 00 01 ff'],
    ['a reserved delta', '40 01 00 01 f0'],
    ['a reserved length', '40 01 00 01 0f'],
    ['a delta that is cut off', '40 01 00 01 d0'],
    ['a long delta that is cut off', '40 01 00 01 e0 01'],
    ['a length that is cut off', '40 01 00 01 0d'],
    ['a value that is cut off', '40 01 00 01 b4 616263'],
    ['an option number beyond 65,535', '40 01 00 01 e0 ffff'],
    ['65 options', `40 01 00 01 ${'00'.repeat(65)}`],
  ])('are broken: %s', (_title, bytes) => {
    expect(decodeMessage(hex(bytes))).toEqual({ formatError: true, type: 'confirmable', messageId: 1 });
  });

  it('may have 64 options', () => {
    expect(decodeMessage(hex(`40 01 00 01 ${'00'.repeat(64)}`))).toMatchObject({ options: { length: 64 } });
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(plain(decodeMessage(encodeMessage(one)))).toEqual(plain(one));
      }),
    );
  });

  it('are read alike by coap-packet, and its messages here', () => {
    fc.assert(
      fc.property(message, (one) => {
        const theirs = parse(Buffer.from(encodeMessage(one)));
        expect(theirs.messageId).toBe(one.messageId);
        expect([...theirs.token]).toEqual([...one.token]);
        expect([...theirs.payload]).toEqual([...one.payload]);
        expect(theirs.options.map(({ value }) => [...value])).toEqual(one.options.map(({ value }) => [...value]));
        const again = generate({ ...theirs }, 100_000);
        expect(Buffer.from(encodeMessage(one)).equals(again)).toBe(true);
      }),
    );
  });

  it('of any bytes are read without throwing, whole or cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeMessage(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(message, fc.nat(500), (one, cut) => {
        const bytes = encodeMessage(one);
        const read = decodeMessage(bytes.subarray(0, cut));
        if (cut >= 4 && read !== undefined) expect(read.messageId).toBe(one.messageId);
      }),
    );
  });
});
