import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from './base64.ts';

describe('Base64', () => {
  // RFC 4648, 10
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('of %j is %j', (text, encoded) => {
    const bytes = new TextEncoder().encode(text);
    expect(toBase64(bytes)).toBe(encoded);
    expect(fromBase64(encoded)).toEqual(bytes);
  });

  it('agrees with Node on every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(toBase64(bytes)).toBe(text);
        expect(fromBase64(text)).toEqual(bytes);
        expect(fromBase64(text.replace(/=+$/, ''))).toEqual(bytes);
      }),
    );
  });

  it('may end with bits too many', () => {
    expect(fromBase64('Zh')).toEqual(fromBase64('Zg=='));
    expect(fromBase64('Zm9=')).toEqual(fromBase64('Zm8='));
  });

  it('is refused where anything else is in it, the other alphabet and blanks too', () => {
    for (const text of ['a', 'abcde', 'ab!=', 'ab=c', '=abc', '====', 'ä===', 'a-_b', 'ab c', 'abc\n', 'ab\u{1f600}']) {
      expect(fromBase64(text), text).toBeUndefined();
    }
  });
});
