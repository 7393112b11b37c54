import { type AcknowledgementPacket, PacketType, type PublishPacket } from '../packets.ts';
import type { BadVector, LegalVector } from './vector.ts';
import { bytes, packet, props, sized, u16, u32, vbi } from './wire.ts';

const PAYLOAD = Uint8Array.of(1, 2, 3);
const EMPTY = new Uint8Array(0);
const MESSAGE: PublishPacket = {
  type: PacketType.Publish,
  topicName: 'a/b',
  payload: PAYLOAD,
  qos: 0,
  dup: false,
  retain: false,
  packetIdentifier: 0,
  properties: null,
};

export const LEGAL_PUBLISHES: readonly LegalVector[] = [
  {
    title: 'QoS 0 without a Packet Identifier [MQTT-2.2.1-2]',
    levels: [3, 4],
    bytes: packet(0x30, 'a/b', PAYLOAD),
    packet: MESSAGE,
    otherLegalLengths: [5, 6, 7, 9],
  },
  {
    title: 'QoS 0 on 5.0 [MQTT-2.2.1-2]',
    levels: [5],
    bytes: packet(0x30, 'a/b', 0, PAYLOAD),
    packet: MESSAGE,
    otherLegalLengths: [6, 7, 8, 10],
  },
  {
    title: 'the shortest PUBLISH of 5.0',
    levels: [5],
    bytes: packet(0x30, 'a', 0),
    packet: { ...MESSAGE, topicName: 'a', payload: EMPTY },
    otherLegalLengths: [5],
  },
  {
    title: 'QoS 1 with RETAIN',
    levels: [3, 4],
    bytes: packet(0x33, 'a/b', u16(65_535), PAYLOAD),
    packet: { ...MESSAGE, qos: 1, retain: true, packetIdentifier: 65_535 },
    otherLegalLengths: [7, 8, 9, 11],
  },
  {
    title: 'QoS 2 with DUP',
    levels: [3, 4],
    bytes: packet(0x3c, 'a/b', u16(1)),
    packet: { ...MESSAGE, qos: 2, dup: true, packetIdentifier: 1, payload: EMPTY },
    otherLegalLengths: [8],
  },
  {
    title: 'QoS 2 with DUP and RETAIN on 5.0',
    levels: [5],
    bytes: packet(0x3d, 'a/b', u16(256), 0),
    packet: { ...MESSAGE, qos: 2, dup: true, retain: true, packetIdentifier: 256, payload: EMPTY },
    otherLegalLengths: [9],
  },
  {
    title: 'an empty Topic Name with a Topic Alias (U-6)',
    levels: [5],
    bytes: packet(0x30, '', props(0x23, u16(1))),
    packet: { ...MESSAGE, topicName: '', payload: EMPTY, properties: { topicAlias: 1 } },
    otherLegalLengths: [7],
  },
  {
    title: 'every property, with several Subscription Identifiers (mqtt.md, section 3)',
    levels: [5],
    bytes: packet(
      0x32,
      'a/b',
      u16(7),
      props(
        ...[0x01, 0, 0x02, u32(0xffff_ffff), 0x03, '', 0x08, 'r', 0x09, sized([])],
        ...[0x0b, vbi(1), 0x0b, vbi(128), 0x0b, vbi(268_435_455), 0x23, u16(65_535), 0x26, 'b', '1', 0x26, 'a', '2'],
      ),
    ),
    packet: {
      ...MESSAGE,
      qos: 1,
      packetIdentifier: 7,
      payload: EMPTY,
      properties: {
        payloadFormatIndicator: 0,
        messageExpiryInterval: 0xffff_ffff,
        contentType: '',
        responseTopic: 'r',
        correlationData: EMPTY,
        subscriptionIdentifiers: [1, 128, 268_435_455],
        topicAlias: 65_535,
        userProperties: [
          ['b', '1'],
          ['a', '2'],
        ],
      },
    },
    otherLegalLengths: [53],
  },
  {
    title: 'a Topic Name of two, three and four byte characters [MQTT-1.5.4-1]',
    levels: [3, 4],
    bytes: packet(0x30, 'é/温度/🌡'),
    packet: { ...MESSAGE, topicName: 'é/温度/🌡', payload: EMPTY },
    otherLegalLengths: [17],
  },
];

const ALL = [
  [3, []],
  [4, []],
  [5, [0]],
] as const;

