import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passwordMatches } from './secret.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('passwordMatches', () => {
  it('takes anything where no password is asked for', () => {
    for (const presented of [null, bytes(''), bytes('x')]) expect(passwordMatches(presented, null)).toBe(true);
  });

  it('tells a missing password from an empty one', () => {
    expect(passwordMatches(null, '')).toBe(false);
    expect(passwordMatches(bytes(''), '')).toBe(true);
    expect(passwordMatches(null, 'x')).toBe(false);
  });

  it('is not deceived by repetition, prefixes or bytes that are not UTF-8', () => {
    for (const presented of ['ab', 'abab', 'a', 'aba', ''])
      expect(passwordMatches(bytes(presented), 'ab')).toBe(presented === 'ab');
    expect(passwordMatches(Uint8Array.of(0xff), '\ufffd')).toBe(false);
  });

  it('is true for equal texts only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        expect(passwordMatches(bytes(one), one)).toBe(true);
        expect(passwordMatches(bytes(one), other)).toBe(one === other);
      }),
    );
  });
});
