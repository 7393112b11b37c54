import { describe, expect, it } from 'vitest';
import { encodePacket } from './encode.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { BAD_VECTORS, LEGAL_VECTORS } from './vectors/all-vectors.ts';
import { LEVEL_TABLE } from './vectors/connect-vectors.ts';
import { decodeBytes, outcome } from './vectors/decode-bytes.ts';
import { bodyOf, hex, packet, u16 } from './vectors/wire.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

describe('legal packets', () => {
  for (const vector of LEGAL_VECTORS) {
    for (const level of vector.levels) {
      it(`${VERSIONS[level]} accepts ${vector.title}`, () => {
        expect(decodeBytes(level, vector.bytes)).toEqual(vector.packet);
      });
    }
  }
});

describe('encoding', () => {
  for (const vector of LEGAL_VECTORS) {
    for (const level of vector.levels) {
      it(`${VERSIONS[level]} writes ${vector.title}`, () => {
        const written = encodePacket(level, vector.packet) ?? new Uint8Array(0);
        if (vector.notShortest === undefined) expect(hex(written)).toBe(hex(vector.bytes));
        expect(decodeBytes(level, written)).toEqual(vector.packet);
      });
    }
  }
});

describe('bodies of another length', () => {
  for (const vector of LEGAL_VECTORS) {
    const body = bodyOf(vector.bytes);
    const legal = new Set([...(vector.otherLegalLengths ?? []), body.length]);
    const lengths = Array.from({ length: body.length + 2 }, (_, length) => length);
    for (const level of vector.levels) {
      it(`${VERSIONS[level]} cut short or with a byte more [MQTT 1.2]: ${vector.title}`, () => {
        const accepted = lengths.filter((length) => {
          const padded = Uint8Array.from([...body, 0]).subarray(0, length);
          return outcome(decodeBytes(level, packet(vector.bytes[0] ?? 0, padded))) === 'accepted';
        });
        expect(accepted).toEqual(lengths.filter((length) => legal.has(length)));
      });
      it(`${VERSIONS[level]} waits for the rest: ${vector.title}`, () => {
        for (let length = 0; length < vector.bytes.length; length++) {
          expect(decodeBytes(level, vector.bytes.subarray(0, length))).toBe('incomplete');
        }
      });
    }
  }
});

describe('refused packets', () => {
  for (const vector of BAD_VECTORS) {
    for (const level of vector.levels) {
      it(`${VERSIONS[level]} refuses ${vector.title}`, () => {
        const limits = vector.sender === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, sender: vector.sender };
        const decoded = decodeBytes(level, vector.bytes, limits);
        const isClosed = level !== 5 || vector.closed === true;
        expect(outcome(decoded)).toBe(`refused 0x${vector.code.toString(16)}${isClosed ? ' closed' : ''}`);
        expect(decoded).toMatchObject({
          message: expect.stringMatching(/\.$/),
          clause: expect.stringMatching(/(MQTT|U|O)[- ]/),
        });
      });
    }
  }
});

describe('protocol levels', () => {
  for (const { name, level, answer } of LEVEL_TABLE) {
    it(`answers ${name} with level ${level} as the table of versions says [MQTT-3.1.2-2] [v3.1.1 MQTT-3.1.2-2]`, () => {
      expect(outcome(decodeBytes(5, packet(0x10, name, level)))).toBe(`rejected ${answer}`);
      expect(outcome(decodeBytes(5, packet(0x10, name, level, 0x02, u16(60), 'a')))).toBe(`rejected ${answer}`);
    });
  }

  it('closes without an answer on a CONNECT that ends before its level [MQTT-3.1.2-1]', () => {
    const whole = bodyOf(packet(0x10, 'MQTT', 5));
    for (let length = 0; length < whole.length; length++) {
      expect(outcome(decodeBytes(5, packet(0x10, whole.subarray(0, length))))).toBe('refused 0x81 closed');
    }
  });

  it('answers 0x81 on 5.0 and closes on 3.x where a CONNECT ends behind its level [MQTT-3.1.4-1]', () => {
    expect(outcome(decodeBytes(5, packet(0x10, 'MQTT', 5)))).toBe('refused 0x81');
    expect(outcome(decodeBytes(4, packet(0x10, 'MQTT', 4)))).toBe('refused 0x81 closed');
    expect(outcome(decodeBytes(3, packet(0x10, 'MQIsdp', 3)))).toBe('refused 0x81 closed');
  });
});
