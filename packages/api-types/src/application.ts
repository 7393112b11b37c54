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

const CREDENTIAL_FORMS = `By dialect:

- \`plain\`: \`{"username","password","clientIdPrefix"}\`; \`clientIdPrefix\` null: any client ID.
- \`sensoro\`: \`{"appId","appKey","appSecret"}\`: 1 to 64 letters, digits, \`_\` and \`-\`; 43 characters of base64; 8 to 128 printable
  ASCII characters.
- \`thingscale\`: \`{"userId","deviceToken","apiToken"}\`: \`U\` and six letters or digits; the tokens 3 to 64 letters and digits, unique
  over all accounts without regard to case.
- \`waveshare\`: \`{}\`.`;

const CREDENTIAL_CHANGES = `Values left out are generated, or stay as they are. \`"rotate":[…]\` beside them lists secrets that are drawn
anew (\`appKey\`, \`appSecret\`; \`deviceToken\`, \`apiToken\`). While \`configuration.rotationDays\` is above 0, the former \`appSecret\`,
\`deviceToken\` or \`apiToken\` holds for so many days; it is shown beside the present one as \`previous…\` with \`previous…ValidUntil\`
(epoch milliseconds).`;

const CONFIGURATION_FORMS = `By dialect; members left out stay as they are, or have the values shown first:

- \`plain\`: \`{"publish":["#"],"subscribe":["#"],"command":false}\`: topic filters allowed in the tenant's \`plain\` space, and the right to
  \`moorage/devices/+/rpc/request/+\`.
- \`sensoro\`: \`{"pushMode":"plain"|"safe","mqttQos":0|1,"webhookUrl":null,"devices":"ALL"|[ids]|{"tag":text},"allowUplink":false,
  "rotationDays":0}\`; \`rotationDays\` up to 7.
- \`thingscale\`: \`{"timezone":"UTC","autoMap":true,"maxDevices":10000,"email":"","rotationDays":0}\`; \`timezone\` is an IANA name,
  \`rotationDays\` up to 30.
- \`waveshare\`: \`{"n1":null,"shares":[{"deviceId","account","access":"READ"|"WRITE"}],"default":false}\`: the account number in new topics
  (null: derived from the id); what other accounts, by the id of an application or tenant, may do with devices of this one;
  and whether this application speaks for the tenant's default account.`;

/** An identity that is not a device. api-additions.md, 2 */
export const Application = named(
  'Application',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    name: Type.String(),
    dialect: Type.String({ examples: ['plain', 'sensoro', 'thingscale', 'waveshare'] }),
    enabled: Type.Boolean(),
    credentials: freeJsonObject({
      description: `Whole in the answer of the creating call only; elsewhere without its secret members. ${CREDENTIAL_FORMS}`,
    }),
    configuration: freeJsonObject({ description: CONFIGURATION_FORMS }),
    version: Type.Integer(),
  }),
);
export type Application = Static<typeof Application>;

export const ApplicationPage = pageOf('ApplicationPage', refTo(Application));
export type ApplicationPage = Static<typeof ApplicationPage>;

/** The secrets of an application, by dialect. */
export const ApplicationCredentials = named(
  'ApplicationCredentials',
  freeJsonObject({
    description: `${CREDENTIAL_FORMS}

After a rotation with overlap also the former values, \`previous…\`, and until when they hold, \`previous…ValidUntil\`.`,
  }),
);
export type ApplicationCredentials = Static<typeof ApplicationCredentials>;

/** An application to create (no `id`) or to update. Credentials left out are generated. */
export const ApplicationInput = named(
  'ApplicationInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    dialect: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'One of plain, sensoro, thingscale and waveshare. An update cannot change it.',
    }),
    enabled: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
    credentials: Type.Optional(nullableJsonObject({ description: `${CREDENTIAL_FORMS}\n\n${CREDENTIAL_CHANGES}` })),
    configuration: Type.Optional(nullableJsonObject({ description: CONFIGURATION_FORMS })),
    version: Type.Optional(nullableInteger()),
  }),
);
export type ApplicationInput = Static<typeof ApplicationInput>;
