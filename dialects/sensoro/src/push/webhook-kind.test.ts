import type { ConnectCredential, WebhookMessage } from '@moorage/core';
import { describe, expect, it } from 'vitest';
import { webhookAddress } from '../applications.ts';
import {
  APPLICATION,
  type ApplicationFields,
  application,
  examples,
  hmacSha256Base64,
  lookupOf,
  normaliseUrl,
  TENANT,
} from '../testing/tools.ts';
import { sensoroWebhookKind } from './webhook-kind.ts';

const CONFIGURATION = { webhookUrl: examples.webhookUrl };

function kind(...credentials: readonly ConnectCredential[]) {
  return sensoroWebhookKind({ credentials: lookupOf(...credentials), hmacSha256Base64, normaliseUrl });
}

function app(fields: ApplicationFields = {}): ConnectCredential {
  return application({ configuration: CONFIGURATION, ...fields });
}

function message(text: string, fields: Partial<WebhookMessage> = {}): WebhookMessage {
  return {
    kind: 'sensoro',
    targetId: APPLICATION,
    tenantId: TENANT,
    eventId: examples.msgId,
    orderKey: examples.sn,
    url: examples.webhookUrl,
    contentType: 'application/json; charset=utf-8',
    body: new TextEncoder().encode(text),
    ...fields,
  };
}

const SAFE = examples.plainPush.replace(`"data":${examples.message}`, `"encryptData":"${examples.encryptData}"`);

describe('a webhook', () => {
  it('SEN-25 SEN-26 has the three headers and the signatures of the examples', () => {
    const now = Number(examples.nonce);
    expect(kind(app()).sign(message(examples.plainPush), now)?.headers).toEqual({
      'X-ACCESS-ID': 'foobar',
      'X-ACCESS-NONCE': examples.nonce,
      'X-ACCESS-SIGNATURE': examples.plainSignature,
    });
    const safe = kind(app()).sign(message(SAFE), now);
    expect(safe?.headers['X-ACCESS-SIGNATURE']).toBe(examples.safeSignature);
  });

  it('is signed anew for each attempt, with its own nonce and the secret that holds then', () => {
    const credentials = [app()];
    const { sign } = kind(...credentials);
    const [first, second] = [1_000, 2_000.7].map((now) => sign(message('{}'), now)?.headers);
    expect([first?.['X-ACCESS-NONCE'], second?.['X-ACCESS-NONCE']]).toEqual(['1000', '2000']);
    expect(first?.['X-ACCESS-SIGNATURE']).not.toBe(second?.['X-ACCESS-SIGNATURE']);
    const other = app({
      secrets: { appSecret: 'another', previousAppSecret: examples.appSecret, previousAppSecretValidUntil: '9999' },
    });
    const expected = hmacSha256Base64('another', `1000POST${examples.webhookUrl}{}`);
    expect(kind(other).sign(message('{}'), 1_000)?.headers['X-ACCESS-SIGNATURE']).toBe(expected);
  });

  it('is dropped when the application is gone, disabled, or has no address any more', () => {
    expect(kind().sign(message('{}'), 0)).toBeNull();
    expect(kind(app({ enabled: false })).sign(message('{}'), 0)).toBeNull();
    expect(kind(app({ configuration: {} })).sign(message('{}'), 0)).toBeNull();
    expect(kind(app()).sign(message('{}', { targetId: 'another' }), 0)).toBeNull();
  });

  it('is tried as often and as long as the vendor’s applications are promised', () => {
    expect(kind().policy).toEqual({
      concurrency: 8,
      timeoutMs: 10_000,
      retryDelaysMs: [1_000, 5_000, 30_000, 120_000, 600_000],
      queueMessages: 100_000,
      queueAgeMs: 86_400_000,
      suspendOn: 410,
    });
  });

  it('SEN-27 goes to, and is signed for, the normalised address without fragment', () => {
    for (const [given, expected] of [
      ['https://example.com', 'https://example.com/'],
      ['https://h:443/x?y=1#z', 'https://h/x?y=1'],
      ['http://h:8080/x', 'http://h:8080/x'],
      ['HTTP://H:80/a b?c=d e#', 'http://h/a%20b?c=d%20e'],
    ] as const) {
      expect(webhookAddress(given, normaliseUrl)).toBe(expected);
    }
    for (const given of [null, 5, '', 'x', '/path', 'ftp://h/', 'javascript:alert(1)'])
      expect(webhookAddress(given, normaliseUrl)).toBeNull();
  });
});
