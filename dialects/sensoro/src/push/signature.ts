import { encodeText } from '@moorage/dialect-api';
import type { HmacSha256Base64 } from '../ports.ts';

/** One request as it is signed. `url`: scheme, host, path and query as the receiver sees them. */
export interface SignedRequest {
  readonly nonce: string;
  /** In capitals. */
  readonly method: string;
  readonly url: string;
  readonly body: string | Uint8Array;
}

/** `X-ACCESS-SIGNATURE` of a request, in either direction. sensoro.md, 2.3 */
export function signatureOf(hmac: HmacSha256Base64, secret: string, request: SignedRequest): string {
  const { nonce, method, url, body } = request;
  const head = nonce + method + url;
  if (typeof body === 'string') return hmac(secret, head + body);
  const prefix = encodeText(head);
  const text = new Uint8Array(prefix.length + body.length);
  text.set(prefix);
  text.set(body, prefix.length);
  return hmac(secret, text);
}
