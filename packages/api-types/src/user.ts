import { type Static, Type } from 'typebox';
import { User } from './auth.ts';
import { named, nullableInteger, nullableJsonObject, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

export const UserPage = pageOf('UserPage', refTo(User));
export type UserPage = Static<typeof UserPage>;

/** A user to create (no `id`) or to update. Further members are ignored. thingsboard-server.md, 1.7 */
export const UserInput = named(
  'UserInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    email: Type.String({ maxLength: 255 }),
    authority: Type.Enum(['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER']),
    customerId: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Of a CUSTOMER_USER.' })),
    tenantId: Type.Optional(
      nullableRefTo(EntityIdInput, { description: 'Of an administrator whom a system administrator creates.' }),
    ),
    firstName: Type.Optional(nullableText({ maxLength: 255 })),
    lastName: Type.Optional(nullableText({ maxLength: 255 })),
    additionalInfo: Type.Optional(nullableJsonObject()),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type UserInput = Static<typeof UserInput>;

const token = Type.String({ maxLength: 255 });
const password = Type.String({ maxLength: 1024 });

export const ActivateUserRequest = named('ActivateUserRequest', Type.Object({ activateToken: token, password }));
export type ActivateUserRequest = Static<typeof ActivateUserRequest>;

export const ResetPasswordRequest = named('ResetPasswordRequest', Type.Object({ resetToken: token, password }));
export type ResetPasswordRequest = Static<typeof ResetPasswordRequest>;

export const ResetPasswordByEmailRequest = named(
  'ResetPasswordByEmailRequest',
  Type.Object({ email: Type.String({ maxLength: 255 }) }),
);
export type ResetPasswordByEmailRequest = Static<typeof ResetPasswordByEmailRequest>;

/** A link with what is left of its life. */
export const UserLink = named(
  'UserLink',
  Type.Object({ value: Type.String(), ttlMs: Type.Integer({ description: 'Milliseconds.' }) }),
);
export type UserLink = Static<typeof UserLink>;
