import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../limits.ts';
import { decodeBytes, outcome } from '../vectors/decode-bytes.ts';
import { PLACES, type Place, PROPERTY_VECTORS, type PropertyVector } from '../vectors/property-vectors.ts';
import { bytes, hex, props } from '../vectors/wire.ts';
import { PROPERTY_TABLE } from './property-table.ts';
import { encodeProperties } from './write-properties.ts';

const IDS = Array.from({ length: 0x80 }, (_, id) => id);
const ALL_PLACES = Object.keys(PLACES) as Place[];

function rowFor(id: number, place: Place): PropertyVector | undefined {
  return PROPERTY_VECTORS.find((row) => row.id === id && row.places.includes(place));
}

/** Authentication Data needs a method beside it, and AUTH always one. */
function companions(id: number, place: Place): readonly number[] {
  const method = [0x15, 0, 1, 0x6d];
  if (id === 0x15) return [];
  return place === 'AUTH' || (id === 0x16 && rowFor(id, place) !== undefined) ? method : [];
}

function decode(place: Place, list: readonly number[]): string {
  return outcome(decodeBytes(5, PLACES[place](list)));
}

/** Gathers one line per identifier that does not behave as expected. */
function differences(ids: readonly number[], actual: (id: number) => string, expected: (id: number) => string) {
  return ids
    .map((id) => ({ id: id.toString(16), actual: actual(id), expected: expected(id) }))
    .filter((line) => line.actual !== line.expected);
}

describe.each(ALL_PLACES)('property identifiers 0x00 to 0x7F in %s', (place) => {
  const legalValue = (id: number) => PROPERTY_VECTORS.find((row) => row.id === id)?.value ?? [0];

  it('U-1 are accepted where the table of mqtt.md, section 3, says so, and only there', () => {
    const actual = (id: number) => decode(place, [...companions(id, place), id, ...legalValue(id)]);
    const expected = (id: number) => (rowFor(id, place) === undefined ? 'refused 0x81' : 'accepted');
    expect(differences(IDS, actual, expected)).toEqual([]);
  });

  it('U-2 K-63 are refused with 0x82 the second time unless they may be repeated', () => {
    const actual = (id: number) =>
      decode(place, [...companions(id, place), id, ...legalValue(id), id, ...legalValue(id)]);
    const expected = (id: number) => {
      const row = rowFor(id, place);
      if (row === undefined) return 'refused 0x81';
      return row.repeatableIn.includes(place) ? 'accepted' : 'refused 0x82';
    };
    expect(differences(IDS, actual, expected)).toEqual([]);
  });

  it('U-4 are refused with 0x81 when cut short by a byte', () => {
    const cut = (id: number) => [...companions(id, place), id, ...legalValue(id)].slice(0, -1);
    expect(
      differences(
        IDS,
        (id) => decode(place, cut(id)),
        () => 'refused 0x81',
      ),
    ).toEqual([]);
  });

  it('U-3 are refused with their code on a wrong value', () => {
    const wrong = PROPERTY_VECTORS.flatMap((row) => row.wrong.map(([value, code]) => ({ id: row.id, value, code })));
    const unexpected = wrong
      .map(({ id, value, code }) => ({
        id: id.toString(16),
        value,
        actual: decode(place, [...companions(id, place), id, ...value]),
        expected: `refused 0x${(rowFor(id, place) === undefined ? 0x81 : code).toString(16)}`,
      }))
      .filter((line) => line.actual !== line.expected);
    expect(unexpected).toEqual([]);
  });

  it('U-1 are refused with 0x81 when they take two bytes [MQTT-1.5.5-1]', () => {
    expect(decode(place, [...companions(0, place), 0xa6, 0x00, 0, 0, 0, 0])).toBe('refused 0x81');
    expect(decode(place, [...companions(0, place), 0xa6, 0x01, 0, 0, 0, 0])).toBe('refused 0x81');
  });

  it('U-22 are refused with 0x97 above the limit of User Properties', () => {
    const repeated = (count: number) => Array.from({ length: count }, () => [0x26, 0, 0, 0, 0]).flat();
    const atLimit = [...companions(0, place), ...repeated(DEFAULT_LIMITS.maximumUserProperties)];
    expect(decode(place, atLimit)).toBe('accepted');
    expect(decode(place, [...atLimit, ...repeated(1)])).toBe('refused 0x97');
  });
});

describe('property table', () => {
  it('names the same properties as the table of mqtt.md, section 3', () => {
    const own = PROPERTY_TABLE.map(({ id, name, owners }) => [id, name, owners.length]);
    expect(own).toEqual(PROPERTY_VECTORS.map(({ id, name, places }) => [id, name, places.length]));
  });
});

describe('encodeProperties', () => {
  it('writes the Property Length 0 for no properties [MQTT-2.2.2-1]', () => {
    expect(hex(encodeProperties({}))).toBe('00');
  });

  it('keeps order and repetition of User Properties [MQTT-3.3.2-18] [MQTT-3.1.3-10]', () => {
    const written = encodeProperties({
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    });
    expect(hex(written)).toBe(hex(bytes(props(0x26, 'b', '1', 0x26, 'a', '2', 0x26, 'b', '1'))));
  });

  it('writes a Property Length of two bytes in its shortest form [MQTT-1.5.5-1]', () => {
    const written = encodeProperties({ contentType: 'x'.repeat(125) });
    expect(hex(written.subarray(0, 5))).toBe('80 01 03 00 7d');
    expect(written.length).toBe(130);
  });

  it('leaves out what exceeds 65,535 bytes [MQTT-4.7.3-3]', () => {
    const long = 'x'.repeat(65_536);
    expect(hex(encodeProperties({ contentType: long, payloadFormatIndicator: 1 }))).toBe('02 01 01');
    expect(hex(encodeProperties({ correlationData: new Uint8Array(65_536) }))).toBe('00');
    const userProperties = [
      [long, 'v'],
      ['k', long],
      ['k', 'v'],
    ] as const;
    expect(hex(encodeProperties({ userProperties }))).toBe(hex(bytes(props(0x26, 'k', 'v'))));
  });
});
