import type { Crypto } from '../ports/runtime.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Largest multiple of the alphabet's length in a byte; bytes from here on would favour the first letters. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length);

/** Random text of `length` characters of `[A-Za-z0-9]`, each equally likely. 20 characters are 119 bits. */
export function randomText(crypto: Pick<Crypto, 'randomBytes'>, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.randomBytes(length + 8)) {
      if (byte < FAIR_BYTES && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}
