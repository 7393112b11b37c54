import { type Static, Type } from 'typebox';
import { alwaysNull, epochMs, named, nullableInteger, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

/** What assets of a kind have in common. thingsboard-server.md, 2.5 */
export const AssetProfile = named(
  'AssetProfile',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    name: Type.String(),
    description: nullableText(),
    image: alwaysNull(),
    defaultRuleChainId: alwaysNull(),
    defaultDashboardId: alwaysNull(),
    defaultQueueName: alwaysNull(),
    defaultEdgeRuleChainId: alwaysNull(),
    externalId: alwaysNull(),
    version: Type.Integer(),
    default: Type.Boolean(),
  }),
);
export type AssetProfile = Static<typeof AssetProfile>;

/** The short form for pickers. */
export const AssetProfileInfo = named(
  'AssetProfileInfo',
  Type.Object({
    id: refTo(EntityId),
    tenantId: refTo(EntityId),
    name: Type.String(),
    image: alwaysNull(),
    defaultDashboardId: alwaysNull(),
  }),
);
export type AssetProfileInfo = Static<typeof AssetProfileInfo>;

export const AssetProfilePage = pageOf('AssetProfilePage', refTo(AssetProfile));
export type AssetProfilePage = Static<typeof AssetProfilePage>;
export const AssetProfileInfoPage = pageOf('AssetProfileInfoPage', refTo(AssetProfileInfo));
export type AssetProfileInfoPage = Static<typeof AssetProfileInfoPage>;

/** A profile to create (no `id`) or to update. Further members are ignored. */
export const AssetProfileInput = named(
  'AssetProfileInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    description: Type.Optional(nullableText({ maxLength: 10_000 })),
    version: Type.Optional(nullableInteger()),
  }),
);
export type AssetProfileInput = Static<typeof AssetProfileInput>;
