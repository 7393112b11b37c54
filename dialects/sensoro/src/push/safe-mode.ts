import { encodeText, toBase64 } from '@moorage/dialect-api';
import type { Aes256Cbc } from '../ports.ts';

/** Bytes of each; the padding fills blocks of 32, twice the cipher's own. */
const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;
const IV_BYTES = 16;
const PADDING_BLOCK = 32;

/** The plain text of the cipher: random bytes, length, message, AppID, padding. sensoro.md, 2.4 */
export function safeModePlainText(message: Uint8Array, appId: string, random: Uint8Array): Uint8Array {
  const id = encodeText(appId);
  const length = RANDOM_BYTES + LENGTH_BYTES + message.length + id.length;
  // An aligned text gets a whole block of padding.
  const padding = PADDING_BLOCK - (length % PADDING_BLOCK);
  const text = new Uint8Array(length + padding).fill(padding);
  text.set(random.subarray(0, RANDOM_BYTES));
  new DataView(text.buffer).setUint32(RANDOM_BYTES, message.length);
  text.set(message, RANDOM_BYTES + LENGTH_BYTES);
  text.set(id, RANDOM_BYTES + LENGTH_BYTES + message.length);
  return text;
}

/** `encryptData` of a message. `key`: 32 bytes. `random`: 16 bytes, fresh for every message. sensoro.md, 2.4 */
export function encryptData(
  cipher: Aes256Cbc,
  key: Uint8Array,
  appId: string,
  message: string,
  random: Uint8Array,
): string {
  const text = safeModePlainText(encodeText(message), appId, random);
  return toBase64(cipher(key, key.subarray(0, IV_BYTES), text));
}
