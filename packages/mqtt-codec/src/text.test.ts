import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeText, isText, textBytes, writeText } from './text.ts';
import { isDiscouragedCodePoint, TextQuality, textQuality } from './utf8.ts';
import { decodeBytes, outcome } from './vectors/decode-bytes.ts';
import { DISCOURAGED, ILL_FORMED, TEXT_FIELDS, WELL_FORMED } from './vectors/text-vectors.ts';
import { hex } from './vectors/wire.ts';

const VERSIONS = { 3: '3.1', 4: '3.1.1', 5: '5.0' } as const;

describe('string fields', () => {
  for (const field of TEXT_FIELDS) {
    const version = VERSIONS[field.level];
    const refused = (code: number) => `refused 0x${code.toString(16)}${field.level === 5 ? '' : ' closed'}`;

    it.each(Object.entries(ILL_FORMED))(
      `${version} ${field.title} refuses %s [MQTT-1.5.4-1] [MQTT-1.5.4-2]`,
      (_, text) => {
        expect(outcome(decodeBytes(field.level, field.around(text)))).toBe(refused(0x81));
      },
    );

    it.each(Object.entries(DISCOURAGED))(`O-3 ${version} ${field.title} refuses %s`, (_, text) => {
      expect(outcome(decodeBytes(field.level, field.around(text)))).toBe(refused(field.discouragedCode ?? 0x81));
    });

    it.each(Object.entries(WELL_FORMED))(`${version} ${field.title} accepts %s [MQTT-1.5.4-3]`, (_, text) => {
      expect(outcome(decodeBytes(field.level, field.around(text)))).toBe('accepted');
    });
  }
});

function fatallyDecodes(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

const NON_CHARACTER = /[\p{Cc}\ufdd0-\ufdef]|\p{Noncharacter_Code_Point}/u;

describe('textQuality', () => {
  it('agrees with TextDecoder on what is well-formed, and with Unicode on what is discouraged', () => {
    const nearText = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new TextEncoder().encode(text)),
      fc.array(fc.constantFrom(0x00, 0x1f, 0x61, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xa0, 0xef, 0xf0, 0x90, 0xf4, 0x8f), {
        maxLength: 6,
      }),
    );
    fc.assert(
      fc.property(nearText, (input) => {
        const bytes = Uint8Array.from(input);
        const text = fatallyDecodes(bytes);
        const isBroken = text === null || text.includes('\0');
        const acceptable = !isBroken && NON_CHARACTER.test(text) ? TextQuality.Discouraged : TextQuality.WellFormed;
        expect(textQuality(bytes, 0, bytes.length)).toBe(isBroken ? TextQuality.IllFormed : acceptable);
      }),
      { numRuns: 2_000 },
    );
  });

  it('O-3 knows every control character and non-character of Unicode', () => {
    for (let codePoint = 0; codePoint <= 0x10_ffff; codePoint += codePoint < 0x1_0100 ? 1 : 0xff) {
      expect(isDiscouragedCodePoint(codePoint)).toBe(NON_CHARACTER.test(String.fromCodePoint(codePoint)));
    }
  });

  it('looks at no byte outside its range', () => {
    expect(textQuality(Uint8Array.of(0xff, 0x61, 0xc3), 1, 2)).toBe(TextQuality.WellFormed);
    expect(textQuality(Uint8Array.of(0xc3, 0xa9), 0, 1)).toBe(TextQuality.IllFormed);
    expect(textQuality(Uint8Array.of(0xff), 0, 0)).toBe(TextQuality.WellFormed);
  });
});

describe('encodeText and writeText', () => {
  it('give the bytes of TextEncoder for every text, short or long', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 40, maxLength: 60 }));
    fc.assert(
      fc.property(text, (value) => {
        const expected = new TextEncoder().encode(value);
        const target = new Uint8Array(value.length * 3 + 2);
        expect(hex(encodeText(value))).toBe(hex(expected));
        expect(writeText(target, 1, value)).toBe(expected.length + 1);
        expect(hex(target.subarray(1, expected.length + 1))).toBe(hex(expected));
        expect(textBytes(value)).toBe(expected.length);
      }),
      { numRuns: 300 },
    );
  });

  it('count an unpaired surrogate as the three bytes of U+FFFD', () => {
    expect(textBytes('\ud800')).toBe(3);
    expect(textBytes('\udc00a')).toBe(4);
    expect(hex(encodeText('\ud800'))).toBe('ef bf bd');
    expect(textBytes('\ud83d\udca9')).toBe(4);
  });

  it('stop counting above 65,535', () => {
    expect(textBytes('x'.repeat(65_535))).toBe(65_535);
    expect(textBytes('x'.repeat(100_000))).toBe(65_536);
    expect(textBytes('é'.repeat(40_000))).toBe(65_536);
  });
});

describe('isText', () => {
  it('O-3 refuses control characters, non-characters and unpaired surrogates [MQTT-1.5.4-1]', () => {
    for (const text of [
      'a\0',
      '\u0007',
      'a\u007f',
      '\u0085',
      '\ufdd0',
      '\uffff',
      '\u{1fffe}',
      '\ud800',
      '\udc00',
      'a\udfff',
    ]) {
      expect(isText(text), JSON.stringify(text)).toBe(false);
    }
  });

  it('accepts everything else up to 65,535 bytes [MQTT-4.7.3-3]', () => {
    for (const text of ['', 'plain', 'é温度🌡', '\ufeff', 'x'.repeat(65_535)]) expect(isText(text)).toBe(true);
    expect(isText('x'.repeat(65_536))).toBe(false);
    expect(isText('é'.repeat(32_768))).toBe(false);
  });
});
