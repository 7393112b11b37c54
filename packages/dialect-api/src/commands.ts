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

/**
 * A payload that is read piece by piece while it is sent, so that a large file is never held whole. `read` may give
 * fewer bytes than asked only at the end; `close` is called once, whatever happens.
 */
export interface PulledPayload {
  /** Bytes. */
  readonly length: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): void;
}

export type PayloadSource = Uint8Array | PulledPayload;

/** A message for the connection or the Session of the device. */
export interface OutboundMessage {
  readonly topicName: string;
  readonly payload: PayloadSource;
  readonly qos: QoS;
}

/** A command as messages for the subscribers of a space. */
export interface RoutedCommand {
  /** `Principal.account` of the space, in the tenant of the device. */
  readonly account: string;
  /** In their order, `spacingMs` apart; payloads in memory, never retained. */
  readonly messages: readonly { readonly topicName: string; readonly payload: Uint8Array; readonly qos: QoS }[];
  /** Milliseconds. */
  readonly spacingMs: number;
}
