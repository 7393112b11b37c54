import { describe, expect, it } from 'vitest';
import { decodePacket } from './decode.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { decodeBytes, outcome } from './vectors/decode-bytes.ts';
import { bytes, type Part, packet, readText, u16 } from './vectors/wire.ts';

/** A legal body and the legal flags of each packet type, in 3.1.1 and 5.0. */
const TYPES: readonly (readonly [name: string, type: number, flags: readonly number[], old: Part, five: Part])[] = [
  ['CONNACK', 2, [0], [0, 0], [0, 0, 0]],
  ['PUBACK', 4, [0], u16(1), u16(1)],
  ['PUBREC', 5, [0], u16(1), u16(1)],
  ['PUBREL', 6, [2], u16(1), u16(1)],
  ['PUBCOMP', 7, [0], u16(1), u16(1)],
  ['SUBSCRIBE', 8, [2], bytes(u16(1), 'a', 0), bytes(u16(1), 0, 'a', 0)],
  ['SUBACK', 9, [0], [0, 1, 0], [0, 1, 0, 0]],
  ['UNSUBSCRIBE', 10, [2], bytes(u16(1), 'a'), bytes(u16(1), 0, 'a')],
  ['UNSUBACK', 11, [0], u16(1), [0, 1, 0, 0]],
  ['PINGREQ', 12, [0], [], []],
  ['PINGRESP', 13, [0], [], []],
  ['DISCONNECT', 14, [0], [], []],
  ['AUTH', 15, [0], [], []],
  // RETAIN, QoS 1 and 2, DUP; QoS 3 and DUP on QoS 0 are not legal.
  ['PUBLISH', 3, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13], bytes('a', 1, 1), bytes('a', 1, 1, 0)],
];
const FLAGS = Array.from({ length: 16 }, (_, flags) => flags);

describe.each(TYPES)('flags of %s', (name, type, legal, old, five) => {
  it('on 5.0 are the prescribed ones, all others get 0x81 [MQTT-2.1.3-1]', () => {
    const isShort = (flags: number) => name === 'PUBLISH' && (flags & 6) === 0;
    const body = (flags: number) => (isShort(flags) ? bytes('a', 0) : five);
    expect(FLAGS.map((flags) => outcome(decodeBytes(5, packet((type << 4) | flags, body(flags)))))).toEqual(
      FLAGS.map((flags) => (legal.includes(flags) ? 'accepted' : 'refused 0x81')),
    );
  });

  it('on 3.1.1 are the prescribed ones, all others close [v3.1.1 MQTT-2.2.2-2]', () => {
    expect(FLAGS.map((flags) => outcome(decodeBytes(4, packet((type << 4) | flags, old))))).toEqual(
      FLAGS.map((flags) => (legal.includes(flags) && name !== 'AUTH' ? 'accepted' : 'refused 0x81 closed')),
    );
  });

  it('O-31 on 3.1 may have DUP on PUBREL, SUBSCRIBE and UNSUBSCRIBE', () => {
    const lenient = ['PUBREL', 'SUBSCRIBE', 'UNSUBSCRIBE'].includes(name) ? [...legal, 0x0a] : legal;
    expect(FLAGS.map((flags) => outcome(decodeBytes(3, packet((type << 4) | flags, old))))).toEqual(
      FLAGS.map((flags) => (lenient.includes(flags) && name !== 'AUTH' ? 'accepted' : 'refused 0x81 closed')),
    );
  });
});

it('a CONNECT among other packets is forbidden [MQTT-3.1.0-2]', () => {
  const again = decodePacket(5, 0x10, new Uint8Array(20), 0, 20, DEFAULT_LIMITS, readText);
  expect(again).toMatchObject({ reasonCode: 0x82, clause: 'MQTT-3.1.0-2', answerable: true });
  const old = decodePacket(4, 0x10, new Uint8Array(20), 0, 20, DEFAULT_LIMITS, readText);
  expect(old).toMatchObject({ reasonCode: 0x82, answerable: false });
});

it('type 0 is reserved on every version', () => {
  for (const flags of FLAGS) {
    expect(outcome(decodeBytes(5, packet(flags)))).toBe('refused 0x81');
    expect(outcome(decodeBytes(4, packet(flags)))).toBe('refused 0x81 closed');
    expect(outcome(decodeBytes(3, packet(flags)))).toBe('refused 0x81 closed');
  }
});
