import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePacket, readAcknowledgement, readPublish } from './decode.ts';
import { encodePacket } from './encode.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { type Packet, PacketType, type Properties, type ProtocolLevel, type QoS } from './packets.ts';
import { PROPERTY_TABLE, type PropertyOwner, WILL_PROPERTIES } from './properties/property-table.ts';
import { ProtocolError } from './protocol-error.ts';
import { AcknowledgementFields, PublishFields } from './publish-fields.ts';
import { LegalReasonCodes } from './reason-code-tables.ts';
import { isText } from './text.ts';
import { isTopicFilter, parseSharedFilter } from './topics/topic-filter.ts';
import { isTopicName } from './topics/topic-name.ts';
import { decodeBytes } from './vectors/decode-bytes.ts';
import { bodyOf, hex, readText } from './vectors/wire.ts';

const P = PacketType;
const text = fc.string({ unit: 'binary', maxLength: 20 }).filter(isText);
const binary = fc.uint8Array({ maxLength: 20 }).map((value) => Uint8Array.from(value));
const identifier = fc.integer({ min: 1, max: 65_535 });
const topicName = text.filter(isTopicName);
const level = fc.constantFrom('', 'a', 'bc', '+', 'é', '$x');
const topicFilter = fc
  .tuple(
    fc.constantFrom('', '', '$share/g/'),
    fc.array(level, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '', '/#'),
  )
  .map(([share, levels, end]) => `${share}${levels.join('/')}${end}`)
  .filter(isTopicFilter);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const pairs = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });

/** Any properties that may stand in a packet; null stands for none. */
function properties(protocolLevel: ProtocolLevel, owner: PropertyOwner): fc.Arbitrary<Properties | null> {
  if (protocolLevel !== 5) return fc.constant(null);
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { key, type, owners } of PROPERTY_TABLE) {
    if (!owners.includes(owner)) continue;
    const min = ['receiveMaximum', 'maximumPacketSize', 'topicAlias'].includes(key) ? 1 : 0;
    if (type === 'flag') fields[key] = fc.constantFrom(0, 1);
    else if (type === 'twoBytes') fields[key] = fc.integer({ min, max: 65_535 });
    else if (type === 'fourBytes') fields[key] = fc.integer({ min, max: 0xffff_ffff });
    else if (type === 'text') fields[key] = key === 'responseTopic' ? topicName : text;
    else if (type === 'binary') fields[key] = binary;
    else if (type === 'pair') fields[key] = pairs;
    else {
      const value = fc.integer({ min: 1, max: 268_435_455 });
      fields[key] = fc.array(value, { minLength: 1, maxLength: owner === P.Publish ? 4 : 1 });
    }
  }
  const requiredKeys = owner === P.Auth ? ['authenticationMethod'] : [];
  return fc
    .record(fields, { requiredKeys })
    .filter((made) => !('authenticationData' in made) || 'authenticationMethod' in made)
    .map((made) => (Object.keys(made).length === 0 ? null : (made as Properties)));
}

function codes(type: PacketType): number[] {
  const legal = LegalReasonCodes.get(type);
  return [...new Set([...(legal?.client ?? []), ...(legal?.server ?? [])])];
}

