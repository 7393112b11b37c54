import type { Sender } from '../reason-code-tables.ts';
import { packet, sized, u16 } from './wire.ts';

/** String bytes that no version accepts: not UTF-8, a surrogate, or U+0000. [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
export const ILL_FORMED: Readonly<Record<string, readonly number[]>> = {
  'U+0000': [0x61, 0x00, 0x62],
  'U+0000 alone': [0x00],
  'U+0000 behind other characters': [0xc3, 0xa9, 0x00],
  'overlong U+0000': [0xc0, 0x80],
  'overlong U+002F of two bytes': [0xc0, 0xaf],
  'overlong U+007F of two bytes': [0xc1, 0xbf],
  'overlong U+07FF of three bytes': [0xe0, 0x9f, 0xbf],
  'overlong U+FFFF of four bytes': [0xf0, 0x8f, 0xbf, 0xbf],
  'the surrogate U+D800': [0xed, 0xa0, 0x80],
  'the surrogate U+DFFF': [0xed, 0xbf, 0xbf],
  'a pair of surrogates': [0xed, 0xa0, 0xbd, 0xed, 0xb2, 0xa9],
  'above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'the lead byte F5': [0xf5, 0x80, 0x80, 0x80],
  'the byte FE': [0xfe],
  'the byte FF': [0x61, 0xff],
  'a lone continuation byte': [0x80],
  'a continuation byte behind ASCII': [0x61, 0xbf],
  'two bytes cut short': [0xc3],
  'three bytes cut short to two': [0xe6, 0xb8],
  'three bytes cut short to one': [0xe6],
  'four bytes cut short to three': [0xf0, 0x9f, 0x8c],
  'four bytes cut short to two': [0xf0, 0x9f],
  'two bytes with ASCII inside': [0xc3, 0x61],
  'three bytes with ASCII in the middle': [0xe6, 0x61, 0xa9],
  'three bytes with ASCII at the end': [0xe6, 0xb8, 0x61],
  'four bytes with ASCII second': [0xf0, 0x61, 0x8c, 0xa1],
  'four bytes with ASCII third': [0xf0, 0x9f, 0x61, 0xa1],
  'four bytes with ASCII at the end': [0xf0, 0x9f, 0x8c, 0x61],
};

/** Well-formed, but not accepted: control characters and non-characters. mqtt.md, O-3 */
export const DISCOURAGED: Readonly<Record<string, readonly number[]>> = {
  'U+0001': [0x01],
  'U+000A': [0x61, 0x0a],
  'U+001F': [0x1f],
  'U+007F': [0x7f],
  'U+0080': [0xc2, 0x80],
  'U+009F': [0xc2, 0x9f],
  'U+FDD0': [0xef, 0xb7, 0x90],
  'U+FDEF': [0xef, 0xb7, 0xaf],
  'U+FFFE': [0xef, 0xbf, 0xbe],
  'U+FFFF': [0xef, 0xbf, 0xbf],
  'U+1FFFE': [0xf0, 0x9f, 0xbf, 0xbe],
  'U+10FFFF': [0xf4, 0x8f, 0xbf, 0xbf],
};

/** Accepted everywhere, at the borders of what is not. */
export const WELL_FORMED: Readonly<Record<string, readonly number[]>> = {
  'U+0020': [0x20],
  'U+007E': [0x7e],
  'U+00A0': [0xc2, 0xa0],
  'U+07FF': [0xdf, 0xbf],
  'U+0800': [0xe0, 0xa0, 0x80],
  'U+D7FF': [0xed, 0x9f, 0xbf],
  'U+E000': [0xee, 0x80, 0x80],
  'U+FDCF': [0xef, 0xb7, 0x8f],
  'U+FDF0': [0xef, 0xb7, 0xb0],
  'U+FEFF': [0xef, 0xbb, 0xbf],
  'U+FFFD': [0xef, 0xbf, 0xbd],
  'U+10000': [0xf0, 0x90, 0x80, 0x80],
  'U+1FFFD': [0xf0, 0x9f, 0xbf, 0xbd],
  'U+10FFFD': [0xf4, 0x8f, 0xbf, 0xbd],
};

