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
import { DeviceCredentialsInput } from './device-credentials.ts';
import { EntityId, EntityIdInput } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

const deviceMembers = {
  id: refTo(EntityId),
  createdTime: epochMs(),
  tenantId: refTo(EntityId),
  customerId: refTo(EntityId),
  name: Type.String(),
  type: Type.String({ description: "The profile's name." }),
  label: nullableText(),
  deviceProfileId: refTo(EntityId),
  dialect: Type.String({ description: "The vendor's protocol the device speaks; follows from its credentials." }),
  deviceData: freeJsonObject(),
  firmwareId: nullableRefTo(EntityId, { description: "The device's own; beats that of its profile." }),
  softwareId: nullableRefTo(EntityId, { description: "The device's own; beats that of its profile." }),
  externalId: alwaysNull(),
  version: Type.Integer(),
  additionalInfo: nullableJsonObject(),
};

/** thingsboard-server.md, 2.1; `dialect`: api-additions.md, 1 */
export const Device = named('Device', Type.Object(deviceMembers));
export type Device = Static<typeof Device>;

/** A device with what lists show beside it. */
export const DeviceInfo = named(
  'DeviceInfo',
  Type.Object({
    ...deviceMembers,
    customerTitle: nullableText(),
    customerIsPublic: Type.Boolean(),
    deviceProfileName: Type.String(),
    active: Type.Boolean(),
  }),
);
export type DeviceInfo = Static<typeof DeviceInfo>;

export const DevicePage = pageOf('DevicePage', refTo(Device));
export type DevicePage = Static<typeof DevicePage>;
export const DeviceInfoPage = pageOf('DeviceInfoPage', refTo(DeviceInfo));
export type DeviceInfoPage = Static<typeof DeviceInfoPage>;

/** A device to create (no `id`) or to update. Further members are ignored. */
export const DeviceInput = named(
  'DeviceInput',
  Type.Object({
    id: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Present: update.' })),
    name: Type.String({ maxLength: 255 }),
    label: Type.Optional(nullableText({ maxLength: 255 })),
    type: Type.Optional(nullableText({ maxLength: 255, description: 'Name of the profile; made if it is unknown.' })),
    deviceProfileId: Type.Optional(nullableRefTo(EntityIdInput)),
    customerId: Type.Optional(
      nullableRefTo(EntityIdInput, { description: 'Null or left out: as it is. The null UUID: nobody.' }),
    ),
    deviceData: Type.Optional(nullableJsonObject()),
    additionalInfo: Type.Optional(nullableJsonObject()),
    firmwareId: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Null or left out: none.' })),
    softwareId: Type.Optional(nullableRefTo(EntityIdInput, { description: 'Null or left out: none.' })),
    version: Type.Optional(nullableInteger({ description: 'An older version than the stored one is refused.' })),
  }),
);
export type DeviceInput = Static<typeof DeviceInput>;

export const DeviceWithCredentialsInput = named(
  'DeviceWithCredentialsInput',
  Type.Object({ device: refTo(DeviceInput), credentials: refTo(DeviceCredentialsInput) }),
);
export type DeviceWithCredentialsInput = Static<typeof DeviceWithCredentialsInput>;

export const DeviceListQuery = Type.Object({
  ...PageLinkProperties,
  type: Type.Optional(Type.String({ maxLength: 255, description: 'Name of a profile; beats deviceProfileId.' })),
  deviceProfileId: Type.Optional(Type.String({ format: 'uuid' })),
  active: Type.Optional(Type.Boolean({ description: 'Not offered yet.' })),
});
export type DeviceListQuery = Static<typeof DeviceListQuery>;

/** The name of a profile in use. */
export const DeviceType = named(
  'DeviceType',
  Type.Object({ tenantId: refTo(EntityId), entityType: Type.Literal('DEVICE'), type: Type.String() }),
);
export type DeviceType = Static<typeof DeviceType>;
