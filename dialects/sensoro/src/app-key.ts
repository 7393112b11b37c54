import { fromBase64 } from '@moorage/dialect-api';

/** Characters of an AppKey. */
const KEY_LENGTH = 43;
const KEY_BYTES = 32;

/**
 * The 32 bytes of an AppKey: Base64 of 43 characters without padding. The two bits that the last character has too many
 * may be set, as in keys that were drawn from letters and digits. null: it is none. sensoro.md, 2.4
 */
export function keyBytes(appKey: string): Uint8Array | null {
  const bytes = appKey.length === KEY_LENGTH ? fromBase64(appKey) : undefined;
  return bytes?.length === KEY_BYTES ? bytes : null;
}
