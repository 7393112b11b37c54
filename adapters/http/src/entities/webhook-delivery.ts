import type { WebhookDelivery as ApiWebhookDelivery, WebhookDeliveryQuery } from '@moorage/api-types';
import type { PageQuery, WebhookDelivery } from '@moorage/core';
import { entityId } from './entity-ids.ts';
import { toPageQuery } from './pages.ts';

export function toWebhookDelivery(delivery: WebhookDelivery): ApiWebhookDelivery {
  const { id, tenantId, targetId, createdTime, kind, eventId, url, state } = delivery;
  const { attempts, lastError, nextAttemptTime, body } = delivery;
  return {
    id: { id },
    createdTime,
    tenantId: entityId('TENANT', tenantId),
    kind,
    targetId: { id: targetId },
    eventId,
    url,
    state,
    attempts,
    lastError,
    nextAttemptTime,
    body,
  };
}

/** Lists of deliveries have one order only. */
export function toDeliveryQuery({ pageSize, page }: WebhookDeliveryQuery): PageQuery {
  return toPageQuery({ pageSize, page });
}
