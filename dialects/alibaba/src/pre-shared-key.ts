import type { CredentialLookup } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { credentialOf, parsePair } from './credentials.ts';
import type { Hmac } from './signature.ts';

const IDENTITY = /^devicename\|hmacsha256\|([^|]+)\|(\d{1,20})$/;

/** The key of a device that connects by TLS-PSK; undefined: it is none of ours. Answered from memory. Section 1.9 */
export function preSharedKey(identity: string, registry: CredentialLookup, hmac: Hmac): Uint8Array | undefined {
  const [, pair = '', timestamp = ''] = IDENTITY.exec(identity) ?? [];
  const at = pair.indexOf('&');
  const device = at === -1 ? undefined : parsePair(pair.slice(0, at), pair.slice(at + 1));
  const secret = device === undefined ? undefined : credentialOf(device, registry)?.password;
  if (!secret) return undefined;
  return encodeText(hmac('sha256', secret, `id${pair}timestamp${timestamp}`).toUpperCase());
}
