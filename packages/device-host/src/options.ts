import type {
  ApplicationRef,
  AttributeStore,
  Clock,
  Completion,
  CredentialLookup,
  DeviceActivity,
  DevicePlatform,
  DeviceRef,
  DialectId,
  EntityId,
  Scheduler,
  SessionLimits,
  TelemetryIngest,
} from '@moorage/core';
import type { Dialect, ReasonCode } from '@moorage/dialect-api';
import type { CommandDesk } from './commands/command-desk.ts';
import type { FeedBroker } from './feed/live-feed.ts';

/** What the host needs of the broker. */
export interface HostBroker extends FeedBroker {
  /** Gives the number of Sessions; `token` is held for every store that keeps the message. The payload is copied. */
  publish(
    space: string,
    message: Parameters<FeedBroker['publish']>[1],
    token?: Completion | null,
  ): ReturnType<FeedBroker['publish']>;
  /** How many Sessions a message would be handed to now: connected ones, and absent ones that would keep it. */
  reach(space: string, topicName: string, qos: 0 | 1 | 2): number;
  /** Drops Sessions, connected or absent, with their queues and Wills; ends their connections. */
  dropSessions(belongs: (sessionKey: string) => boolean, reasonCode: ReasonCode, reason: string): number;
  /** Stops reading from publishers while the stores are behind. */
  holdPublishers(hold: boolean): void;
}

/** What the host acts through; made after the host, since all of it needs the host. */
export interface HostParts {
  readonly broker: HostBroker;
  readonly ingest: Pick<TelemetryIngest, 'sink' | 'submit' | 'submitAttributes'>;
  readonly activity: Pick<
    DeviceActivity,
    'connected' | 'disconnected' | 'active' | 'removed' | 'attributesStored' | 'attributesRemoved'
  >;
  readonly attributes: Pick<AttributeStore, 'read'>;
  readonly commands: Pick<CommandDesk, 'request'>;
  readonly platform: DevicePlatform;
  /** Told of what a message did to another device, for those who follow that device by the API. */
  readonly happened?: (
    deviceId: EntityId,
    event: { readonly ts: number; readonly type: string; readonly detail: string },
  ) => void;
  /** Whether anybody besides the live feed is to hear stored telemetry of this device. Asked for every message. */
  readonly wantsTelemetry?: (deviceId: EntityId) => boolean;
}

/** How a device reaches the server, as far as its limits depend on it. */
export type DeviceRole = 'device' | 'gateway' | 'subDevice';

/** Rates that a device must keep to. thingsboard-device.md, 11 */
export interface MessageLimits {
  /** null: nothing is limited for this device. Asked once for each connection. */
  limiterOf(device: DeviceRef, role: DeviceRole): MessageLimiter | null;
  /** What `getSessionLimits` tells the device. */
  sessionLimits(device: DeviceRef): SessionLimits;
  /** The device was deleted. */
  removed(deviceId: EntityId): void;
}

/** The limits of one device; connections of the same device share them. */
export interface MessageLimiter {
  /**
   * Takes one message out of the allowance; false: it is used up. `points` of a telemetry or attribute message that has
   * any, 0 for everything else.
   */
  take(points: number): boolean;
}

/** Bounds of what one gateway connection may keep waiting. */
export interface GatewayLimits {
  /** Devices behind one connection. */
  readonly subDevices: number;
  /** Messages that wait until their device exists. */
  readonly waitingMessages: number;
  /** Bytes of payload behind these messages. */
  readonly waitingBytes: number;
  /** Devices looked up or created at the same time. */
  readonly creations: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  subDevices: 10_000,
  waitingMessages: 10_000,
  waitingBytes: 16_777_216,
  creations: 64,
};

export interface DeviceHostOptions {
  /** In the order of recognition.md; the one with anonymous access comes last. */
  readonly dialects: readonly Dialect[];
  readonly credentials: CredentialLookup;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly applicationRef: (id: EntityId) => ApplicationRef | undefined;
  /** The dialect that holds the credentials of a device, for commands while it is away; absent: none is known. */
  readonly dialectOf?: (deviceId: EntityId) => DialectId | undefined;
  /** Principals without credentials are let in. */
  readonly anonymous: boolean;
  readonly deviceRefByName: (tenantId: EntityId, name: string) => DeviceRef | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Text of a payload, or undefined if it is not well-formed UTF-8. */
  readonly text: (payload: Uint8Array) => string | undefined;
  /** Seconds; holds wherever the dialect leaves Keep Alive to the client. null: as asked. */
  readonly serverKeepAlive: number | null;
  /** Absent: no limits. */
  readonly limits?: MessageLimits;
  readonly gateway?: Partial<GatewayLimits>;
  readonly observer: {
    count(event: string, amount: number): void;
    fault(error: unknown): void;
  };
}
