import { type Static, Type } from 'typebox';
import { epochMs, named, nullableInteger, nullableText, refTo } from './building-blocks.ts';
import { BareId, EntityId } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

/** A message to an address outside that waits or was given up. api-additions.md, 3 */
export const WebhookDelivery = named(
  'WebhookDelivery',
  Type.Object({
    id: refTo(BareId),
    createdTime: epochMs('When the event happened, or when it was sent again by hand.'),
    tenantId: refTo(EntityId),
    kind: Type.String({ description: 'What sends it.', examples: ['sensoro', 'thingscale'] }),
    targetId: refTo(BareId),
    eventId: Type.String({ description: 'The same in every attempt.' }),
    url: Type.String(),
    state: Type.Enum(['WAITING', 'DEAD']),
    attempts: Type.Integer({ description: 'Since it was put down, or since the last start of the server.' }),
    lastError: nullableText({ description: 'null: not tried yet.' }),
    nextAttemptTime: nullableInteger({ description: 'Epoch milliseconds; null: as soon as it is its turn, or never.' }),
    body: Type.String({ description: 'The first 4,096 characters.' }),
  }),
);
export type WebhookDelivery = Static<typeof WebhookDelivery>;

export const WebhookDeliveryPage = pageOf('WebhookDeliveryPage', refTo(WebhookDelivery));
export type WebhookDeliveryPage = Static<typeof WebhookDeliveryPage>;

const { pageSize, page } = PageLinkProperties;

export const WebhookDeliveryQuery = Type.Object({
  pageSize,
  page,
  state: Type.Optional(Type.Enum(['WAITING', 'DEAD'], { description: 'DEAD if left out.' })),
});
export type WebhookDeliveryQuery = Static<typeof WebhookDeliveryQuery>;
