import type { Value } from '@moorage/core';
import type { QoS } from '@moorage/mqtt-codec';

/** Call a method on the device. `id` identifies the answer; `params` is JSON text. */
export interface RpcCommand {
  readonly kind: 'rpc';
  readonly id: string;
  readonly method: string;
  readonly params: string;
}

/** Shared attributes were written or deleted by the server. */
export interface SharedAttributesCommand {
  readonly kind: 'sharedAttributes';
  readonly values: ReadonlyMap<string, Value> | null;
  readonly deleted: readonly string[] | null;
}

/** What the platform wants of a device. */
export type DeviceCommand = RpcCommand | SharedAttributesCommand;

/** A message for the connection or the Session of the device. */
export interface OutboundMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
}
