import type { ConnectCredential, DeviceRef, EntityId, PointList, Value, WebhookMessage } from '@moorage/core';
import type { QoS } from '@moorage/mqtt-codec';

/** What a device sent in one message. */
export interface DeviceUpload {
  readonly device: DeviceRef;
  /** The server attributes of the device that `DialectPushes.deviceAttributes` asks for, as far as it has them. */
  readonly attributes: ReadonlyMap<string, Value>;
  /** May be kept, must not be changed. */
  readonly points: PointList;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

/** One push to one application. */
export interface ApplicationPush {
  /** Published in the application's space under each of these names that somebody subscribed to. */
  readonly topicNames: readonly string[];
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** null: the application has no URL. */
  readonly webhook: WebhookMessage | null;
}

/** How a dialect tells its applications what devices of the tenant send, whatever the dialect of these. */
export interface DialectPushes {
  /** Keys of server attributes of a device that `encode` and `includes` want to know; kept in memory. */
  readonly deviceAttributes: readonly string[];
  /** Whether the application is to be told of this device. Cheap: asked for every message. */
  includes(application: ConnectCredential, deviceId: EntityId, attributes: ReadonlyMap<string, Value>): boolean;
  /** The pushes for one message, in the order in which they are to arrive; none if there is nothing to tell. */
  encode(application: ConnectCredential, upload: DeviceUpload): readonly ApplicationPush[];
  /** The device, or an attribute of `deviceAttributes`, may have changed: it came, was renamed, written to, or is gone. */
  deviceTouched?(deviceId: EntityId): void;
}
