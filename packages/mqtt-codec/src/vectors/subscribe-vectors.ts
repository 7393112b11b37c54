import { PacketType, type SubscribePacket, type SubscriptionOptions } from '../packets.ts';
import type { BadVector, LegalVector } from './vector.ts';
import { packet, props, u16, vbi } from './wire.ts';

const QOS_0: SubscriptionOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
const QOS_1: SubscriptionOptions = { ...QOS_0, qos: 1 };
const QOS_2: SubscriptionOptions = { ...QOS_0, qos: 2 };

function subscribe(
  subscriptions: SubscribePacket['subscriptions'],
  properties: SubscribePacket['properties'] = null,
): SubscribePacket {
  return { type: PacketType.Subscribe, packetIdentifier: 10, subscriptions, properties };
}

export const LEGAL_SUBSCRIBES: readonly LegalVector[] = [
  {
    title: 'SUBSCRIBE with three filters on 3.x [v3.1.1 MQTT-3.8.3-3]',
    levels: [3, 4],
    bytes: packet(0x82, u16(10), 'a/b', 0, '#', 1, '+/c', 2),
    packet: subscribe([
      { topicFilter: 'a/b', options: QOS_0 },
      { topicFilter: '#', options: QOS_1 },
      { topicFilter: '+/c', options: QOS_2 },
    ]),
    otherLegalLengths: [8, 12],
  },
  {
    title: 'the shortest SUBSCRIBE of 5.0 [MQTT-3.8.3-2]',
    levels: [5],
    bytes: packet(0x82, u16(10), 0, 'a', 0),
    packet: subscribe([{ topicFilter: 'a', options: QOS_0 }]),
  },
  {
    title: 'SUBSCRIBE with every option and property',
    levels: [5],
    bytes: packet(
      0x82,
      u16(10),
      props(0x0b, vbi(16_384), 0x26, 'k', 'v'),
      'a',
      0x2e,
      '$share/g/a/#',
      0x19,
      '$SYS/+',
      0x10,
    ),
    packet: subscribe(
      [
        { topicFilter: 'a', options: { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 } },
        {
          topicFilter: '$share/g/a/#',
          options: { qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 1 },
        },
        { topicFilter: '$SYS/+', options: { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 1 } },
      ],
      { subscriptionIdentifiers: [16_384], userProperties: [['k', 'v']] },
    ),
    otherLegalLengths: [18, 33],
  },
  {
    title: 'UNSUBSCRIBE with two filters on 3.x [v3.1.1 MQTT-3.10.3-2]',
    levels: [3, 4],
    bytes: packet(0xa2, u16(10), 'a/b', '#'),
    packet: { type: PacketType.Unsubscribe, packetIdentifier: 10, topicFilters: ['a/b', '#'], properties: null },
    otherLegalLengths: [7],
  },
  {
    title: 'UNSUBSCRIBE with two filters on 5.0 [MQTT-3.10.3-2]',
    levels: [5],
    bytes: packet(0xa2, u16(10), props(0x26, 'k', 'v'), 'a/b', '$share/g/#'),
    packet: {
      type: PacketType.Unsubscribe,
      packetIdentifier: 10,
      topicFilters: ['a/b', '$share/g/#'],
      properties: { userProperties: [['k', 'v']] },
    },
    otherLegalLengths: [15],
  },
];

const ALL = [
  [3, []],
  [4, []],
  [5, [0]],
] as const;

/** Filters that no version accepts. mqtt.md, O-9 */
export const BAD_FILTERS: readonly string[] = [
  ...['', 'a/#/b', '#/a', '##', 'a#', '#a', 'a+', '+a', 'a/+b', 'a/b+/c', '++', 'a/#b', '/a+'],
  ...['$share/', '$share/g', '$share//x', '$share/a+/x', '$share/a#/x', '$share/+/x', '$share/g/', '$share/g/a#'],
];

export const BAD_SUBSCRIBES: readonly BadVector[] = [
  ...ALL.flatMap(([level, none]): BadVector[] => [
    {
      title: 'U-10 SUBSCRIBE without a filter [MQTT-3.8.3-2] [v3.1.1 MQTT-3.8.3-3]',
      levels: [level],
      bytes: packet(0x82, u16(1), none),
      code: 0x82,
    },
    {
      title: 'U-10 UNSUBSCRIBE without a filter [MQTT-3.10.3-2]',
      levels: [level],
      bytes: packet(0xa2, u16(1), none),
      code: 0x82,
    },
    {
      title: 'SUBSCRIBE with Packet Identifier 0 [MQTT-2.2.1-3]',
      levels: [level],
      bytes: packet(0x82, u16(0), none, 'a', 0),
      code: 0x82,
    },
    {
      title: 'UNSUBSCRIBE with Packet Identifier 0 [MQTT-2.2.1-3]',
      levels: [level],
      bytes: packet(0xa2, u16(0), none, 'a'),
      code: 0x82,
    },
    ...BAD_FILTERS.flatMap((topicFilter): BadVector[] => [
      {
        title: `O-9 SUBSCRIBE to "${topicFilter}"`,
        levels: [level],
        bytes: packet(0x82, u16(1), none, topicFilter, 0),
        code: 0x81,
      },
      {
        title: `O-9 UNSUBSCRIBE from "${topicFilter}"`,
        levels: [level],
        bytes: packet(0xa2, u16(1), none, topicFilter),
        code: 0x81,
      },
    ]),
    {
      title: 'K-55 one bad filter of ten',
      levels: [level],
      bytes: packet(0x82, u16(1), none, ...Array.from('abcdefghi').flatMap((name) => [name, 0]), 'x#', 0),
      code: 0x81,
    },
    {
      title: 'more filters than the limit (O-14)',
      levels: [level],
      bytes: packet(0xa2, u16(1), none, ...Array.from({ length: 1001 }, () => 'a')),
      code: 0x97,
    },
  ]),
  ...[0x03, 0x04, 0x08, 0x10, 0x40, 0x80, 0xff].map(
    (options): BadVector => ({
      title: `the options byte 0x${options.toString(16)} on 3.x [v3.1.1 MQTT-3.8.3-4]`,
      levels: [3, 4],
      bytes: packet(0x82, u16(1), 'a', options),
      code: 0x81,
    }),
  ),
  ...[0x40, 0x80, 0xc0, 0xc3].map(
    (options): BadVector => ({
      title: `the options byte 0x${options.toString(16)} [MQTT-3.8.3-5]`,
      levels: [5],
      bytes: packet(0x82, u16(1), 0, 'a', options),
      code: 0x81,
    }),
  ),
  ...[0x03, 0x30, 0x33].map(
    (options): BadVector => ({
      title: `U-9 the options byte 0x${options.toString(16)}`,
      levels: [5],
      bytes: packet(0x82, u16(1), 0, 'a', options),
      code: 0x82,
    }),
  ),
  {
    title: 'K-50 No Local on a Shared Subscription [MQTT-3.8.3-4]',
    levels: [5],
    bytes: packet(0x82, u16(1), 0, '$share/g/a', 0x04),
    code: 0x82,
  },
  {
    title: 'two Subscription Identifiers in a SUBSCRIBE (U-2)',
    levels: [5],
    bytes: packet(0x82, u16(1), props(0x0b, 1, 0x0b, 2), 'a', 0),
    code: 0x82,
  },
];
