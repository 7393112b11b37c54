const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/** Standard alphabet with padding. RFC 4648, 4 */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second, third] = bytes.subarray(at, at + 3);
    const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += second === undefined ? '=' : ALPHABET.charAt((bits >> 6) & 63);
    text += third === undefined ? '=' : ALPHABET.charAt(bits & 63);
  }
  return text;
}

/** Characters of an AppKey. */
const KEY_LENGTH = 43;
const KEY_BYTES = 32;

/**
 * The 32 bytes of an AppKey: Base64 of 43 characters without padding. The two bits that the last character has too many
 * may be set, as in keys that were drawn from letters and digits. null: it is none. sensoro.md, 2.4
 */
export function keyBytes(appKey: string): Uint8Array | null {
  if (appKey.length !== KEY_LENGTH) return null;
  const bytes = new Uint8Array(KEY_BYTES);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of appKey) {
    const value = VALUES.get(character);
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 0xff;
  }
  return bytes;
}
