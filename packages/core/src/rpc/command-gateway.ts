import type { EntityId } from '../model/entities.ts';

/** A command on its way to a device; `id` comes back with the answer. `params` is JSON text. */
export interface GatewayCommand {
  readonly kind: 'rpc';
  readonly id: string;
  readonly method: string;
  readonly params: string;
}

/** What became of the try to hand a command to a connection of the device. */
export type SendResult = 'sent' | 'notConnected' | 'notSupported' | 'notSubscribed';

/**
 * What became of a command that was handed over: `written` (QoS 0) or `acknowledged` (QoS 1) by the device, else `lost`
 * with its connection.
 */
export type DeliveryResult = 'written' | 'acknowledged' | 'lost';

/** The way to the devices, given by whoever holds their connections. */
export interface CommandGateway {
  /** `delivered` is told once, after `sent` and only then, possibly before this returns. */
  send(deviceId: EntityId, command: GatewayCommand, delivered?: (result: DeliveryResult) => void): SendResult;
}
