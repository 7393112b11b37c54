import { type Static, Type } from 'typebox';
import { alwaysNull, epochMs, named, nullableJsonObject, nullableText, refTo } from './building-blocks.ts';
import { EntityId } from './entity-id.ts';

export const LoginRequest = named(
  'LoginRequest',
  Type.Object({
    username: Type.String({ maxLength: 255, description: 'E-mail address.', examples: ['admin@example.org'] }),
    password: Type.String({ maxLength: 1024 }),
  }),
);
export type LoginRequest = Static<typeof LoginRequest>;

export const PublicLoginRequest = named(
  'PublicLoginRequest',
  Type.Object({ publicId: Type.String({ maxLength: 255, description: 'Id of a public customer.' }) }),
);
export type PublicLoginRequest = Static<typeof PublicLoginRequest>;

export const RefreshRequest = named('RefreshRequest', Type.Object({ refreshToken: Type.String({ maxLength: 4096 }) }));
export type RefreshRequest = Static<typeof RefreshRequest>;

export const ChangePasswordRequest = named(
  'ChangePasswordRequest',
  Type.Object({
    currentPassword: Type.String({ maxLength: 1024 }),
    newPassword: Type.String({ maxLength: 1024 }),
  }),
);
export type ChangePasswordRequest = Static<typeof ChangePasswordRequest>;

/** Access and refresh token. thingsboard-server.md, 1.2 */
export const TokenPair = named(
  'TokenPair',
  Type.Object({
    token: Type.String({ description: 'Sent as `X-Authorization: Bearer <token>`.' }),
    refreshToken: Type.String(),
  }),
);
export type TokenPair = Static<typeof TokenPair>;

/** thingsboard-server.md, 1.6 */
export const User = named(
  'User',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    customerId: refTo(EntityId),
    email: Type.String(),
    name: Type.String({ description: 'The e-mail address.' }),
    authority: Type.Enum(['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER']),
    firstName: nullableText(),
    lastName: nullableText(),
    phone: alwaysNull(),
    additionalInfo: nullableJsonObject(),
    version: Type.Integer(),
  }),
);
export type User = Static<typeof User>;

/** What a new password must have; null: no such rule. thingsboard-server.md, 1.6 */
export const PasswordPolicy = named(
  'PasswordPolicy',
  Type.Object({
    minimumLength: Type.Integer(),
    maximumLength: Type.Integer(),
    minimumUppercaseLetters: alwaysNull(),
    minimumLowercaseLetters: alwaysNull(),
    minimumDigits: alwaysNull(),
    minimumSpecialCharacters: alwaysNull(),
    allowWhitespaces: Type.Boolean(),
    forceUserToResetPasswordIfNotValid: Type.Boolean(),
    passwordExpirationPeriodDays: alwaysNull(),
    passwordReuseFrequencyDays: alwaysNull(),
  }),
);
export type PasswordPolicy = Static<typeof PasswordPolicy>;
