import { type Static, Type } from 'typebox';
import {
  alwaysNull,
  epochMs,
  named,
  nullableInteger,
  nullableJsonObject,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

const assetMembers = {
  id: refTo(EntityId),
  createdTime: epochMs(),
  tenantId: refTo(EntityId),
  customerId: refTo(EntityId),
  name: Type.String(),
  type: Type.String({ description: "The profile's name." }),
  label: nullableText(),
  assetProfileId: refTo(EntityId),
  externalId: alwaysNull(),
  version: Type.Integer(),
  additionalInfo: nullableJsonObject(),
};

/** A thing that does not connect. thingsboard-server.md, 2.5 */
export const Asset = named('Asset', Type.Object(assetMembers));
export type Asset = Static<typeof Asset>;

/** An asset with what lists show beside it. */
export const AssetInfo = named(
  'AssetInfo',
  Type.Object({
    ...assetMembers,
    customerTitle: nullableText(),
    customerIsPublic: Type.Boolean(),
    assetProfileName: Type.String(),
  }),
);
export type AssetInfo = Static<typeof AssetInfo>;

export const AssetPage = pageOf('AssetPage', refTo(Asset));
export type AssetPage = Static<typeof AssetPage>;
export const AssetInfoPage = pageOf('AssetInfoPage', refTo(AssetInfo));
export type AssetInfoPage = Static<typeof AssetInfoPage>;

/** An asset to create (no `id`) or to update. Further members are ignored. */
export const AssetInput = named(
  'AssetInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    label: Type.Optional(nullableText({ maxLength: 255 })),
    type: Type.Optional(nullableText({ maxLength: 255, description: 'Name of the profile; made if it is unknown.' })),
    assetProfileId: Type.Optional(nullableRefTo(EntityIdInput)),
    customerId: Type.Optional(
      nullableRefTo(EntityIdInput, { description: 'Null or left out: as it is. The null UUID: nobody.' }),
    ),
    additionalInfo: Type.Optional(nullableJsonObject()),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type AssetInput = Static<typeof AssetInput>;

export const AssetListQuery = Type.Object({
  ...PageLinkProperties,
  type: Type.Optional(Type.String({ maxLength: 255, description: 'Name of a profile; beats assetProfileId.' })),
  assetProfileId: Type.Optional(Type.String({ format: 'uuid' })),
});
export type AssetListQuery = Static<typeof AssetListQuery>;

/** The name of a profile in use. */
export const AssetType = named(
  'AssetType',
  Type.Object({ tenantId: refTo(EntityId), entityType: Type.Literal('ASSET'), type: Type.String() }),
);
export type AssetType = Static<typeof AssetType>;
