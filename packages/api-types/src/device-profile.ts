import { type Static, Type } from 'typebox';
import {
  alwaysNull,
  epochMs,
  freeJsonObject,
  named,
  nullableInteger,
  nullableJsonObject,
  nullableRefTo,
  nullableText,
  refTo,
} from './building-blocks.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { pageOf } from './page.ts';

const PROFILE_DATA = `\`transportConfiguration\` by transport type, besides ThingsBoard's:

- \`ALIBABA\`: \`{"type":"ALIBABA","productKey","productSecret","dynamicRegistration":false,"topicClasses":[{"topic","permission"}],
  "thingModel":null}\`. \`"registrationFree":true\` makes devices that know the product secret when they ask.
- \`WAVESHARE\`: \`{"type":"WAVESHARE","n2","attributes":[{"identifier","type","name","unit","minimum","maximum","step","values",
  "access":"r"|"rw"}],"product","downlinkMaxPacket":256,"holdLast":false}\`. Types: \`int\`, \`float\`, \`bool\`, \`string\`, \`enum\`, \`json\`.
  A \`product\` (\`RELAY_6CH\`, \`RELAY_8CH\`, \`GNSS_TRACKER\`, \`SINGLE_LED\`, \`KEY\`) fills in number and attributes that are left out.`;

/** thingsboard-server.md, 2.4 */
export const DeviceProfile = named(
  'DeviceProfile',
  Type.Object({
    id: refTo(EntityId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    name: Type.String(),
    description: nullableText(),
    image: alwaysNull(),
    type: Type.Literal('DEFAULT'),
    transportType: Type.String({ examples: ['DEFAULT', 'MQTT', 'ALIBABA', 'WAVESHARE'] }),
    provisionType: Type.String({ examples: ['DISABLED'] }),
    defaultRuleChainId: alwaysNull(),
    defaultDashboardId: alwaysNull(),
    defaultQueueName: alwaysNull(),
    profileData: freeJsonObject({ description: PROFILE_DATA }),
    provisionDeviceKey: nullableText({ description: 'Null: the profile does not provision devices.' }),
    firmwareId: nullableRefTo(EntityId, { description: 'For devices without firmware of their own.' }),
    softwareId: nullableRefTo(EntityId, { description: 'For devices without software of their own.' }),
    defaultEdgeRuleChainId: alwaysNull(),
    externalId: alwaysNull(),
    version: Type.Integer(),
    default: Type.Boolean(),
  }),
);
export type DeviceProfile = Static<typeof DeviceProfile>;

/** The short form for pickers. */
export const DeviceProfileInfo = named(
  'DeviceProfileInfo',
  Type.Object({
    id: refTo(EntityId),
    tenantId: refTo(EntityId),
    name: Type.String(),
    image: alwaysNull(),
    defaultDashboardId: alwaysNull(),
    type: Type.Literal('DEFAULT'),
    transportType: Type.String(),
  }),
);
export type DeviceProfileInfo = Static<typeof DeviceProfileInfo>;

export const DeviceProfilePage = pageOf('DeviceProfilePage', refTo(DeviceProfile));
export type DeviceProfilePage = Static<typeof DeviceProfilePage>;
export const DeviceProfileInfoPage = pageOf('DeviceProfileInfoPage', refTo(DeviceProfileInfo));
export type DeviceProfileInfoPage = Static<typeof DeviceProfileInfoPage>;

/** A profile to create (no `id`) or to update; only `name` is needed. Further members are ignored. */
export const DeviceProfileInput = named(
  'DeviceProfileInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    description: Type.Optional(nullableText({ maxLength: 4096 })),
    transportType: Type.Optional(nullableText({ maxLength: 64 })),
    provisionType: Type.Optional(nullableText({ maxLength: 64 })),
    provisionDeviceKey: Type.Optional(
      nullableText({ maxLength: 255, description: 'Left out: as it is, or generated where it is needed.' }),
    ),
    profileData: Type.Optional(nullableJsonObject({ description: PROFILE_DATA })),
    firmwareId: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Null or left out: none.' })),
    softwareId: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Null or left out: none.' })),
    version: Type.Optional(nullableInteger()),
  }),
);
export type DeviceProfileInput = Static<typeof DeviceProfileInput>;
