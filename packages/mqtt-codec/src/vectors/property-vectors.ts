import { packet, sized, u16, u32, vbi } from './wire.ts';

/** Where a property list may stand, spelled as in the table of mqtt.md, section 3. */
export type Place =
  | 'CONNECT'
  | 'Will'
  | 'CONNACK'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'SUBACK'
  | 'UNSUBSCRIBE'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH';

/** One row of that table, restated apart from the table in the code. */
export interface PropertyVector {
  readonly id: number;
  readonly name: string;
  readonly places: readonly Place[];
  readonly repeatableIn: readonly Place[];
  /** A legal value. */
  readonly value: readonly number[];
  /** Values that are refused, with the code. */
  readonly wrong: readonly (readonly [value: readonly number[], code: number])[];
}

const WITH_REASON: readonly Place[] = [
  ...(['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'] as const),
  ...(['SUBACK', 'UNSUBACK', 'DISCONNECT', 'AUTH'] as const),
];
const EVERYWHERE: readonly Place[] = [...WITH_REASON, 'CONNECT', 'Will', 'PUBLISH', 'SUBSCRIBE', 'UNSUBSCRIBE'];

const FLAG = {
  value: [1],
  wrong: [
    [[2], 0x82],
    [[255], 0x82],
  ],
} as const;
const TEXT_VALUE = [0, 2, 0x6f, 0x6b];
const BROKEN_TEXTS: PropertyVector['wrong'] = [
  [sized([0xff]), 0x81],
  [sized([0x00]), 0x81],
  [sized([0x07]), 0x81],
  [[0, 9, 0x61], 0x81],
];
const TEXT = { value: TEXT_VALUE, wrong: BROKEN_TEXTS };
const BINARY: Pick<PropertyVector, 'value' | 'wrong'> = { value: sized([0xff, 0]), wrong: [[[0, 9, 1], 0x81]] };
const TWO = { value: u16(300), wrong: [] };
const FOUR = { value: u32(70_000), wrong: [] };
const ZERO_TWO: PropertyVector['wrong'] = [[u16(0), 0x82]];
const NEVER: readonly Place[] = [];

