import type { OutboxEntry, WebhookMessage } from '@moorage/core';

/** A message of the kind `test` to a receiver that does not exist. */
export function sampleWebhook(parts: Partial<WebhookMessage> = {}): WebhookMessage {
  return {
    kind: 'test',
    targetId: '00000000-0000-4000-8000-0000000000a1',
    tenantId: '00000000-0000-4000-8000-0000000000aa',
    eventId: 'event',
    orderKey: 'key',
    url: 'https://receiver.example.org/hook',
    contentType: 'application/json; charset=utf-8',
    body: new TextEncoder().encode('{"a":1}'),
    ...parts,
  };
}

/** The same as it is put down, with its number as event id. */
export function sampleOutboxEntry(sequence: number, parts: Partial<WebhookMessage> = {}): OutboxEntry {
  const message = sampleWebhook({ eventId: `event-${sequence}`, ...parts });
  return { sequence, createdTime: 1_700_000_000_000 + sequence, message };
}
