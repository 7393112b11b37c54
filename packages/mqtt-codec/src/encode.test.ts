import { describe, expect, it } from 'vitest';
import { encodePacket } from './encode.ts';
import { type ConnectPacket, type Packet, PacketType, type Properties, type PublishPacket } from './packets.ts';
import { decodeBytes } from './vectors/decode-bytes.ts';
import { hex, packet, u16 } from './vectors/wire.ts';

const P = PacketType;
const REASON: Properties = { reasonString: 'because' };
const BOTH: Properties = { ...REASON, userProperties: [['key', 'value']] };

/** Answers that may lose properties, with the clauses that say so. */
const ANSWERS: readonly (readonly [string, (properties: Properties | null) => Packet])[] = [
  [
    'CONNACK [MQTT-3.2.2-19] [MQTT-3.2.2-20]',
    (properties) => ({ type: P.Connack, sessionPresent: false, reasonCode: 0x87, properties }),
  ],
  [
    'PUBACK [MQTT-3.4.2-2] [MQTT-3.4.2-3]',
    (properties) => ({ type: P.Puback, packetIdentifier: 1, reasonCode: 0x87, properties }),
  ],
  [
    'PUBREC [MQTT-3.5.2-2] [MQTT-3.5.2-3]',
    (properties) => ({ type: P.Pubrec, packetIdentifier: 1, reasonCode: 0x87, properties }),
  ],
  [
    'PUBREL [MQTT-3.6.2-2] [MQTT-3.6.2-3]',
    (properties) => ({ type: P.Pubrel, packetIdentifier: 1, reasonCode: 0x92, properties }),
  ],
  [
    'PUBCOMP [MQTT-3.7.2-2] [MQTT-3.7.2-3]',
    (properties) => ({ type: P.Pubcomp, packetIdentifier: 1, reasonCode: 0x92, properties }),
  ],
  [
    'SUBACK [MQTT-3.9.2-1] [MQTT-3.9.2-2]',
    (properties) => ({ type: P.Suback, packetIdentifier: 1, reasonCodes: [0x87], properties }),
  ],
  [
    'UNSUBACK [MQTT-3.11.2-1] [MQTT-3.11.2-2]',
    (properties) => ({ type: P.Unsuback, packetIdentifier: 1, reasonCodes: [0x87], properties }),
  ],
  [
    'DISCONNECT [MQTT-3.14.2-3] [MQTT-3.14.2-4]',
    (properties) => ({ type: P.Disconnect, reasonCode: 0x8e, properties }),
  ],
];

describe('Maximum Packet Size', () => {
  it.each(ANSWERS)('K-34 %s loses User Properties first, then the Reason String [MQTT-3.1.2-24]', (_, make) => {
    const size = (properties: Properties | null) => encodePacket(5, make(properties))?.length ?? 0;
    const kept = (maximumPacketSize: number) => {
      const encoded = encodePacket(5, make(BOTH), maximumPacketSize);
      if (encoded === null) return 'nothing';
      expect(encoded.length).toBeLessThanOrEqual(maximumPacketSize);
      const decoded = decodeBytes(5, encoded);
      return typeof decoded === 'object' && 'properties' in decoded ? decoded.properties : 'refused';
    };
    expect(kept(size(BOTH))).toEqual(BOTH);
    expect(kept(size(BOTH) - 1)).toEqual(REASON);
    expect(kept(size(REASON))).toEqual(REASON);
    expect(kept(size(REASON) - 1)).toBeNull();
    expect(kept(size(null))).toBeNull();
    expect(kept(size(null) - 1)).toBe('nothing');
  });

  it('AUTH loses them too, but never its Authentication Method [MQTT-3.15.2-2] [MQTT-3.15.2-3]', () => {
    const auth = (properties: Properties): Packet => ({ type: P.Auth, reasonCode: 0x18, properties });
    const method: Properties = { authenticationMethod: 'm' };
    const size = encodePacket(5, auth(method))?.length ?? 0;
    const light = encodePacket(5, auth({ ...BOTH, ...method }), size);
    expect(light && decodeBytes(5, light)).toEqual(auth(method));
    expect(encodePacket(5, auth({ ...BOTH, ...method }), size - 1)).toBeNull();
  });

  it('a PUBLISH loses nothing: it is not sent at all [MQTT-3.1.2-25] [MQTT-3.3.2-17]', () => {
    const message: PublishPacket = {
      type: P.Publish,
      topicName: 'a',
      payload: new Uint8Array(100),
      qos: 0,
      dup: false,
      retain: false,
      packetIdentifier: 0,
      properties: { userProperties: [['k', 'v']] },
    };
    const size = encodePacket(5, message)?.length ?? 0;
    expect(encodePacket(5, message, size)?.length).toBe(size);
    expect(encodePacket(5, message, size - 1)).toBeNull();
  });

  it('requests lose nothing either', () => {
    const unsubscribe: Packet = { type: P.Unsubscribe, packetIdentifier: 1, topicFilters: ['a'], properties: BOTH };
    expect(encodePacket(5, unsubscribe, 20)).toBeNull();
    expect(encodePacket(5, { type: P.Pingreq }, 1)).toBeNull();
    expect(encodePacket(5, { type: P.Pingresp }, 2)).toEqual(packet(0xd0));
  });

  it('an answer without anything to lose is not sent', () => {
    expect(encodePacket(5, { type: P.Suback, packetIdentifier: 1, reasonCodes: [0], properties: null }, 4)).toBeNull();
    const referred: Packet = { type: P.Disconnect, reasonCode: 0x9d, properties: { serverReference: 'elsewhere' } };
    expect(encodePacket(5, referred, 8)).toBeNull();
  });
});

