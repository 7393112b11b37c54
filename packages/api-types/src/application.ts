import { type Static, Type } from 'typebox';
import {
  epochMs,
  freeJsonObject,
  named,
  nullableInteger,
  nullableJsonObject,
  nullableRefTo,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

/** An identity that is not a device. api-additions.md, 2 */
export const Application = named(
  'Application',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    name: Type.String(),
    dialect: Type.String({ examples: ['plain'] }),
    enabled: Type.Boolean(),
    credentials: freeJsonObject({
      description: 'Whole in the answer of the creating call only; elsewhere without its secret members.',
    }),
    configuration: freeJsonObject(),
    version: Type.Integer(),
  }),
);
export type Application = Static<typeof Application>;

export const ApplicationPage = pageOf('ApplicationPage', refTo(Application));
export type ApplicationPage = Static<typeof ApplicationPage>;

/** The secrets of an application, by dialect. */
export const ApplicationCredentials = named(
  'ApplicationCredentials',
  freeJsonObject({ description: '`plain`: username, password, clientIdPrefix.' }),
);
export type ApplicationCredentials = Static<typeof ApplicationCredentials>;

/** An application to create (no `id`) or to update. Credentials left out are generated. */
export const ApplicationInput = named(
  'ApplicationInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    dialect: Type.String({ minLength: 1, maxLength: 64 }),
    enabled: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
    credentials: Type.Optional(nullableJsonObject()),
    configuration: Type.Optional(nullableJsonObject()),
    version: Type.Optional(nullableInteger()),
  }),
);
export type ApplicationInput = Static<typeof ApplicationInput>;
