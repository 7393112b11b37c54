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
import { pageOf } from './page.ts';

const text = nullableText();

/** thingsboard-server.md, 0.6 */
export const Tenant = named(
  'Tenant',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    title: Type.String(),
    name: Type.String({ description: 'The title.' }),
    region: text,
    tenantProfileId: alwaysNull(),
    country: text,
    state: text,
    city: text,
    address: text,
    address2: text,
    zip: text,
    phone: text,
    email: text,
    additionalInfo: nullableJsonObject(),
    externalId: alwaysNull(),
    version: Type.Integer(),
  }),
);
export type Tenant = Static<typeof Tenant>;

export const TenantPage = pageOf('TenantPage', refTo(Tenant));
export type TenantPage = Static<typeof TenantPage>;

const optionalText = Type.Optional(nullableText({ maxLength: 255 }));

/** A tenant to create (no `id`) or to update. Further members are ignored. */
export const TenantInput = named(
  'TenantInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    title: Type.String({ maxLength: 255 }),
    region: optionalText,
    country: optionalText,
    state: optionalText,
    city: optionalText,
    address: optionalText,
    address2: optionalText,
    zip: optionalText,
    phone: optionalText,
    email: optionalText,
    additionalInfo: Type.Optional(nullableJsonObject()),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type TenantInput = Static<typeof TenantInput>;
