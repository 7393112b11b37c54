import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from './limits.ts';
import { PacketType } from './packets.ts';
import { isReasonCodeFor, LegalReasonCodes, type Sender } from './reason-code-tables.ts';
import { decodeBytes, outcome } from './vectors/decode-bytes.ts';
import { packet, props, u16 } from './vectors/wire.ts';

/** The table of mqtt.md, section 4: CONNACK, acks, PUBREL and PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH; C and S are the sides. */
const TABLE = `
00  S  CS  CS  S  S  CS  S
01  -  -   -   S  -  -   -
02  -  -   -   S  -  -   -
04  -  -   -   -  -  C   -
10  -  S   -   -  -  -   -
11  -  -   -   -  S  -   -
18  -  -   -   -  -  -   CS
19  -  -   -   -  -  -   C
80  S  CS  -   S  S  CS  -
81  S  -   -   -  -  CS  -
82  S  -   -   -  -  CS  -
83  S  CS  -   S  S  CS  -
84  S  -   -   -  -  -   -
85  S  -   -   -  -  -   -
86  S  -   -   -  -  -   -
87  S  CS  -   S  S  S   -
88  S  -   -   -  -  -   -
89  S  -   -   -  -  S   -
8a  S  -   -   -  -  -   -
8b  -  -   -   -  -  S   -
8c  S  -   -   -  -  S   -
8d  -  -   -   -  -  S   -
8e  -  -   -   -  -  S   -
8f  -  -   -   S  S  S   -
90  S  CS  -   -  -  CS  -
91  -  CS  -   S  S  -   -
92  -  -   CS  -  -  -   -
93  -  -   -   -  -  CS  -
94  -  -   -   -  -  CS  -
95  S  -   -   -  -  CS  -
96  -  -   -   -  -  CS  -
97  S  CS  -   S  -  CS  -
98  -  -   -   -  -  CS  -
99  S  CS  -   -  -  CS  -
9a  S  -   -   -  -  S   -
9b  S  -   -   -  -  S   -
9c  S  -   -   -  -  S   -
9d  S  -   -   -  -  S   -
9e  -  -   -   S  -  S   -
9f  S  -   -   -  -  S   -
a0  -  -   -   -  -  S   -
a1  -  -   -   S  -  S   -
a2  -  -   -   S  -  S   -`;

const ROWS = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([code = '', ...sides]) => [Number.parseInt(code, 16), sides]),
);
const CODES = Array.from({ length: 256 }, (_, code) => code);

const P = PacketType;
const PACKETS: readonly (readonly [string, PacketType, number, string, (code: number) => Uint8Array])[] = [
  ['CONNACK', P.Connack, 0, 'MQTT-3.2.2-8', (code) => packet(0x20, 0, code, 0)],
  ['PUBACK', P.Puback, 1, 'MQTT-3.4.2-1', (code) => packet(0x40, u16(1), code)],
  ['PUBREC', P.Pubrec, 1, 'MQTT-3.5.2-1', (code) => packet(0x50, u16(1), code)],
  ['PUBREL', P.Pubrel, 2, 'MQTT-3.6.2-1', (code) => packet(0x62, u16(1), code)],
  ['PUBCOMP', P.Pubcomp, 2, 'MQTT-3.7.2-1', (code) => packet(0x70, u16(1), code)],
  ['SUBACK', P.Suback, 3, 'MQTT-3.9.3-2', (code) => packet(0x90, u16(1), 0, code)],
  ['UNSUBACK', P.Unsuback, 4, 'MQTT-3.11.3-2', (code) => packet(0xb0, u16(1), 0, code)],
  ['DISCONNECT', P.Disconnect, 5, 'MQTT-3.14.2-1', (code) => packet(0xe0, code, 0)],
  ['AUTH', P.Auth, 6, 'MQTT-3.15.2-1', (code) => packet(0xf0, code, props(0x15, 'm'))],
];

describe.each(PACKETS)('Reason Codes of %s', (_name, type, column, clause, encode) => {
  const sidesOf = (code: number) => ROWS.get(code)?.[column] ?? '-';

  it.each(['client', 'server'] as const)(`from the %s are those of the table [${clause}]`, (sender: Sender) => {
    const letter = sender === 'client' ? 'C' : 'S';
    const legal = CODES.filter((code) => sidesOf(code).includes(letter));
    expect(CODES.filter((code) => isReasonCodeFor(type, code, sender))).toEqual(legal);
    expect([...(LegalReasonCodes.get(type)?.[sender] ?? [])].sort((a, b) => a - b)).toEqual(legal);
    const accepted = CODES.filter(
      (code) => outcome(decodeBytes(5, encode(code), { ...DEFAULT_LIMITS, sender })) === 'accepted',
    );
    expect(accepted).toEqual(legal);
  });

  it(`of either side are taken where no side is named, all others answered 0x82 [${clause}]`, () => {
    expect(CODES.map((code) => outcome(decodeBytes(5, encode(code))))).toEqual(
      CODES.map((code) => (sidesOf(code) === '-' ? 'refused 0x82' : 'accepted')),
    );
  });
});

it('packets without a Reason Code have none', () => {
  const types = [P.Connect, P.Publish, P.Subscribe, P.Unsubscribe, P.Pingreq, P.Pingresp];
  expect(types.flatMap((type) => CODES.filter((code) => isReasonCodeFor(type, code)))).toEqual([]);
});