/** A string field of a packet, with what a 5.0 peer hears of a character that is well-formed and not wanted. */
export interface TextField {
  readonly title: string;
  readonly level: 3 | 4 | 5;
  readonly around: (text: readonly number[]) => Uint8Array;
  readonly discouragedCode?: number;
  readonly sender?: Sender;
}

function property(id: number, text: readonly number[], extra: readonly number[] = []): readonly number[] {
  const list = [...extra, id, ...sized(text)];
  return [list.length, ...list];
}

const HEADS = [
  [3, 'MQIsdp'],
  [4, 'MQTT'],
  [5, 'MQTT'],
] as const;

export const TEXT_FIELDS: readonly TextField[] = [
  ...HEADS.flatMap(([level, name]): TextField[] => {
    const none = level === 5 ? [0] : [];
    return [
      {
        title: 'the Client Identifier [MQTT-3.1.3-4]',
        level,
        around: (text) => packet(0x10, name, level, 0x02, u16(0), none, sized(text)),
        discouragedCode: 0x85,
      },
      {
        title: 'the Will Topic [MQTT-3.1.3-11]',
        level,
        around: (text) => packet(0x10, name, level, 0x06, u16(0), none, 'a', none, sized(text), sized([])),
      },
      {
        title: 'the User Name [MQTT-3.1.3-12]',
        level,
        around: (text) => packet(0x10, name, level, 0x82, u16(0), none, 'a', sized(text)),
      },
      {
        title: 'the Topic Name of a PUBLISH [MQTT-3.3.2-1]',
        level,
        around: (text) => packet(0x30, sized(text), none),
      },
      {
        title: 'the Topic Filter of a SUBSCRIBE [MQTT-3.8.3-1]',
        level,
        around: (text) => packet(0x82, u16(1), none, sized(text), 0),
      },
      {
        title: 'the Topic Filter of an UNSUBSCRIBE [MQTT-3.10.3-1]',
        level,
        around: (text) => packet(0xa2, u16(1), none, sized(text)),
      },
    ];
  }),
  {
    title: 'the Response Topic [MQTT-3.3.2-13]',
    level: 5,
    around: (text) => packet(0x30, 'a', property(0x08, text)),
  },
  {
    title: 'the Content Type [MQTT-3.3.2-19]',
    level: 5,
    around: (text) => packet(0x30, 'a', property(0x03, text)),
  },
  {
    title: 'the name of a User Property [MQTT-1.5.7-1]',
    level: 5,
    around: (text) => packet(0x30, 'a', [5 - 2 + text.length + 2, 0x26, ...sized(text), 0, 0]),
  },
  {
    title: 'the value of a User Property [MQTT-1.5.7-1]',
    level: 5,
    around: (text) => packet(0x30, 'a', [5 + text.length, 0x26, 0, 0, ...sized(text)]),
  },
  {
    title: 'the Reason String of a PUBACK',
    level: 5,
    around: (text) => packet(0x40, u16(1), 0, property(0x1f, text)),
  },
  {
    title: 'the Authentication Method of an AUTH',
    level: 5,
    around: (text) => packet(0xf0, 0x18, property(0x15, text)),
  },
  {
    title: 'the Content Type of a Will',
    level: 5,
    around: (text) => packet(0x10, 'MQTT', 5, 0x06, u16(0), 0, 'a', property(0x03, text), 'w', sized([])),
  },
  {
    title: 'the Assigned Client Identifier',
    level: 5,
    around: (text) => packet(0x20, 0, 0, property(0x12, text)),
  },
  {
    title: 'the Server Reference of a DISCONNECT',
    level: 5,
    around: (text) => packet(0xe0, 0, property(0x1c, text)),
  },
];
