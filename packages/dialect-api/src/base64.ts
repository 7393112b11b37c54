const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/** Standard alphabet with padding. RFC 4648, 4 */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    parts.push(
      ALPHABET.charAt(group >>> 18) +
        ALPHABET.charAt((group >>> 12) & 63) +
        (left > 1 ? ALPHABET.charAt((group >>> 6) & 63) : '=') +
        (left > 2 ? ALPHABET.charAt(group & 63) : '='),
    );
  }
  return parts.join('');
}

/**
 * The bytes of Base64 text in the standard alphabet, with or without padding; undefined: it is none. Bits that the last
 * character has too many may be set: several kinds of devices and keys have them.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (digits.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const digit of digits) {
    const value = VALUES.get(digit);
    if (value === undefined) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[length++] = (bits >> held) & 0xff;
  }
  return bytes;
}
