const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 of the bytes, with padding. RFC 4648, section 4 */
export function base64Of(bytes: Uint8Array): string {
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

/** The bytes of Base64 text, with or without padding; undefined: it is none. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let group = 0;
  let length = 0;
  for (let index = 0; index < digits.length; index++) {
    group = (group << 6) | ALPHABET.indexOf(digits.charAt(index));
    if (index % 4 !== 0) bytes[length++] = (group >>> (6 - 2 * (index % 4))) & 0xff;
  }
  return bytes;
}
