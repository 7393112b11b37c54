import type { EntityId } from '../model/entities.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

/** A command on its way to a device; `id` comes back with the answer. `params` is JSON text. */
export interface GatewayCommand {
  readonly kind: 'rpc';
  readonly id: string;
  readonly method: string;
  readonly params: string;
}

/** A command that was published where whoever subscribes hears it; nobody answers it. waveshare.md, 4.6 */
export interface RoutedSend {
  readonly kind: 'routed';
  /** Connections and absent Sessions that its first message was handed to; 0: nothing was published. */
  readonly receivers: number;
  /** Calls `done` once, perhaps at once: the first message is kept for every absent Session, or could not be. */
  whenStored(done: (outcome: WriteOutcome) => void): void;
}

/** What became of the try to hand a command to the device. `tooLarge`: it could not take the packet. */
export type SendResult = 'sent' | 'notConnected' | 'notSupported' | 'notSubscribed' | 'tooLarge' | RoutedSend;

/** Was it published for anybody? */
export function isRouted(result: SendResult): result is RoutedSend {
  return typeof result !== 'string' && result.receivers > 0;
}

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
