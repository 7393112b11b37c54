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

const contactMembers = {
  country: nullableText(),
  state: nullableText(),
  city: nullableText(),
  address: nullableText(),
  address2: nullableText(),
  zip: nullableText(),
  phone: nullableText(),
  email: nullableText(),
};

/** Somebody that devices are assigned to. thingsboard-server.md, 2.6 */
export const Customer = named(
  'Customer',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    title: Type.String(),
    name: Type.String({ description: 'The title.' }),
    ...contactMembers,
    additionalInfo: nullableJsonObject({ description: '`isPublic` is true for the public customer.' }),
    externalId: alwaysNull(),
    version: Type.Integer(),
  }),
);
export type Customer = Static<typeof Customer>;

export const CustomerPage = pageOf('CustomerPage', refTo(Customer));
export type CustomerPage = Static<typeof CustomerPage>;

export const CustomerShortInfo = named(
  'CustomerShortInfo',
  Type.Object({ title: Type.String(), isPublic: Type.Boolean() }),
);
export type CustomerShortInfo = Static<typeof CustomerShortInfo>;

const contactText = Type.Optional(nullableText({ maxLength: 255 }));

/** A customer to create (no `id`) or to update. Further members are ignored. */
export const CustomerInput = named(
  'CustomerInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    title: Type.String({ maxLength: 255 }),
    country: contactText,
    state: contactText,
    city: contactText,
    address: contactText,
    address2: contactText,
    zip: contactText,
    phone: contactText,
    email: contactText,
    additionalInfo: Type.Optional(nullableJsonObject()),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type CustomerInput = Static<typeof CustomerInput>;
