import { type ConnectPacket, PacketType } from '../packets.ts';
import type { BadVector, LegalVector } from './vector.ts';
import { bytes, packet, props, sized, u16, u32 } from './wire.ts';

const PLAIN: ConnectPacket = {
  type: PacketType.Connect,
  level: 4,
  clientId: 'a',
  cleanStart: true,
  keepAlive: 60,
  will: null,
  username: null,
  password: null,
  properties: null,
};
const HEAD_3 = bytes('MQIsdp', 3);
const HEAD_4 = bytes('MQTT', 4);
const HEAD_5 = bytes('MQTT', 5);
const CONNECT = 0x10;
const MESSAGE = Uint8Array.of(0, 255, 7);

export const LEGAL_CONNECTS: readonly LegalVector[] = [
  {
    title: 'a plain CONNECT of 3.1',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x02, u16(60), 'a'),
    packet: { ...PLAIN, level: 3 },
  },
  {
    title: 'a plain CONNECT of 3.1.1 [v3.1.1 MQTT-3.1.3-3]',
    levels: [4],
    bytes: packet(CONNECT, HEAD_4, 0x02, u16(60), 'a'),
    packet: PLAIN,
  },
  {
    title: 'a plain CONNECT of 5.0 [MQTT-3.1.3-3]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x02, u16(60), 0, 'a'),
    packet: { ...PLAIN, level: 5 },
  },
  {
    title: 'the shortest CONNECT of 5.0, with an empty Client Identifier [MQTT-3.1.3-6]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x00, u16(0), 0, ''),
    packet: { ...PLAIN, level: 5, clientId: '', cleanStart: false, keepAlive: 0 },
  },
  {
    title: 'every payload field of 3.1.1 in its order [v3.1.1 MQTT-3.1.3-1]',
    levels: [4],
    bytes: packet(CONNECT, HEAD_4, 0xec, u16(65_535), 'client', 'will/topic', sized(MESSAGE), 'user', sized(MESSAGE)),
    packet: {
      ...PLAIN,
      clientId: 'client',
      cleanStart: false,
      keepAlive: 65_535,
      will: { topicName: 'will/topic', payload: MESSAGE, qos: 1, retain: true, properties: null },
      username: 'user',
      password: MESSAGE,
    },
  },
  {
    title: 'every payload field of 3.1 in its order',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0xd4, u16(1), 'client', 'w', sized([]), '', sized([])),
    packet: {
      ...PLAIN,
      level: 3,
      clientId: 'client',
      cleanStart: false,
      keepAlive: 1,
      will: { topicName: 'w', payload: new Uint8Array(0), qos: 2, retain: false, properties: null },
      username: '',
      password: new Uint8Array(0),
    },
    // The user name may be missing as a whole, but then not with the Password Flag.
  },
  {
    title: 'every payload field and property of 5.0 in its order [MQTT-3.1.3-1]',
    levels: [5],
    bytes: packet(
      CONNECT,
      HEAD_5,
      0xf6,
      u16(10),
      props(
        ...[0x11, u32(0xffff_ffff), 0x15, 'SCRAM', 0x16, sized(MESSAGE), 0x17, 0, 0x19, 1, 0x21, u16(1)],
        ...[0x22, u16(65_535), 0x26, 'k', 'v', 0x26, 'k', '', 0x27, u32(1)],
      ),
      'client',
      props(
        ...[0x01, 1, 0x02, u32(0), 0x03, 'text/plain', 0x08, 're/ply', 0x09, sized(MESSAGE), 0x18, u32(5)],
        ...[0x26, '', ''],
      ),
      'will/topic',
      sized(MESSAGE),
      'user',
      sized(MESSAGE),
    ),
    packet: {
      ...PLAIN,
      level: 5,
      clientId: 'client',
      keepAlive: 10,
      will: {
        topicName: 'will/topic',
        payload: MESSAGE,
        qos: 2,
        retain: true,
        properties: {
          payloadFormatIndicator: 1,
          messageExpiryInterval: 0,
          contentType: 'text/plain',
          responseTopic: 're/ply',
          correlationData: MESSAGE,
          willDelayInterval: 5,
          userProperties: [['', '']],
        },
      },
      username: 'user',
      password: MESSAGE,
      properties: {
        sessionExpiryInterval: 0xffff_ffff,
        authenticationMethod: 'SCRAM',
        authenticationData: MESSAGE,
        requestProblemInformation: 0,
        requestResponseInformation: 1,
        receiveMaximum: 1,
        topicAliasMaximum: 65_535,
        userProperties: [
          ['k', 'v'],
          ['k', ''],
        ],
        maximumPacketSize: 1,
      },
    },
  },
  {
    title: 'a password without a user name on 5.0 [MQTT-3.1.2-19]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x42, u16(60), 0, 'a', sized(MESSAGE)),
    packet: { ...PLAIN, level: 5, password: MESSAGE },
  },
  {
    title: 'O-31 the reserved flag on 3.1',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x03, u16(60), 'a'),
    packet: { ...PLAIN, level: 3 },
    notShortest: true,
  },
  {
    title: 'O-31 Will QoS and Will Retain without the Will Flag on 3.1',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x3a, u16(60), 'a'),
    packet: { ...PLAIN, level: 3 },
    notShortest: true,
  },
  {
    title: 'O-31 a missing user name on 3.1',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x82, u16(60), 'a'),
    packet: { ...PLAIN, level: 3 },
    notShortest: true,
  },
  {
    title: 'a user name on 3.1',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x82, u16(60), 'a', 'user'),
    packet: { ...PLAIN, level: 3, username: 'user' },
    otherLegalLengths: [15], // O-31
  },
  {
    title: 'a Client Identifier above 23 characters on 3.1 (mqtt.md, 2.1)',
    levels: [3],
    bytes: packet(CONNECT, HEAD_3, 0x02, u16(60), 'x'.repeat(200)),
    packet: { ...PLAIN, level: 3, clientId: 'x'.repeat(200) },
  },
  {
    title: 'U+FEFF in a Client Identifier, kept as it is [MQTT-1.5.4-3]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x02, u16(60), 0, sized([0xef, 0xbb, 0xbf, 0x61])),
    packet: { ...PLAIN, level: 5, clientId: '\ufeffa' },
  },
];

