import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import type { DeliveryResult } from './command-gateway.ts';

/** A call of a method on a device that is not kept across a restart. */
export interface RpcCall {
  readonly tenantId: EntityId;
  readonly device: DeviceRef;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  /** See `rpcTimeoutMs`; zero or less: never sent. */
  readonly timeoutMs: number;
  /** Done as soon as it is sent. */
  readonly oneway: boolean;
  /**
   * Keep the call for a device that is away until it subscribes or the time is up; else it fails at once. A command that
   * is routed never waits: whom it does not reach now it does not reach later. waveshare.md, WS-37
   */
  readonly waitForDevice: boolean;
}

/** How a call ended. Every call ends exactly once, unless its caller gave it up. */
export type RpcOutcome =
  /** The device's own words, JSON by agreement only. */
  | { readonly kind: 'answer'; readonly payload: string }
  /** A one-way call was handed to the connection. */
  | { readonly kind: 'sent' }
  /** Published in the space of the device, for so many connections and absent Sessions; no answer can come. */
  | { readonly kind: 'routed'; readonly receivers: number }
  /** The same, and it could not be kept for those that are absent. */
  | { readonly kind: 'notStored'; readonly outcome: Exclude<WriteOutcome, 'stored'> }
  /** Never sent: the device could not take the packet. */
  | { readonly kind: 'tooLarge' }
  /** Sent, and no answer in time. */
  | { readonly kind: 'timeout' }
  /** Never sent: the device is offline or does not listen. */
  | { readonly kind: 'offline'; readonly reason: 'notConnected' | 'notSubscribed' }
  /** The deadline was past before it could be sent. */
  | { readonly kind: 'expired' }
  /** The device's protocol has no word for it. */
  | { readonly kind: 'notSupported' }
  /** Too many calls are pending already, for the device or in all. */
  | { readonly kind: 'tooMany' }
  /** The server stops. */
  | { readonly kind: 'stopped' };

/** A command whose sender keeps its state and its deadlines itself. */
export interface TrackedCommand {
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  delivered(result: DeliveryResult): void;
  /** Takes one answer, until the command is forgotten; null: an answer is not expected. */
  readonly answered: ((payload: string) => void) | null;
}

/** Calls since the start by how they ended, what is pending, and answers that met no call. */
export interface RpcCounters {
  readonly calls: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<RpcOutcome['kind'], number>>;
  /** Calls whose caller did not wait for the end. */
  readonly abandoned: number;
  readonly unknownAnswers: number;
}