function connects(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet> {
  const will = fc.record({
    topicName,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: properties(protocolLevel, WILL_PROPERTIES),
  });
  return fc
    .record({
      type: fc.constant(P.Connect),
      level: fc.constant(protocolLevel),
      clientId: text,
      cleanStart: fc.boolean(),
      keepAlive: fc.integer({ min: 0, max: 65_535 }),
      will: fc.option(will),
      username: fc.option(text),
      password: fc.option(binary),
      properties: properties(protocolLevel, P.Connect),
    })
    .map((connect) => (protocolLevel !== 5 && connect.username === null ? { ...connect, password: null } : connect));
}

function publishes(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet> {
  return fc
    .record({
      type: fc.constant(P.Publish),
      topicName,
      payload: fc.uint8Array({ maxLength: 300 }).map((value) => Uint8Array.from(value)),
      qos,
      dup: fc.boolean(),
      retain: fc.boolean(),
      packetIdentifier: identifier,
      properties: properties(protocolLevel, P.Publish),
    })
    .map((message) => {
      const named =
        message.properties?.topicAlias !== undefined && message.dup ? { ...message, topicName: '' } : message;
      return named.qos === 0 ? { ...named, dup: false, packetIdentifier: 0 } : named;
    });
}

function acknowledgements(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet>[] {
  return [P.Puback, P.Pubrec, P.Pubrel, P.Pubcomp].map((type) =>
    fc.record({
      type: fc.constant(type),
      packetIdentifier: identifier,
      reasonCode: fc.constantFrom(...(protocolLevel === 5 ? codes(type) : [0])),
      properties: properties(protocolLevel, type),
    }),
  ) as fc.Arbitrary<Packet>[];
}

function requests(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet>[] {
  const options = fc.record({
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  });
  const subscription = fc.record({ topicFilter, options }).map((made) => {
    const { qos: wanted, noLocal } = made.options;
    if (protocolLevel !== 5) {
      return {
        ...made,
        options: { qos: wanted, noLocal: false, retainAsPublished: false, retainHandling: 0 as const },
      };
    }
    const isShared = parseSharedFilter(made.topicFilter) !== null;
    return { ...made, options: { ...made.options, noLocal: noLocal && !isShared } };
  });
  return [
    fc.record({
      type: fc.constant(P.Subscribe),
      packetIdentifier: identifier,
      subscriptions: fc.array(subscription, { minLength: 1, maxLength: 5 }),
      properties: properties(protocolLevel, P.Subscribe),
    }),
    fc.record({
      type: fc.constant(P.Unsubscribe),
      packetIdentifier: identifier,
      topicFilters: fc.array(topicFilter, { minLength: 1, maxLength: 5 }),
      properties: properties(protocolLevel, P.Unsubscribe),
    }),
  ];
}

function answers(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet>[] {
  const subackCodes = { 3: [0, 1, 2], 4: [0, 1, 2, 0x80], 5: codes(P.Suback) }[protocolLevel];
  const reasonCodes = (list: readonly number[]) => fc.array(fc.constantFrom(...list), { minLength: 1, maxLength: 5 });
  return [
    fc.record({
      type: fc.constant(P.Suback),
      packetIdentifier: identifier,
      reasonCodes: reasonCodes(subackCodes),
      properties: properties(protocolLevel, P.Suback),
    }),
    fc.record({
      type: fc.constant(P.Unsuback),
      packetIdentifier: identifier,
      reasonCodes: protocolLevel === 5 ? reasonCodes(codes(P.Unsuback)) : fc.constant([]),
      properties: properties(protocolLevel, P.Unsuback),
    }),
    fc
      .record({
        type: fc.constant(P.Connack),
        sessionPresent: fc.boolean(),
        reasonCode: fc.constantFrom(...(protocolLevel === 5 ? codes(P.Connack) : [0, 1, 2, 3, 4, 5])),
        properties: properties(protocolLevel, P.Connack),
      })
      .map((connack) => ({
        ...connack,
        sessionPresent: connack.sessionPresent && connack.reasonCode === 0 && protocolLevel !== 3,
      })),
  ];
}

function packets(protocolLevel: ProtocolLevel): fc.Arbitrary<Packet> {
  const disconnect = fc.record({
    type: fc.constant(P.Disconnect),
    reasonCode: fc.constantFrom(...(protocolLevel === 5 ? codes(P.Disconnect) : [0])),
    properties: properties(protocolLevel, P.Disconnect),
  }) as fc.Arbitrary<Packet>;
  const auth = fc.record({
    type: fc.constant(P.Auth),
    reasonCode: fc.constantFrom(...codes(P.Auth)),
    properties: properties(protocolLevel, P.Auth),
  }) as fc.Arbitrary<Packet>;
  return fc.oneof(
    connects(protocolLevel),
    publishes(protocolLevel),
    ...acknowledgements(protocolLevel),
    ...requests(protocolLevel),
    ...answers(protocolLevel),
    disconnect,
    fc.constant<Packet>({ type: P.Pingreq }),
    fc.constant<Packet>({ type: P.Pingresp }),
    ...(protocolLevel === 5 ? [auth] : []),
  );
}

describe.each([3, 4, 5] as const)('round trip on level %i', (protocolLevel) => {
  it('decode(encode(packet)) is the packet, and the same bytes come of it again', () => {
    fc.assert(
      fc.property(packets(protocolLevel), (packet) => {
        const encoded = encodePacket(protocolLevel, packet);
        if (encoded === null) throw new TypeError('not encoded');
        const decoded = decodeBytes(protocolLevel, encoded);
        expect(decoded).toEqual(packet);
        expect(hex(encodePacket(protocolLevel, decoded as Packet) ?? new Uint8Array(0))).toBe(hex(encoded));
      }),
      { numRuns: 700 },
    );
  });

  it('the readers of the hot path see what decodePacket sees', () => {
    const publish = new PublishFields();
    const acknowledgement = new AcknowledgementFields();
    fc.assert(
      fc.property(fc.oneof(publishes(protocolLevel), ...acknowledgements(protocolLevel)), (packet) => {
        const encoded = encodePacket(protocolLevel, packet) ?? new Uint8Array(0);
        const bodyStart = encoded.length - bodyOf(encoded).length;
        const firstByte = encoded[0] ?? 0;
        const args = [protocolLevel, firstByte, encoded, bodyStart, encoded.length, DEFAULT_LIMITS, readText] as const;
        if (packet.type === P.Publish) {
          expect(readPublish(...args, publish)).toBeNull();
          const { topicStart, topicEnd, propertiesEnd, payloadStart, payloadEnd, ...rest } = publish;
          const { type: _, payload, ...expected } = packet;
          expect(rest).toMatchObject(expected);
          expect(readText(encoded, topicStart, topicEnd)).toBe(packet.topicName);
          expect(propertiesEnd).toBe(payloadStart);
          expect(encoded.subarray(payloadStart, payloadEnd)).toEqual(payload);
        } else {
          expect(readAcknowledgement(...args, acknowledgement)).toBeNull();
          expect(packet).toMatchObject({ ...acknowledgement });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('fields of the hot path', () => {
  it('tell the range of the properties without their Property Length', () => {
    const fields = new PublishFields();
    const body = Uint8Array.of(0, 1, 0x61, 3, 0x23, 0, 5, 9);
    expect(readPublish(5, 0x30, body, 0, body.length, DEFAULT_LIMITS, readText, fields)).toBeNull();
    expect(fields).toMatchObject({ propertiesStart: 4, propertiesEnd: 7, payloadStart: 7, payloadEnd: 8 });
    expect(fields.properties).toEqual({ topicAlias: 5 });
  });

  it('forget the properties of the packet before', () => {
    const fields = new PublishFields();
    const first = Uint8Array.of(0, 1, 0x61, 3, 0x23, 0, 5);
    const second = Uint8Array.of(0, 1, 0x61, 0);
    readPublish(5, 0x32 & 0xf0, first, 0, first.length, DEFAULT_LIMITS, readText, fields);
    readPublish(5, 0x30, second, 0, second.length, DEFAULT_LIMITS, readText, fields);
    expect(fields).toMatchObject({ properties: null, propertiesStart: 4, propertiesEnd: 4 });
  });

  it('readAcknowledgement refuses other packets and broken properties', () => {
    const fields = new AcknowledgementFields();
    const read = (firstByte: number, body: Uint8Array) =>
      readAcknowledgement(5, firstByte, body, 0, body.length, DEFAULT_LIMITS, readText, fields);
    expect(read(0x30, Uint8Array.of(0, 1))).toBeInstanceOf(ProtocolError);
    expect(read(0x40, Uint8Array.of(0, 1, 0, 5))).toMatchObject({ reasonCode: 0x81 });
    expect(read(0x41, Uint8Array.of(0, 1))).toMatchObject({ clause: 'MQTT-2.1.3-1' });
    expect(read(0x40, Uint8Array.of(0, 1, 0, 0))).toBeNull();
  });

  it('the payload is a view, everything else a copy', () => {
    const body = Uint8Array.of(0, 1, 0x61, 5, 0x09, 0, 2, 7, 8, 1, 2, 3);
    const packet = decodePacket(5, 0x30, body, 0, body.length, DEFAULT_LIMITS, readText);
    if (packet instanceof ProtocolError || packet.type !== P.Publish) throw new TypeError('not a PUBLISH');
    expect(packet.payload.buffer).toBe(body.buffer);
    body.fill(0xff);
    expect(packet.properties?.correlationData).toEqual(Uint8Array.of(7, 8));
    expect(packet.payload).toEqual(Uint8Array.of(0xff, 0xff, 0xff));
  });
});