const OLD: readonly (3 | 4)[] = [3, 4];
const ALL_HEADS = [
  [3, HEAD_3, []],
  [4, HEAD_4, []],
  [5, HEAD_5, [0]],
] as const;

export const BAD_CONNECTS: readonly BadVector[] = [
  ...[0x11, 0x12, 0x14, 0x18, 0x1f].map(
    (firstByte): BadVector => ({
      title: `the first byte 0x${firstByte.toString(16)} [MQTT-2.1.3-1]`,
      levels: [5],
      bytes: packet(firstByte, HEAD_5, 0x02, u16(60), 0, 'a'),
      code: 0x81,
      closed: true,
    }),
  ),
  ...['', 'MQT', 'MQTTT', 'mqtt', 'MQIsdP', 'MQIsd', 'MQIsdpX', 'HTTP'].map(
    (name): BadVector => ({
      title: `the protocol name "${name}" [MQTT-3.1.2-1]`,
      levels: [5],
      bytes: packet(CONNECT, name, 5, 0x02, u16(60), 0, 'a'),
      code: 0x81,
      closed: true,
    }),
  ),
  {
    title: 'the reserved flag on 3.1.1 [v3.1.1 MQTT-3.1.2-3]',
    levels: [4],
    bytes: packet(CONNECT, HEAD_4, 0x03, u16(60), 'a'),
    code: 0x81,
  },
  {
    title: 'the reserved flag on 5.0 [MQTT-3.1.2-3]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x03, u16(60), 0, 'a'),
    code: 0x81,
  },
  ...[0x08, 0x10, 0x18, 0x20, 0x38].flatMap((flags): BadVector[] => [
    {
      title: `Will bits 0x${flags.toString(16)} without Will Flag [v3.1.1 MQTT-3.1.2-11] [v3.1.1 MQTT-3.1.2-13] [v3.1.1 MQTT-3.1.2-15]`,
      levels: [4],
      bytes: packet(CONNECT, HEAD_4, flags | 0x02, u16(60), 'a'),
      code: 0x81,
    },
    {
      title: `Will bits 0x${flags.toString(16)} without Will Flag [MQTT-3.1.2-11] [MQTT-3.1.2-13]`,
      levels: [5],
      bytes: packet(CONNECT, HEAD_5, flags | 0x02, u16(60), 0, 'a'),
      code: 0x81,
    },
  ]),
  ...OLD.flatMap((level): BadVector[] => {
    const head = level === 3 ? HEAD_3 : HEAD_4;
    return [
      {
        title: 'a password without a user name [v3.1.1 MQTT-3.1.2-22]',
        levels: [level],
        bytes: packet(CONNECT, head, 0x42, u16(60), 'a', sized(MESSAGE)),
        code: 0x81,
      },
      {
        title: 'user name and password announced, both missing [v3.1.1 MQTT-3.1.2-21]',
        levels: [level],
        bytes: packet(CONNECT, head, 0xc2, u16(60), 'a'),
        code: 0x81,
      },
      {
        title: 'Will QoS 3 [v3.1.1 MQTT-3.1.2-14]',
        levels: [level],
        bytes: packet(CONNECT, head, 0x1e, u16(60), 'a', 'w', sized([])),
        code: 0x81,
      },
    ];
  }),
  {
    title: 'a missing user name on 3.1.1 [v3.1.1 MQTT-3.1.2-19]',
    levels: [4],
    bytes: packet(CONNECT, HEAD_4, 0x82, u16(60), 'a'),
    code: 0x81,
  },
  {
    title: 'a missing user name on 5.0 [MQTT-3.1.2-17]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x82, u16(60), 0, 'a'),
    code: 0x81,
  },
  {
    title: 'Will QoS 3 on 5.0 [MQTT-3.1.2-12]',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x1e, u16(60), 0, 'a', 0, 'w', sized([])),
    code: 0x81,
  },
  ...ALL_HEADS.flatMap(([level, head, none]): BadVector[] => [
    {
      title: 'a wildcard in the Will Topic [MQTT-4.7.0-1]',
      levels: [level],
      bytes: packet(CONNECT, head, 0x06, u16(60), none, 'a', none, 'w/+', sized([])),
      code: 0x81,
    },
    {
      title: 'an empty Will Topic [MQTT-4.7.3-1]',
      levels: [level],
      bytes: packet(CONNECT, head, 0x06, u16(60), none, 'a', none, '', sized([])),
      code: 0x82,
    },
    {
      title: 'a user name that is not announced [MQTT-3.1.2-16]',
      levels: [level],
      bytes: packet(CONNECT, head, 0x02, u16(60), none, 'a', 'user'),
      code: 0x81,
    },
    {
      title: 'a password that is not announced [MQTT-3.1.2-18]',
      levels: [level],
      bytes: packet(CONNECT, head, 0x82, u16(60), none, 'a', 'user', sized(MESSAGE)),
      code: 0x81,
    },
    {
      title: 'a password that is announced and missing [MQTT-3.1.2-19]',
      levels: [level],
      bytes: packet(CONNECT, head, 0xc2, u16(60), none, 'a', 'user'),
      code: 0x81,
    },
    {
      title: 'a Will that is announced and missing [MQTT-3.1.2-9]',
      levels: [level],
      bytes: packet(CONNECT, head, 0x06, u16(60), none, 'a'),
      code: 0x81,
    },
    {
      title: 'O-3 a control character in the Client Identifier',
      levels: [level],
      bytes: packet(CONNECT, head, 0x02, u16(60), none, 'a\u0007'),
      code: 0x85,
    },
    {
      title: 'O-3 a broken string counts before an identifier that is not wanted',
      levels: [level],
      bytes: packet(CONNECT, head, 0x82, u16(60), none, 'a\u0007', 'user\u0007'),
      code: 0x81,
    },
  ]),
  {
    title: 'a Remaining Length that is not the shortest [MQTT-1.5.5-1]',
    levels: [5],
    bytes: bytes(CONNECT, 0x8e, 0x00, HEAD_5, 0x02, u16(60), 0, 'a'),
    code: 0x81,
  },
  {
    title: 'U-5 Authentication Data without Authentication Method',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x02, u16(60), props(0x16, sized(MESSAGE)), 'a'),
    code: 0x82,
  },
  {
    title: 'U-4 a Property Length past the end',
    levels: [5],
    bytes: packet(CONNECT, HEAD_5, 0x02, u16(60), 200, 'a'),
    code: 0x81,
  },
];

/** Levels that are not spoken, and the whole CONNACK that answers them. mqtt.md, 2.1 */
export const LEVEL_TABLE: readonly { readonly name: string; readonly level: number; readonly answer: string }[] = [
  ...[0, 1, 2, 4, 5, 6, 0x83, 0x84, 0x85, 255].map((level) => ({ name: 'MQIsdp', level, answer: '32 2 0 1' })),
  ...[0, 1, 2, 3, 0x83, 0x84].map((level) => ({ name: 'MQTT', level, answer: '32 2 0 1' })),
  ...[6, 7, 0x7f, 0x80, 0x82, 0x85, 0x86, 255].map((level) => ({ name: 'MQTT', level, answer: '32 3 0 132 0' })),
];
