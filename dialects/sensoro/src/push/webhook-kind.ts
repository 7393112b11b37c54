import type { CredentialLookup, WebhookKind, WebhookMessage, WebhookPolicy, WebhookSigning } from '@moorage/core';
import { Applications, type NormaliseUrl, secretsOf } from '../applications.ts';
import { DIALECT_ID } from '../manifest.ts';
import type { HmacSha256Base64 } from '../ports.ts';
import { signatureOf } from './signature.ts';

/** sensoro.md, 4.6 */
const POLICY: WebhookPolicy = {
  concurrency: 8,
  timeoutMs: 10_000,
  retryDelaysMs: [1_000, 5_000, 30_000, 120_000, 600_000],
  queueMessages: 100_000,
  queueAgeMs: 86_400_000,
  suspendOn: 410,
};

export interface WebhookKindOptions {
  readonly credentials: CredentialLookup;
  readonly hmacSha256Base64: HmacSha256Base64;
  readonly normaliseUrl: NormaliseUrl;
}

/** How pushes are sent: signed anew for each attempt, with the secret that holds then. sensoro.md, 4.6 */
export function sensoroWebhookKind({ credentials, hmacSha256Base64, normaliseUrl }: WebhookKindOptions): WebhookKind {
  const applications = new Applications(normaliseUrl);
  return {
    kind: DIALECT_ID,
    policy: POLICY,
    sign({ targetId, url, body }: WebhookMessage, now: number): WebhookSigning | null {
      const credential = credentials.application?.(targetId);
      const application = credential === undefined ? undefined : applications.of(credential);
      // Without an address of its own the application does not want to be told any more.
      if (credential === undefined || application === undefined || application.webhookUrl === null) return null;
      const [secret] = secretsOf(credential, now);
      if (secret === undefined) return null;
      const nonce = String(Math.trunc(now));
      return {
        headers: {
          'X-ACCESS-ID': application.appId,
          'X-ACCESS-NONCE': nonce,
          'X-ACCESS-SIGNATURE': signatureOf(hmacSha256Base64, secret, { nonce, method: 'POST', url, body }),
        },
      };
    },
  };
}