export const PROPERTY_VECTORS: readonly PropertyVector[] = [
  { id: 0x01, name: 'Payload Format Indicator', places: ['PUBLISH', 'Will'], repeatableIn: NEVER, ...FLAG },
  { id: 0x02, name: 'Message Expiry Interval', places: ['PUBLISH', 'Will'], repeatableIn: NEVER, ...FOUR },
  { id: 0x03, name: 'Content Type', places: ['PUBLISH', 'Will'], repeatableIn: NEVER, ...TEXT },
  {
    id: 0x08,
    name: 'Response Topic',
    places: ['PUBLISH', 'Will'],
    repeatableIn: NEVER,
    value: TEXT_VALUE,
    wrong: [...BROKEN_TEXTS, [sized([0x2b]), 0x82], [sized([0x61, 0x2f, 0x23]), 0x82], [[0, 0], 0x82]],
  },
  { id: 0x09, name: 'Correlation Data', places: ['PUBLISH', 'Will'], repeatableIn: NEVER, ...BINARY },
  {
    id: 0x0b,
    name: 'Subscription Identifier',
    places: ['SUBSCRIBE', 'PUBLISH'],
    repeatableIn: ['PUBLISH'],
    value: vbi(268_435_455),
    wrong: [
      [[0], 0x82],
      [[0x81, 0x00], 0x81],
      [[0xff, 0xff, 0xff, 0xff, 0x01], 0x81],
    ],
  },
  {
    id: 0x11,
    name: 'Session Expiry Interval',
    places: ['CONNECT', 'CONNACK', 'DISCONNECT'],
    repeatableIn: NEVER,
    ...FOUR,
  },
  { id: 0x12, name: 'Assigned Client Identifier', places: ['CONNACK'], repeatableIn: NEVER, ...TEXT },
  { id: 0x13, name: 'Server Keep Alive', places: ['CONNACK'], repeatableIn: NEVER, ...TWO },
  { id: 0x15, name: 'Authentication Method', places: ['CONNECT', 'CONNACK', 'AUTH'], repeatableIn: NEVER, ...TEXT },
  { id: 0x16, name: 'Authentication Data', places: ['CONNECT', 'CONNACK', 'AUTH'], repeatableIn: NEVER, ...BINARY },
  { id: 0x17, name: 'Request Problem Information', places: ['CONNECT'], repeatableIn: NEVER, ...FLAG },
  { id: 0x18, name: 'Will Delay Interval', places: ['Will'], repeatableIn: NEVER, ...FOUR },
  { id: 0x19, name: 'Request Response Information', places: ['CONNECT'], repeatableIn: NEVER, ...FLAG },
  { id: 0x1a, name: 'Response Information', places: ['CONNACK'], repeatableIn: NEVER, ...TEXT },
  { id: 0x1c, name: 'Server Reference', places: ['CONNACK', 'DISCONNECT'], repeatableIn: NEVER, ...TEXT },
  { id: 0x1f, name: 'Reason String', places: WITH_REASON, repeatableIn: NEVER, ...TEXT },
  {
    id: 0x21,
    name: 'Receive Maximum',
    places: ['CONNECT', 'CONNACK'],
    repeatableIn: NEVER,
    value: u16(65_535),
    wrong: ZERO_TWO,
  },
  { id: 0x22, name: 'Topic Alias Maximum', places: ['CONNECT', 'CONNACK'], repeatableIn: NEVER, ...TWO },
  {
    id: 0x23,
    name: 'Topic Alias',
    places: ['PUBLISH'],
    repeatableIn: NEVER,
    value: u16(1),
    wrong: [[u16(0), 0x94]],
  },
  { id: 0x24, name: 'Maximum QoS', places: ['CONNACK'], repeatableIn: NEVER, ...FLAG },
  { id: 0x25, name: 'Retain Available', places: ['CONNACK'], repeatableIn: NEVER, ...FLAG },
  {
    id: 0x26,
    name: 'User Property',
    places: EVERYWHERE,
    repeatableIn: EVERYWHERE,
    value: [...TEXT_VALUE, ...TEXT_VALUE],
    wrong: [
      [[...sized([0xff]), ...TEXT_VALUE], 0x81],
      [[...TEXT_VALUE, ...sized([0xff])], 0x81],
      [TEXT_VALUE, 0x81],
    ],
  },
  {
    id: 0x27,
    name: 'Maximum Packet Size',
    places: ['CONNECT', 'CONNACK'],
    repeatableIn: NEVER,
    value: u32(1),
    wrong: [[u32(0), 0x82]],
  },
  { id: 0x28, name: 'Wildcard Subscription Available', places: ['CONNACK'], repeatableIn: NEVER, ...FLAG },
  { id: 0x29, name: 'Subscription Identifier Available', places: ['CONNACK'], repeatableIn: NEVER, ...FLAG },
  { id: 0x2a, name: 'Shared Subscription Available', places: ['CONNACK'], repeatableIn: NEVER, ...FLAG },
];

type Wrap = (list: readonly number[]) => Uint8Array;

function length(list: readonly number[]): readonly number[] {
  return [...vbi(list.length), ...list];
}

/** A packet of each kind around a property list. */
export const PLACES: Readonly<Record<Place, Wrap>> = {
  CONNECT: (list) => packet(0x10, 'MQTT', 5, 0x02, u16(60), length(list), 'a'),
  Will: (list) => packet(0x10, 'MQTT', 5, 0x06, u16(60), 0, 'a', length(list), 'w', sized([1])),
  CONNACK: (list) => packet(0x20, 0, 0, length(list)),
  PUBLISH: (list) => packet(0x30, 'a', length(list), [1, 2, 3]),
  PUBACK: (list) => packet(0x40, u16(1), 0, length(list)),
  PUBREC: (list) => packet(0x50, u16(1), 0, length(list)),
  PUBREL: (list) => packet(0x62, u16(1), 0, length(list)),
  PUBCOMP: (list) => packet(0x70, u16(1), 0, length(list)),
  SUBSCRIBE: (list) => packet(0x82, u16(1), length(list), 'a', 0),
  SUBACK: (list) => packet(0x90, u16(1), length(list), 0),
  UNSUBSCRIBE: (list) => packet(0xa2, u16(1), length(list), 'a'),
  UNSUBACK: (list) => packet(0xb0, u16(1), length(list), 0),
  DISCONNECT: (list) => packet(0xe0, 0, length(list)),
  AUTH: (list) => packet(0xf0, 0x18, length(list)),
};
