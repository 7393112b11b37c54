import { type Static, Type } from 'typebox';
import { epochMs, named, nullableInteger, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { BareId, EntityId, EntityIdInput } from './entity-id.ts';

/** Kinds of credentials a device may have. thingsboard-server.md, 2.3; api-additions.md, 1 */
export const CREDENTIALS_TYPES = ['ACCESS_TOKEN', 'MQTT_BASIC', 'X509_CERTIFICATE', 'PLAIN', 'ALIBABA'] as const;

/** thingsboard-server.md, 2.3 */
export const DeviceCredentials = named(
  'DeviceCredentials',
  Type.Object({
    id: refTo(BareId),
    createdTime: epochMs(),
    deviceId: refTo(EntityId),
    credentialsType: Type.Enum([...CREDENTIALS_TYPES]),
    credentialsId: Type.String({ description: 'The access token, user name or other name shown at CONNECT.' }),
    credentialsValue: nullableText({ description: 'JSON text or PEM, by type; null for ACCESS_TOKEN.' }),
    version: Type.Integer(),
  }),
);
export type DeviceCredentials = Static<typeof DeviceCredentials>;

export const DeviceCredentialsInput = named(
  'DeviceCredentialsInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(BareId, { description: 'Of the record to update.' })),
    deviceId: Type.Optional(nullableRefTo(EntityIdInput)),
    credentialsType: Type.Enum([...CREDENTIALS_TYPES]),
    credentialsId: Type.Optional(nullableText({ maxLength: 1024, description: 'Generated where the type allows.' })),
    credentialsValue: Type.Optional(nullableText({ maxLength: 65_536 })),
    version: Type.Optional(nullableInteger()),
  }),
);
export type DeviceCredentialsInput = Static<typeof DeviceCredentialsInput>;
