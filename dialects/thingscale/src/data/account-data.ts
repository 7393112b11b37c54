import type { Completion, ConnectCredential, DeviceRef, EntityId, Json, JsonObject } from '@moorage/core';

/** A device as the vendor's API shows it. thingscale.md, 2.4 and 4.4 */
export interface ThingscaleDevice {
  readonly deviceId: string;
  /** Of the device in the registry. */
  readonly entityId: EntityId;
  readonly description: string;
  readonly enabled: boolean;
  /** null: not mapped. */
  readonly mappedChannel: number | null;
  readonly deviceType: string;
  readonly location: string;
  readonly manufacturer: string;
  /** Epoch milliseconds. */
  readonly activateAt: number;
  /** What the state topic said last, with `last_update`; null: nothing. */
  readonly state: JsonObject | null;
  /** Binary payloads are decoded as MessagePack besides. */
  readonly decodeMsgpack: boolean;
}

export interface ThingscaleChannel {
  /** 0 to 9999. */
  readonly number: number;
  readonly name: string;
  /** Tags that were made by sending data with them or by the API, in that order. */
  readonly tags: readonly string[];
  /** Epoch milliseconds of the newest point; null: none. */
  readonly lastUpdate: number | null;
}

/** An event rule. thingscale.md, 2.4 and 4.8 */
export interface ThingscaleEvent {
  readonly eventId: number;
  readonly mappedChannel: number | null;
  readonly description: string;
  readonly notifyType: 'email' | 'http';
  readonly postUrl: string;
  readonly enabled: boolean;
  readonly source: string;
  readonly operator: '<' | '>' | '<=' | '>=' | '=' | '!=';
  readonly threshold: string;
}

