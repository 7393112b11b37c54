import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectRejection } from './connect-rejection.ts';
import { encodePacket } from './encode.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { PacketType, type ProtocolLevel } from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import { LEGAL_VECTORS } from './vectors/all-vectors.ts';
import { type Decoded, decodeBytes, decodeChunks } from './vectors/decode-bytes.ts';
import { bytes, packet } from './vectors/wire.ts';

const LEVELS = [3, 4, 5] as const;
const SENDERS = [{}, { sender: 'client' }, { sender: 'server' }] as const;

/** What every answer of a decoder must be, whatever came in. */
function check(level: ProtocolLevel, decoded: Decoded): void {
  if (decoded === 'incomplete' || decoded instanceof ConnectRejection) return;
  if (decoded instanceof ProtocolError) {
    expect(decoded.reasonCode).toBeGreaterThanOrEqual(0x80);
    expect(decoded.clause).not.toBe('');
    return;
  }
  const spoken = decoded.type === PacketType.Connect ? decoded.level : level;
  const encoded = encodePacket(spoken, decoded);
  if (encoded === null) throw new TypeError('What was read cannot be written.');
  expect(decodeBytes(spoken, encoded)).toEqual(decoded);
}

describe('bytes of any kind', () => {
  it('random ones are refused or read, and what is read can be written again', () => {
    const start = fc.constantFrom(0x10, 0x20, 0x30, 0x32, 0x40, 0x62, 0x82, 0x90, 0xa2, 0xb0, 0xe0, 0xf0);
    const framed = fc
      .tuple(start, fc.uint8Array({ maxLength: 60 }))
      .map(([first, body]) => packet(first, Uint8Array.from(body)));
    const raw = fc.uint8Array({ maxLength: 80 }).map((values) => Uint8Array.from(values));
    fc.assert(
      fc.property(fc.oneof(framed, raw), (input) => {
        for (const level of LEVELS) {
          for (const side of SENDERS) {
            for (const decoded of decodeChunks(level, [input], { ...DEFAULT_LIMITS, ...side })) check(level, decoded);
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it('small numbers behind a legal head reach every field', () => {
    const small = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, fc.nat(0x30), fc.nat(255)), { maxLength: 40 });
    const head = fc.constantFrom(
      bytes('MQTT', 5),
      bytes('MQTT', 4),
      bytes('MQIsdp', 3),
      bytes(0, 1),
      bytes(0, 1, 0x61),
      bytes(0, 1, 0),
    );
    const first = fc.constantFrom(
      0x10,
      0x20,
      0x30,
      0x32,
      0x34,
      0x40,
      0x50,
      0x62,
      0x70,
      0x82,
      0x90,
      0xa2,
      0xb0,
      0xe0,
      0xf0,
    );
    fc.assert(
      fc.property(first, head, small, (firstByte, start, rest) => {
        const whole = packet(firstByte, start, rest);
        for (const level of LEVELS) check(level, decodeBytes(level, whole));
      }),
      { numRuns: 3_000 },
    );
  });

  it('legal packets with changed, added and missing bytes are refused or read', () => {
    const change = fc.tuple(fc.nat(200), fc.nat(255), fc.nat(2));
    fc.assert(
      fc.property(
        fc.constantFrom(...LEGAL_VECTORS),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (vector, changes) => {
          const values = [...vector.bytes];
          for (const [at, value, kind] of changes)
            values.splice(at % values.length, kind === 2 ? 0 : 1, ...(kind === 0 ? [] : [value]));
          for (const level of vector.levels) {
            for (const decoded of decodeChunks(level, [Uint8Array.from(values)])) check(level, decoded);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('names that exist on every object are ordinary text in properties', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'userProperties']) {
      const whole = packet(0x30, 'a', bytes(0x05 + 2 * name.length, 0x26, name, name));
      const decoded = decodeBytes(5, whole);
      expect(decoded).toMatchObject({ properties: { userProperties: [[name, name]] } });
      check(5, decoded);
    }
  });
});
