import { type Static, Type } from 'typebox';
import { epochMs, named, nullableInteger, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

/** thingsboard-server.md, 1.5 */
export const ApiKeyInfo = named(
  'ApiKeyInfo',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    userId: refTo(EntityId),
    expirationTime: epochMs('Epoch milliseconds; 0: never.'),
    description: Type.String(),
    enabled: Type.Boolean(),
    expired: Type.Boolean(),
    value: Type.Optional(
      Type.String({
        description: 'Sent as `X-Authorization: ApiKey <value>`. In the answer of the creating call only.',
      }),
    ),
  }),
);
export type ApiKeyInfo = Static<typeof ApiKeyInfo>;

export const ApiKeyInfoPage = pageOf('ApiKeyInfoPage', refTo(ApiKeyInfo));
export type ApiKeyInfoPage = Static<typeof ApiKeyInfoPage>;

/** A key to make (no `id`) or to change. Further members are ignored. */
export const ApiKeyInput = named(
  'ApiKeyInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    userId: refTo(EntityIdInput),
    description: Type.Optional(nullableText({ maxLength: 255, description: 'Required.' })),
    enabled: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
    expirationTime: Type.Optional(nullableInteger({ description: 'Epoch milliseconds; 0 or left out: never.' })),
  }),
);
export type ApiKeyInput = Static<typeof ApiKeyInput>;