/** A point of a stream. */
export interface StreamPoint {
  /** 24 lower-case hex digits. */
  readonly id: string;
  readonly tag: string | null;
  readonly deviceId: string | null;
  /** JSON text of an object, its members in the order in which they came. */
  readonly value: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Data of one device, read from a payload. */
export interface Reading {
  readonly deviceId: string;
  readonly tag: string | null;
  /** The members in their order. */
  readonly value: ReadonlyMap<string, Json>;
  /** As it is stored: JSON text of an object. */
  readonly text: string;
  readonly receivedAt: number;
  /** The bytes of a binary payload, for devices whose bytes are decoded besides; absent: it was text. */
  readonly bytes?: Uint8Array;
}

/** Why data was not taken; shown in the list of refused messages. thingscale.md, 4.4 and 6 */
export type DropCode =
  | 'TOKEN_MISMATCH'
  | 'TOPIC_NOT_DATA'
  | 'DEVICE_ID_ZERO'
  | 'NO_MAPPED_CH'
  | 'MAX_DEVICE_REACH'
  | 'DEVICE_DISABLED'
  | 'EMPTY_PAYLOAD'
  | 'PAYLOAD_TOO_LARGE'
  | 'PAYLOAD_TOO_DEEP'
  /** The channel has as many tags, or devices with tags, as it may have. */
  | 'TOO_MANY_TAGS';

export interface RefusedMessage {
  readonly at: number;
  readonly clientId: string;
  readonly topicName: string;
  readonly code: DropCode;
}

/** What became of a reading. `created`: the device was made for it. `full` and `failed`: the store did not take it. */
export type IngestOutcome = 'stored' | 'created' | 'createdNotMapped' | DropCode | 'full' | 'failed';

/** Settings of an account, from the configuration of its application. */
export interface AccountSettings {
  /** IANA name. */
  readonly timezone: string;
  readonly autoMap: boolean;
  readonly maxDevices: number;
  readonly email: string;
}

/**
 * One account's devices, channels, points and events. All answers come when the change is durable; ids are the vendor's.
 * Reads of devices, channels and events are answered from memory once the account is loaded.
 */
export interface AccountData {
  readonly application: ConnectCredential;
  readonly settings: AccountSettings;
  /** A reading of the MQTT or HTTP connector: provisions, maps, stores the point and the device's telemetry, fires events. */
  ingest(reading: Reading): Promise<IngestOutcome>;
  /** State of a device. thingscale.md, 4.5 */
  state(deviceId: string, state: JsonObject, receivedAt: number): Promise<IngestOutcome>;
  devices(): readonly ThingscaleDevice[];
  device(deviceId: string): ThingscaleDevice | undefined;
  createDevice(deviceId: string): Promise<'done' | 'DEVICE_INUSE' | 'MAX_DEVICE_REACH' | 'full' | 'failed'>;
  updateDevice(
    deviceId: string,
    changes: Partial<Omit<ThingscaleDevice, 'deviceId' | 'entityId' | 'activateAt' | 'state'>>,
  ): Promise<'done' | 'NO_DEVICE' | 'NO_CHANNEL' | 'full' | 'failed'>;
  deleteDevice(deviceId: string): Promise<'done' | 'NO_DEVICE' | 'full' | 'failed'>;
  channels(): readonly ThingscaleChannel[];
  channel(number: number): ThingscaleChannel | undefined;
  /** With a tag: the tag of a channel, which is made if need be. */
  createChannel(
    number: number,
    tag: string | null,
  ): Promise<'done' | 'CHANNEL_INUSE' | 'NO_CHANNEL' | 'full' | 'failed'>;
  renameChannel(number: number, name: string): Promise<'done' | 'NO_CHANNEL' | 'full' | 'failed'>;
  /** Data and mappings go too; with a tag only that tag. */
  deleteChannel(number: number, tag: string | null): Promise<'done' | 'NO_CHANNEL' | 'full' | 'failed'>;
  /** Points of [from, to], of one tag or (undefined) of all; `latest`: the newest `limit`, ascending all the same. */
  points(query: {
    readonly channel: number;
    readonly tag: string | null | undefined;
    readonly from: number;
    readonly to: number;
    readonly limit: number;
    readonly latest: boolean;
  }): Promise<readonly StreamPoint[]>;
  /** Points written through the API; at most 1,000. */
  write(
    channel: number,
    points: readonly { readonly value: string; readonly at: number; readonly tag: string | null }[],
  ): Promise<'done' | 'NO_CHANNEL' | 'full' | 'failed'>;
  events(): readonly ThingscaleEvent[];
  event(eventId: number): ThingscaleEvent | undefined;
  createEvent(event: Omit<ThingscaleEvent, 'eventId'>): Promise<number | 'NO_CHANNEL' | 'full' | 'failed'>;
  updateEvent(
    eventId: number,
    changes: Partial<Omit<ThingscaleEvent, 'eventId'>>,
  ): Promise<'done' | 'NO_EVENT' | 'NO_CHANNEL' | 'full' | 'failed'>;
  deleteEvent(eventId: number): Promise<'done' | 'NO_EVENT' | 'full' | 'failed'>;
  /** The last 200, the newest first. */
  refused(): readonly RefusedMessage[];
  refuse(message: RefusedMessage): void;
  changeAccount(changes: { readonly email?: string; readonly timezone?: string }): Promise<'done' | 'full' | 'failed'>;
}

/** All accounts. */
export interface ThingscaleAccounts {
  /** Loads what the account has, at the first call; later calls give the same. */
  of(application: ConnectCredential): Promise<AccountData>;
  /** The account if it is loaded already. */
  loaded(applicationId: EntityId): AccountData | undefined;
  /** Runs work of one connection after what it asked before, holding `completion`. */
  inOrder(key: object, completion: Completion | null, work: () => Promise<'stored' | 'full' | 'failed'>): void;
}

/** A command for a device, sent to its `subscribe` topic. Gives the number of connections and durable Sessions reached. */
export type SendCommand = (
  application: ConnectCredential,
  device: DeviceRef,
  payload: Uint8Array,
  qos: 0 | 1,
) => Promise<{ readonly receivers: number } | 'full' | 'failed'>;
