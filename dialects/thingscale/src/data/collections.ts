import type { DocumentCollection } from '@moorage/core';

/** What the vendor's API says of devices beside the registry; the id is that of the device. */
export const THINGSCALE_DEVICES: DocumentCollection = {
  name: 'thingscale_device',
  filters: ['accountId'],
  sorts: [],
  search: [],
  unique: [{ scope: 'server', members: ['accountId', 'deviceId'] }],
};

/** Channels; the id owns the points in the telemetry store. `number` null: removed, its points are being erased. */
export const THINGSCALE_CHANNELS: DocumentCollection = {
  name: 'thingscale_channel',
  filters: ['accountId'],
  sorts: [],
  search: [],
  unique: [{ scope: 'server', members: ['accountId', 'number'] }],
};

/** Event rules; the id is the target of their webhooks. */
export const THINGSCALE_EVENTS: DocumentCollection = {
  name: 'thingscale_event',
  filters: ['accountId'],
  sorts: [],
  search: [],
  unique: [{ scope: 'server', members: ['accountId', 'eventId'] }],
};