export const BAD_PUBLISHES: readonly BadVector[] = [
  ...ALL.flatMap(([level, none]): BadVector[] => [
    ...[0x36, 0x37, 0x3e, 0x3f].map(
      (firstByte): BadVector => ({
        title: `QoS 3 as 0x${firstByte.toString(16)} [MQTT-3.3.1-4]`,
        levels: [level],
        bytes: packet(firstByte, 'a/b', u16(1), none),
        code: 0x81,
      }),
    ),
    {
      title: 'DUP on QoS 0 [MQTT-3.3.1-2]',
      levels: [level],
      bytes: packet(0x38, 'a/b', none),
      code: 0x81,
    },
    {
      title: 'Packet Identifier 0 on QoS 1 [MQTT-2.2.1-3]',
      levels: [level],
      bytes: packet(0x32, 'a/b', u16(0), none),
      code: 0x82,
    },
    {
      title: 'Packet Identifier 0 on QoS 2 [MQTT-2.2.1-3]',
      levels: [level],
      bytes: packet(0x34, 'a/b', u16(0), none),
      code: 0x82,
    },
    ...['+', 'a/+', '#', 'a/#', 'a+b', 'ü/#'].map(
      (topicName): BadVector => ({
        title: `the Topic Name ${topicName} [MQTT-3.3.2-2]`,
        levels: [level],
        bytes: packet(0x30, topicName, none),
        code: 0x81,
      }),
    ),
    {
      title: 'an empty Topic Name without alias (U-6) [MQTT-4.7.3-1]',
      levels: [level],
      bytes: packet(0x30, '', none, PAYLOAD),
      code: 0x82,
    },
    {
      title: 'an empty body [MQTT-3.3.2-1]',
      levels: [level],
      bytes: packet(0x30),
      code: 0x81,
    },
    {
      title: 'a Topic Name longer than the packet [MQTT-3.3.2-1]',
      levels: [level],
      bytes: packet(0x30, u16(4), [0x61, 0x62, 0x63]),
      code: 0x81,
    },
  ]),
  {
    title: 'U-6 an empty Topic Name with properties, but no alias',
    levels: [5],
    bytes: packet(0x30, '', props(0x01, 1, 0x26, 'k', 'v')),
    code: 0x82,
  },
  {
    title: 'no Property Length [MQTT-2.2.2-1]',
    levels: [5],
    bytes: packet(0x30, 'a/b'),
    code: 0x81,
  },
  {
    title: 'a Property Length that is not the shortest [MQTT-1.5.5-1]',
    levels: [5],
    bytes: packet(0x30, 'a/b', [0x80, 0x00]),
    code: 0x81,
  },
  {
    title: 'a Property Length of five bytes [MQTT-1.5.5-1]',
    levels: [5],
    bytes: packet(0x30, 'a/b', [0x80, 0x80, 0x80, 0x80, 0x01]),
    code: 0x81,
  },
  {
    title: 'Topic Alias 0 [MQTT-3.3.2-8]',
    levels: [5],
    bytes: packet(0x30, 'a/b', props(0x23, u16(0))),
    code: 0x94,
  },
  ...['r/+', '#', ''].map(
    (responseTopic): BadVector => ({
      title: `the Response Topic "${responseTopic}" [MQTT-3.3.2-14]`,
      levels: [5],
      bytes: packet(0x30, 'a/b', props(0x08, responseTopic)),
      code: 0x82,
    }),
  ),
  {
    title: 'a Subscription Identifier from a client [MQTT-3.3.4-6]',
    levels: [5],
    bytes: packet(0x30, 'a/b', props(0x0b, 1)),
    code: 0x82,
    sender: 'client',
  },
  {
    title: 'U-22 65 User Properties',
    levels: [5],
    bytes: packet(0x30, 'a/b', props(...Array.from({ length: 65 }, () => bytes(0x26, 'k', 'v')))),
    code: 0x97,
  },
];

type AcknowledgementType = AcknowledgementPacket['type'];
const ACKNOWLEDGEMENTS: readonly (readonly [string, AcknowledgementType, number, 0x87 | 0x92])[] = [
  ['PUBACK', PacketType.Puback, 0x40, 0x87],
  ['PUBREC', PacketType.Pubrec, 0x50, 0x87],
  ['PUBREL', PacketType.Pubrel, 0x62, 0x92],
  ['PUBCOMP', PacketType.Pubcomp, 0x70, 0x92],
];

export const LEGAL_ACKNOWLEDGEMENTS: readonly LegalVector[] = ACKNOWLEDGEMENTS.flatMap(
  ([name, type, firstByte, code]): LegalVector[] => [
    {
      title: `${name} of two bytes on 3.x`,
      levels: [3, 4],
      bytes: packet(firstByte, u16(258)),
      packet: { type, packetIdentifier: 258, reasonCode: 0, properties: null },
    },
    {
      title: `${name} of two bytes means Success`,
      levels: [5],
      bytes: packet(firstByte, u16(258)),
      packet: { type, packetIdentifier: 258, reasonCode: 0, properties: null },
      otherLegalLengths: [3], // the byte that is added is 0, Success
    },
    {
      title: `${name} with a Reason Code and no properties`,
      levels: [5],
      bytes: packet(firstByte, u16(1), code),
      packet: { type, packetIdentifier: 1, reasonCode: code, properties: null },
      otherLegalLengths: [2, 4], // the byte that is added is 0, a Property Length
    },
    {
      title: `${name} with a Reason Code and an empty Property Length`,
      levels: [5],
      bytes: packet(firstByte, u16(1), 0, 0),
      packet: { type, packetIdentifier: 1, reasonCode: 0, properties: null },
      otherLegalLengths: [2, 3],
      notShortest: true,
    },
    {
      title: `${name} with all its properties`,
      levels: [5],
      bytes: packet(firstByte, u16(1), code, props(0x1f, 'why', 0x26, 'k', 'v')),
      packet: {
        type,
        packetIdentifier: 1,
        reasonCode: code,
        properties: { reasonString: 'why', userProperties: [['k', 'v']] },
      },
      otherLegalLengths: [2, 3],
    },
  ],
);

export const BAD_ACKNOWLEDGEMENTS: readonly BadVector[] = ACKNOWLEDGEMENTS.flatMap(
  ([name, , firstByte]): BadVector[] => [
    {
      title: `${name} with Packet Identifier 0 (mqtt.md, section 5)`,
      levels: [3, 4, 5],
      bytes: packet(firstByte, u16(0)),
      code: 0x82,
    },
    {
      title: `${name} with a byte too many on 3.x`,
      levels: [3, 4],
      bytes: packet(firstByte, u16(1), 0),
      code: 0x81,
    },
    {
      title: `${name} with a byte too many on 5.0`,
      levels: [5],
      bytes: packet(firstByte, u16(1), 0, 0, 0),
      code: 0x81,
    },
    {
      title: `${name} with half a Packet Identifier`,
      levels: [3, 4, 5],
      bytes: packet(firstByte, 1),
      code: 0x81,
    },
  ],
);
