import type { ConnectCredential } from '@moorage/core';
import { passwordMatches } from '@moorage/dialect-api';

const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const CASE_BIT = 0x20;

/** Compared with the password of an unknown name, so that it takes as long as a known one. */
const NOBODYS_TOKEN = 'NOBODY HAS THIS TOKEN';

/** The device tokens that are valid now: the present one first, then the one before while it is. thingscale.md, 4.1 */
export function deviceTokens(credential: ConnectCredential, now: number): readonly string[] {
  const current = credential.secret?.('deviceToken') ?? credential.password;
  const previous = credential.secret?.('previousDeviceToken') ?? null;
  const tokens = current === null || current === '' ? [] : [current];
  if (previous !== null && previous !== '' && now < validUntil(credential)) tokens.push(previous);
  return tokens;
}

/** Epoch milliseconds; 0 where there was no token before. */
export function validUntil(credential: ConnectCredential): number {
  return Number(credential.secret?.('previousDeviceTokenValidUntil') ?? 0) || 0;
}

/** Whether the password is one of these tokens, in any case; the time does not tell how far it is right. */
export function isToken(password: Uint8Array | null, tokens: readonly string[]): boolean {
  const presented = password === null ? null : upperCase(password);
  let matches = false;
  for (const token of tokens) matches = passwordMatches(presented, token.toUpperCase()) || matches;
  return matches;
}

/** Does for an unknown name the work that is done for a known one. */
export function pretendToCheck(password: Uint8Array | null): void {
  isToken(password, [NOBODYS_TOKEN]);
}

/** Tokens are letters and digits, so other bytes stay as they are. */
function upperCase(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= LOWER_A && byte <= LOWER_Z ? byte ^ CASE_BIT : byte));
}
