import type { Crypto } from '../ports/runtime.ts';

const PREFIX = 'tb_';
const RANDOM_BYTES = 64;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** 64 bytes in base64url without padding are 86 characters. RFC 4648, 5 */
const FORM = /^tb_[A-Za-z0-9_-]{86}$/;

/** The text of a new key: 512 random bits. thingsboard-server.md, 1.5 */
export function newKeyText(crypto: Pick<Crypto, 'randomBytes'>): string {
  const bytes = crypto.randomBytes(RANDOM_BYTES);
  let text = PREFIX;
  let bits = 0;
  let waiting = 0;
  for (const byte of bytes) {
    waiting = (waiting << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += ALPHABET.charAt((waiting >> bits) & 63);
    }
    waiting &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((waiting << (6 - bits)) & 63);
}

/** Whether a text can be a key at all. */
export function isKeyText(text: string): boolean {
  return FORM.test(text);
}
