import { PacketType } from '../packets.ts';
import type { BadVector, LegalVector } from './vector.ts';
import { packet, props, sized, u16, u32 } from './wire.ts';

const P = PacketType;

export const LEGAL_OTHERS: readonly LegalVector[] = [
  {
    title: 'PINGREQ',
    levels: [3, 4, 5],
    bytes: packet(0xc0),
    packet: { type: P.Pingreq },
  },
  {
    title: 'PINGRESP',
    levels: [3, 4, 5],
    bytes: packet(0xd0),
    packet: { type: P.Pingresp },
  },
  {
    title: 'DISCONNECT without a body',
    levels: [3, 4],
    bytes: packet(0xe0),
    packet: { type: P.Disconnect, reasonCode: 0, properties: null },
  },
  {
    title: 'DISCONNECT without a body means Normal disconnection',
    levels: [5],
    bytes: packet(0xe0),
    packet: { type: P.Disconnect, reasonCode: 0, properties: null },
    otherLegalLengths: [1], // the byte that is added is 0, the code
  },
  {
    title: 'DISCONNECT with a code alone (K-7)',
    levels: [5],
    bytes: packet(0xe0, 0x04),
    packet: { type: P.Disconnect, reasonCode: 4, properties: null },
    otherLegalLengths: [0, 2], // the byte that is added is 0, a Property Length
    notShortest: true,
  },
  {
    title: 'DISCONNECT with its properties',
    levels: [5],
    bytes: packet(0xe0, 0x81, props(0x11, u32(7), 0x1c, 'other', 0x1f, 'why', 0x26, 'k', 'v')),
    packet: {
      type: P.Disconnect,
      reasonCode: 0x81,
      properties: {
        sessionExpiryInterval: 7,
        serverReference: 'other',
        reasonString: 'why',
        userProperties: [['k', 'v']],
      },
    },
    otherLegalLengths: [0, 1],
  },
  {
    title: 'AUTH with its properties',
    levels: [5],
    bytes: packet(0xf0, 0x18, props(0x15, 'm', 0x16, sized([1, 2]), 0x1f, 'go on', 0x26, 'k', 'v')),
    packet: {
      type: P.Auth,
      reasonCode: 0x18,
      properties: {
        authenticationMethod: 'm',
        authenticationData: Uint8Array.of(1, 2),
        reasonString: 'go on',
        userProperties: [['k', 'v']],
      },
    },
    otherLegalLengths: [0],
  },
  {
    title: 'AUTH without a body means Success',
    levels: [5],
    bytes: packet(0xf0),
    packet: { type: P.Auth, reasonCode: 0, properties: null },
  },
  {
    title: 'CONNACK of 3.1',
    levels: [3],
    bytes: packet(0x20, 0, 5),
    packet: { type: P.Connack, sessionPresent: false, reasonCode: 5, properties: null },
  },
  {
    title: 'CONNACK of 3.1 with the reserved byte set',
    levels: [3],
    bytes: packet(0x20, 1, 0),
    packet: { type: P.Connack, sessionPresent: false, reasonCode: 0, properties: null },
    notShortest: true,
  },
  {
    title: 'CONNACK with Session Present [v3.1.1 MQTT-3.2.2-2]',
    levels: [4],
    bytes: packet(0x20, 1, 0),
    packet: { type: P.Connack, sessionPresent: true, reasonCode: 0, properties: null },
  },
  {
    title: 'CONNACK of 5.0 without properties [MQTT-2.2.2-1]',
    levels: [5],
    bytes: packet(0x20, 1, 0, 0),
    packet: { type: P.Connack, sessionPresent: true, reasonCode: 0, properties: null },
  },
  {
    title: 'CONNACK with all its properties',
    levels: [5],
    bytes: packet(
      0x20,
      0,
      0,
      props(
        ...[0x11, u32(1), 0x12, 'made', 0x13, u16(9), 0x15, 'm', 0x16, sized([9]), 0x1a, 'info', 0x1c, 'ref'],
        ...[0x1f, 'why', 0x21, u16(100), 0x22, u16(32), 0x24, 1, 0x25, 0, 0x26, 'k', 'v', 0x27, u32(1_048_576)],
        ...[0x28, 0, 0x29, 1, 0x2a, 0],
      ),
    ),
    packet: {
      type: P.Connack,
      sessionPresent: false,
      reasonCode: 0,
      properties: {
        sessionExpiryInterval: 1,
        assignedClientIdentifier: 'made',
        serverKeepAlive: 9,
        authenticationMethod: 'm',
        authenticationData: Uint8Array.of(9),
        responseInformation: 'info',
        serverReference: 'ref',
        reasonString: 'why',
        receiveMaximum: 100,
        topicAliasMaximum: 32,
        maximumQoS: 1,
        retainAvailable: 0,
        userProperties: [['k', 'v']],
        maximumPacketSize: 1_048_576,
        wildcardSubscriptionAvailable: 0,
        subscriptionIdentifierAvailable: 1,
        sharedSubscriptionAvailable: 0,
      },
    },
  },
  {
    title: 'SUBACK of 3.1',
    levels: [3],
    bytes: packet(0x90, u16(1), 0, 1, 2),
    packet: { type: P.Suback, packetIdentifier: 1, reasonCodes: [0, 1, 2], properties: null },
    otherLegalLengths: [3, 4, 6],
  },
  {
    title: 'SUBACK of 3.1.1 [v3.1.1 MQTT-3.9.3-2]',
    levels: [4],
    bytes: packet(0x90, u16(1), 0, 1, 2, 0x80),
    packet: { type: P.Suback, packetIdentifier: 1, reasonCodes: [0, 1, 2, 0x80], properties: null },
    otherLegalLengths: [3, 4, 5, 7],
  },
  {
    title: 'SUBACK of 5.0 [MQTT-3.9.3-1]',
    levels: [5],
    bytes: packet(0x90, u16(1), props(0x1f, 'why', 0x26, 'k', 'v'), 2, 0x87, 0),
    packet: {
      type: P.Suback,
      packetIdentifier: 1,
      reasonCodes: [2, 0x87, 0],
      properties: { reasonString: 'why', userProperties: [['k', 'v']] },
    },
    otherLegalLengths: [17, 18, 20],
  },
  {
    title: 'UNSUBACK of 3.x',
    levels: [3, 4],
    bytes: packet(0xb0, u16(1)),
    packet: { type: P.Unsuback, packetIdentifier: 1, reasonCodes: [], properties: null },
  },
  {
    title: 'UNSUBACK of 5.0 [MQTT-3.11.3-1]',
    levels: [5],
    bytes: packet(0xb0, u16(1), 0, 0x11, 0),
    packet: { type: P.Unsuback, packetIdentifier: 1, reasonCodes: [0x11, 0], properties: null },
    otherLegalLengths: [4, 6],
  },
];

