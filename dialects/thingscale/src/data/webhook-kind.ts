import type { EntityId, WebhookKind } from '@moorage/core';

/** Webhooks of event rules. */
export const WEBHOOK_KIND = 'thingscale';

const DAY_MS = 86_400_000;

/** How webhooks of event rules are sent; those of a rule that was switched off are dropped. thingscale.md, 4.8 */
export function thingscaleWebhooks(isDisabled: (ruleId: EntityId) => boolean): WebhookKind {
  return {
    kind: WEBHOOK_KIND,
    policy: {
      concurrency: 8,
      timeoutMs: 10_000,
      retryDelaysMs: [1_000, 5_000, 30_000],
      queueMessages: 10_000,
      queueAgeMs: DAY_MS,
      suspendOn: null,
    },
    sign: ({ targetId }) => (isDisabled(targetId) ? null : { headers: {} }),
  };
}