describe('3.x', () => {
  it.each([3, 4] as const)('level %i: properties and Reason Codes are left out', (level) => {
    const puback: Packet = { type: P.Puback, packetIdentifier: 1, reasonCode: 0x87, properties: BOTH };
    expect(hex(encodePacket(level, puback) ?? new Uint8Array(0))).toBe('40 02 00 01');
    const unsuback: Packet = { type: P.Unsuback, packetIdentifier: 1, reasonCodes: [0x11], properties: BOTH };
    expect(hex(encodePacket(level, unsuback) ?? new Uint8Array(0))).toBe('b0 02 00 01');
    const disconnect: Packet = { type: P.Disconnect, reasonCode: 0x8e, properties: BOTH };
    expect(hex(encodePacket(level, disconnect) ?? new Uint8Array(0))).toBe('e0 00');
    expect(encodePacket(level, { type: P.Auth, reasonCode: 0x18, properties: null })).toBeNull();
    expect(encodePacket(level, puback, 3)).toBeNull();
  });

  it('K-64 a PUBLISH with properties is written without them', () => {
    const message: PublishPacket = {
      type: P.Publish,
      topicName: 'a',
      payload: Uint8Array.of(9),
      qos: 1,
      dup: false,
      retain: false,
      packetIdentifier: 3,
      properties: { contentType: 'text/plain' },
    };
    expect(encodePacket(4, message)).toEqual(packet(0x32, 'a', u16(3), 9));
  });

  it('a failed subscription is 0x80 on 3.1.1 and a grant on 3.1 (mqtt.md, 2.2) [v3.1.1 MQTT-3.9.3-2]', () => {
    const suback: Packet = {
      type: P.Suback,
      packetIdentifier: 1,
      reasonCodes: [0, 1, 2, 0x87, 0x8f],
      properties: null,
    };
    expect(encodePacket(4, suback)).toEqual(packet(0x90, u16(1), 0, 1, 2, 0x80, 0x80));
    expect(encodePacket(3, suback)).toEqual(packet(0x90, u16(1), 0, 1, 2, 0, 0));
  });

  it('Session Present exists on 3.1.1 and not on 3.1', () => {
    const connack: Packet = { type: P.Connack, sessionPresent: true, reasonCode: 0, properties: null };
    expect(encodePacket(4, connack)).toEqual(packet(0x20, 1, 0));
    expect(encodePacket(3, connack)).toEqual(packet(0x20, 0, 0));
  });
});

describe('values that no field can hold', () => {
  const long = 'x'.repeat(65_536);
  const connect: ConnectPacket = {
    type: P.Connect,
    level: 5,
    clientId: 'a',
    cleanStart: true,
    keepAlive: 0,
    will: null,
    username: null,
    password: null,
    properties: null,
  };
  const message: PublishPacket = {
    type: P.Publish,
    topicName: 'a',
    payload: new Uint8Array(0),
    qos: 0,
    dup: false,
    retain: false,
    packetIdentifier: 0,
    properties: null,
  };

  it('give null instead of a broken packet [MQTT-4.7.3-3]', () => {
    expect(encodePacket(5, { ...connect, clientId: long })).toBeNull();
    expect(encodePacket(5, { ...connect, username: long })).toBeNull();
    expect(encodePacket(5, { ...connect, password: new Uint8Array(65_536) })).toBeNull();
    expect(encodePacket(5, { ...connect, properties: { authenticationMethod: long } })).toBeNull();
    expect(encodePacket(4, { ...connect, level: 4, clientId: long })).toBeNull();
    expect(encodePacket(5, { ...message, topicName: long })).toBeNull();
    expect(encodePacket(5, { ...message, properties: { contentType: long } })).toBeNull();
    expect(encodePacket(5, { ...connect, clientId: long.slice(1) })?.length).toBe(65_552);
  });

  it('are dropped with the properties that may be', () => {
    const refusal: Packet = {
      type: P.Disconnect,
      reasonCode: 0x87,
      properties: { ...REASON, userProperties: [['k', long]] },
    };
    const encoded = encodePacket(5, refusal);
    expect(encoded && decodeBytes(5, encoded)).toEqual({ ...refusal, properties: REASON });
  });

  it('a CONNECT is written for its own level', () => {
    const encoded = encodePacket(5, { ...connect, level: 3 });
    expect(encoded).toEqual(packet(0x10, 'MQIsdp', 3, 2, u16(0), 'a'));
  });
});
