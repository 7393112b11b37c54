import { type Static, Type } from 'typebox';
import { epochMs, named, nullableInteger, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { BareId, EntityId, EntityIdInput } from './entity-id.ts';

/** Kinds of credentials a device may have. thingsboard-server.md, 2.3; api-additions.md, 1 */
export const CREDENTIALS_TYPES = [
  'ACCESS_TOKEN',
  'MQTT_BASIC',
  'X509_CERTIFICATE',
  'PLAIN',
  'ALIBABA',
  'WAVESHARE',
  'THINGSCALE',
] as const;

const VALUE_FORMS = `JSON text or PEM, by type; null for ACCESS_TOKEN.

- \`MQTT_BASIC\`: \`{"clientId","userName","password"}\`.
- \`X509_CERTIFICATE\`: the certificate as PEM.
- \`PLAIN\`: \`{"username","password","clientId"}\`; \`clientId\` null: any.
- \`ALIBABA\`: \`{"productKey","deviceName","deviceSecret"}\`; \`deviceSecret\` null: obtained by dynamic registration. Optional:
  \`deviceToken\`, shown by the device in place of a signature, \`registered\` (true: the device made itself known and is told its
  token, which is drawn where it is left out), and \`enabled\` (false: the device is refused).
- \`WAVESHARE\`: \`{"clientId","pubTopic","subTopic"}\` exactly as burnt in; what is null is generated. Optional: \`password\`, and
  \`accountId\`, the id of a \`waveshare\` application (left out: the tenant's default account), and \`enabled\` (false: the
  device is refused).
- \`THINGSCALE\`: \`{"accountId"}\`, the id of the \`thingscale\` application to which the device belongs.`;

const ID_FORMS = `The access token, user name or other name by which the device is known: ALIBABA \`deviceName&productKey\`, WAVESHARE the
Client Identifier, THINGSCALE the device id in its account.`;

/** thingsboard-server.md, 2.3 */
export const DeviceCredentials = named(
  'DeviceCredentials',
  Type.Object({
    id: refTo(BareId),
    createdTime: epochMs(),
    deviceId: refTo(EntityId),
    credentialsType: Type.Enum([...CREDENTIALS_TYPES]),
    credentialsId: Type.String({ description: ID_FORMS }),
    credentialsValue: nullableText({ description: VALUE_FORMS }),
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
    credentialsId: Type.Optional(
      nullableText({ maxLength: 1024, description: `${ID_FORMS} Generated where the type allows.` }),
    ),
    credentialsValue: Type.Optional(nullableText({ maxLength: 65_536, description: VALUE_FORMS })),
    version: Type.Optional(nullableInteger()),
  }),
);
export type DeviceCredentialsInput = Static<typeof DeviceCredentialsInput>;
