import { isList, isObject, type Json, type JsonObject } from '@moorage/core';
import type { ThingscaleDevice, ThingscaleEvent } from './account-data.ts';
import { THINGSCALE_CHANNELS, THINGSCALE_DEVICES, THINGSCALE_EVENTS } from './collections.ts';
import type { RecordForm } from './record-table.ts';

/** A channel as it is stored; the time of its newest point is known to the telemetry store. */
export interface ChannelRecord {
  /** null: removed, its points are being erased. */
  readonly number: number | null;
  readonly name: string;
  readonly tags: readonly string[];
}

/** An event rule, and whether it matched when it last fired. */
export interface EventRecord extends ThingscaleEvent {
  readonly fired: boolean;
}

const OPERATORS: readonly ThingscaleEvent['operator'][] = ['<', '>', '<=', '>=', '=', '!='];

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function numberOrNull(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

function textsOf(value: Json | undefined): readonly string[] {
  return isList(value) ? value.filter((one) => typeof one === 'string') : [];
}

export const DEVICE_FORM: RecordForm<string, ThingscaleDevice> = {
  collection: THINGSCALE_DEVICES,
  keyOf: ({ deviceId }) => deviceId,
  body: ({ entityId: _id, ...device }): JsonObject => ({ ...device }),
  read: ({ id, body }) => ({
    deviceId: textOf(body.deviceId),
    entityId: id,
    description: textOf(body.description),
    enabled: body.enabled === true,
    mappedChannel: numberOrNull(body.mappedChannel),
    deviceType: textOf(body.deviceType),
    location: textOf(body.location),
    manufacturer: textOf(body.manufacturer),
    activateAt: numberOrNull(body.activateAt) ?? 0,
    state: isObject(body.state) ? body.state : null,
    decodeMsgpack: body.decodeMsgpack === true,
  }),
};

export const CHANNEL_FORM: RecordForm<number, ChannelRecord> = {
  collection: THINGSCALE_CHANNELS,
  keyOf: ({ number }) => number,
  body: ({ number, name, tags }): JsonObject => ({ number, name, tags }),
  read: ({ body }) => ({ number: numberOrNull(body.number), name: textOf(body.name), tags: textsOf(body.tags) }),
};

export const EVENT_FORM: RecordForm<number, EventRecord> = {
  collection: THINGSCALE_EVENTS,
  keyOf: ({ eventId }) => eventId,
  body: (event): JsonObject => ({ ...event }),
  read: ({ body }) => ({
    eventId: numberOrNull(body.eventId) ?? 0,
    mappedChannel: numberOrNull(body.mappedChannel),
    description: textOf(body.description),
    notifyType: body.notifyType === 'http' ? 'http' : 'email',
    postUrl: textOf(body.postUrl),
    enabled: body.enabled === true,
    source: textOf(body.source),
    operator: OPERATORS.find((operator) => operator === body.operator) ?? '=',
    threshold: textOf(body.threshold),
    fired: body.fired === true,
  }),
};