export const BAD_OTHERS: readonly BadVector[] = [
  ...[0xc0, 0xd0].map(
    (firstByte): BadVector => ({
      title: `the packet 0x${firstByte.toString(16)} with a body`,
      levels: [3, 4, 5],
      bytes: packet(firstByte, 0),
      code: 0x81,
    }),
  ),
  {
    title: 'DISCONNECT with a body on 3.x',
    levels: [3, 4],
    bytes: packet(0xe0, 0),
    code: 0x81,
  },
  {
    title: 'DISCONNECT with bytes behind its properties',
    levels: [5],
    bytes: packet(0xe0, 0, 0, 0),
    code: 0x81,
  },
  {
    title: 'DISCONNECT from a client with a code of the server (mqtt.md, section 5) [MQTT-3.14.2-1]',
    levels: [5],
    bytes: packet(0xe0, 0x8b),
    code: 0x82,
    sender: 'client',
    closed: true,
  },
  {
    title: 'DISCONNECT with a code of nobody [MQTT-3.14.2-1]',
    levels: [5],
    bytes: packet(0xe0, 0x01),
    code: 0x82,
    sender: 'client',
  },
  {
    title: 'Session Expiry Interval in the DISCONNECT of a server [MQTT-3.14.2-2]',
    levels: [5],
    bytes: packet(0xe0, 0, props(0x11, u32(0))),
    code: 0x82,
    sender: 'server',
  },
  {
    title: 'AUTH on 3.x',
    levels: [3, 4],
    bytes: packet(0xf0),
    code: 0x81,
  },
  {
    title: 'U-14 AUTH without Authentication Method [MQTT-4.12.0-5]',
    levels: [5],
    bytes: packet(0xf0, 0x18, 0),
    code: 0x82,
  },
  {
    title: 'U-14 AUTH with Authentication Data alone',
    levels: [5],
    bytes: packet(0xf0, 0x18, props(0x16, sized([1]))),
    code: 0x82,
  },
  {
    title: 'AUTH with a code alone',
    levels: [5],
    bytes: packet(0xf0, 0x18),
    code: 0x81,
  },
  {
    title: 'type 0',
    levels: [3, 4, 5],
    bytes: packet(0x00),
    code: 0x81,
  },
  {
    title: 'CONNACK with reserved flags [MQTT-3.2.2-1]',
    levels: [5],
    bytes: packet(0x20, 2, 0, 0),
    code: 0x81,
  },
  {
    title: 'CONNACK with reserved flags on 3.1.1',
    levels: [4],
    bytes: packet(0x20, 0x80, 0),
    code: 0x81,
  },
  {
    title: 'a refusing CONNACK with Session Present [v3.1.1 MQTT-3.2.2-4]',
    levels: [4],
    bytes: packet(0x20, 1, 1),
    code: 0x82,
  },
  {
    title: 'a refusing CONNACK with Session Present [MQTT-3.2.2-6]',
    levels: [5],
    bytes: packet(0x20, 1, 0x87, 0),
    code: 0x82,
  },
  {
    title: 'the return code 6 in CONNACK [v3.1.1 MQTT-3.2.2-6]',
    levels: [3, 4],
    bytes: packet(0x20, 0, 6),
    code: 0x82,
  },
  ...[0x90, 0xb0].map(
    (firstByte): BadVector => ({
      title: `the packet 0x${firstByte.toString(16)} with Packet Identifier 0`,
      levels: [5],
      bytes: packet(firstByte, u16(0), 0, 0),
      code: 0x82,
    }),
  ),
  ...[0x90, 0xb0].map(
    (firstByte): BadVector => ({
      title: `the packet 0x${firstByte.toString(16)} without a code`,
      levels: [5],
      bytes: packet(firstByte, u16(1), 0),
      code: 0x82,
    }),
  ),
  {
    title: 'SUBACK without a code on 3.x',
    levels: [3, 4],
    bytes: packet(0x90, u16(1)),
    code: 0x82,
  },
  {
    title: 'SUBACK with 0x80 on 3.1 (mqtt.md, 2.2)',
    levels: [3],
    bytes: packet(0x90, u16(1), 0x80),
    code: 0x82,
  },
  {
    title: 'SUBACK with 3 on 3.1.1 [v3.1.1 MQTT-3.9.3-2]',
    levels: [4],
    bytes: packet(0x90, u16(1), 3),
    code: 0x82,
  },
  {
    title: 'UNSUBACK with a body too long on 3.x',
    levels: [3, 4],
    bytes: packet(0xb0, u16(1), 0),
    code: 0x81,
  },
];
