import type { Crypto } from '../ports/runtime.ts';

const DIGITS = '0123456789';
const LOWER = `abcdefghijklmnopqrstuvwxyz${DIGITS}`;
const MIXED = `ABCDEFGHIJKLMNOPQRSTUVWXYZ${LOWER}`;

/** Random text of `length` characters of `[A-Za-z0-9]`, each equally likely. 20 characters are 119 bits. */
export function randomText(crypto: Pick<Crypto, 'randomBytes'>, length: number): string {
  return draw(crypto, MIXED, length);
}

/** The same of `[a-z0-9]`. 20 characters are 103 bits. */
export function randomLowerText(crypto: Pick<Crypto, 'randomBytes'>, length: number): string {
  return draw(crypto, LOWER, length);
}

/** The same of digits. */
export function randomDigits(crypto: Pick<Crypto, 'randomBytes'>, length: number): string {
  return draw(crypto, DIGITS, length);
}

function draw(crypto: Pick<Crypto, 'randomBytes'>, alphabet: string, length: number): string {
  // Bytes from the largest multiple of the alphabet's length on would favour its first letters.
  const fairBytes = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.randomBytes(length + 8)) {
      if (byte < fairBytes && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
