import { encodePacket, type Packet, PacketType, type ProtocolLevel } from '@moorage/mqtt-codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describePacket } from './packet-summary.ts';

const encoder = new TextEncoder();

function summaryOf(packet: Packet, level: ProtocolLevel = 5) {
  const bytes = encodePacket(level, packet);
  if (bytes === null) throw new TypeError('The packet cannot be encoded.');
  const summary = describePacket(level, bytes);
  expect(summary).toMatchObject({ sizeBytes: bytes.length, problem: null });
  return Object.fromEntries(Object.entries(summary).filter(([name, value]) => value !== null && name !== 'sizeBytes'));
}

const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

describe('a packet in a trace', () => {
  it('PUBLISH has topic, flags, identifier, properties and the beginning of its payload', () => {
    const packet: Packet = {
      type: PacketType.Publish,
      topicName: 'plant/1',
      payload: encoder.encode('{"a":1}'),
      qos: 1,
      dup: true,
      retain: true,
      packetIdentifier: 7,
      properties: {
        topicAlias: 3,
        contentType: 'application/json',
        correlationData: Uint8Array.of(1, 255),
        subscriptionIdentifiers: [5, 6],
        userProperties: [['a', 'b']],
      },
    };
    expect(summaryOf(packet)).toEqual({
      type: 'PUBLISH',
      topicName: 'plant/1',
      qos: 1,
      dup: true,
      retain: true,
      packetIdentifier: 7,
      payloadBytes: 7,
      payload: { text: '{"a":1}', hex: null, cut: false },
      properties: {
        topicAlias: 3,
        contentType: 'application/json',
        correlationData: '01ff',
        subscriptionIdentifiers: [5, 6],
        userProperties: [['a', 'b']],
      },
    });
    const quiet = { ...packet, qos: 0, dup: false, retain: false, packetIdentifier: 0, properties: null } as const;
    expect(summaryOf(quiet, 4)).toEqual({
      type: 'PUBLISH',
      topicName: 'plant/1',
      qos: 0,
      dup: false,
      retain: false,
      payloadBytes: 7,
      payload: { text: '{"a":1}', hex: null, cut: false },
    });
  });

  it.each([
    [
      { type: PacketType.Connack, sessionPresent: true, reasonCode: 0, properties: { receiveMaximum: 100 } },
      { type: 'CONNACK', sessionPresent: true, reasonCodes: [0], properties: { receiveMaximum: 100 } },
    ],
    [
      { type: PacketType.Puback, packetIdentifier: 3, reasonCode: 0x10, properties: null },
      { type: 'PUBACK', packetIdentifier: 3, reasonCodes: [0x10] },
    ],
    [
      { type: PacketType.Pubrel, packetIdentifier: 3, reasonCode: 0, properties: null },
      { type: 'PUBREL', packetIdentifier: 3, reasonCodes: [0] },
    ],
    [
      {
        type: PacketType.Subscribe,
        packetIdentifier: 4,
        subscriptions: [{ topicFilter: 'a/#', options }],
        properties: null,
      },
      { type: 'SUBSCRIBE', packetIdentifier: 4, topicFilters: [{ topicFilter: 'a/#', qos: 1 }] },
    ],
    [
      { type: PacketType.Suback, packetIdentifier: 4, reasonCodes: [1, 0x87], properties: null },
      { type: 'SUBACK', packetIdentifier: 4, reasonCodes: [1, 0x87] },
    ],
    [
      { type: PacketType.Unsubscribe, packetIdentifier: 4, topicFilters: ['a'], properties: null },
      { type: 'UNSUBSCRIBE', packetIdentifier: 4, topicFilters: [{ topicFilter: 'a', qos: null }] },
    ],
    [
      { type: PacketType.Unsuback, packetIdentifier: 4, reasonCodes: [0x11], properties: null },
      { type: 'UNSUBACK', packetIdentifier: 4, reasonCodes: [0x11] },
    ],
    [{ type: PacketType.Pingreq }, { type: 'PINGREQ' }],
    [{ type: PacketType.Pingresp }, { type: 'PINGRESP' }],
    [
      { type: PacketType.Disconnect, reasonCode: 0x8e, properties: { reasonString: 'taken over' } },
      { type: 'DISCONNECT', reasonCodes: [0x8e], properties: { reasonString: 'taken over' } },
    ],
  ] as const)('%j shows what it has', (packet, expected) => {
    const summary = summaryOf(packet as Packet);
    const { properties, ...rest } = summary;
    expect(properties === undefined || Object.keys(properties).length === 0 ? rest : summary).toEqual(expected);
  });

  it('shows nothing of CONNECT, and no authentication data', () => {
    const connect: Packet = {
      type: PacketType.Connect,
      level: 5,
      clientId: 'client-name',
      cleanStart: true,
      keepAlive: 0,
      will: null,
      username: 'user-name',
      password: encoder.encode('password'),
      properties: null,
    };
    expect(summaryOf(connect)).toEqual({ type: 'CONNECT' });
    const properties = { authenticationMethod: 'SCRAM', authenticationData: encoder.encode('password') };
    expect(summaryOf({ type: PacketType.Auth, reasonCode: 0x18, properties })).toMatchObject({
      type: 'AUTH',
      properties: { authenticationMethod: 'SCRAM', authenticationData: '***' },
    });
  });

  it('is bounded, whatever the packet holds', () => {
    const long = 'x'.repeat(60_000);
    const publish: Packet = {
      type: PacketType.Publish,
      topicName: long,
      payload: new Uint8Array(1_000_000),
      qos: 0,
      dup: false,
      retain: false,
      packetIdentifier: 0,
      properties: {
        contentType: long,
        responseTopic: long,
        correlationData: new Uint8Array(60_000),
        userProperties: Array.from({ length: 2_000 }, () => ['k'.repeat(1_000), 'v'.repeat(1_000)] as const),
      },
    };
    expect(JSON.stringify(summaryOf(publish)).length).toBeLessThan(30_000);
    const subscriptions = Array.from({ length: 1_000 }, () => ({ topicFilter: 'f'.repeat(1_000), options }));
    const subscribe: Packet = { type: PacketType.Subscribe, packetIdentifier: 1, subscriptions, properties: null };
    expect(JSON.stringify(summaryOf(subscribe)).length).toBeLessThan(40_000);
  });

  it('tells the size of a payload that is still to be read from a file', () => {
    const packet: Packet = {
      type: PacketType.Publish,
      topicName: 'fw',
      payload: new Uint8Array(5_000),
      qos: 1,
      dup: false,
      retain: false,
      packetIdentifier: 7,
      properties: null,
    };
    const bytes = encodePacket(5, packet) ?? new Uint8Array(0);
    expect(describePacket(5, bytes.subarray(0, bytes.length - 5_000))).toMatchObject({
      topicName: 'fw',
      packetIdentifier: 7,
      sizeBytes: bytes.length,
      payloadBytes: 5_000,
      payload: { text: null, hex: null, cut: true },
      problem: null,
    });
  });

  it('says what is wrong with bytes that are no packet, and never throws', () => {
    expect(describePacket(5, Uint8Array.of())).toMatchObject({ type: 'RESERVED', problem: expect.any(String) });
    expect(describePacket(5, Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 1))).toMatchObject({
      type: 'PUBLISH',
      problem: expect.any(String),
    });
    expect(describePacket(5, Uint8Array.of(0x30, 0x02, 0, 9))).toMatchObject({ problem: expect.any(String) });
    fc.assert(
      fc.property(fc.constantFrom<ProtocolLevel>(3, 4, 5), fc.uint8Array({ maxLength: 200 }), (level, bytes) => {
        expect(describePacket(level, bytes).type).toEqual(expect.any(String));
      }),
    );
  });
});
