import type {
  Attribute,
  CredentialLookup,
  DeviceIntent,
  DeviceRef,
  OtaDownload,
  OtaPackageType,
  OtaUnavailable,
  ProvisionOutcome,
  ProvisionRequest,
} from '@moorage/core';
import type { DeviceCommand } from './commands.ts';

/** `throttled`: over a rate limit of the device, nothing was done. */
export type SubmitOutcome = 'stored' | 'full' | 'failed' | 'throttled';

/** How a request without a connection hears commands: a poll takes one, an observation takes all until it is closed. */
export interface Listening {
  close(): void;
}

/** Why listening ended by itself. */
export type ListeningEnd = 'replaced' | 'deviceDeleted' | 'credentialsChanged' | 'stopping';

/** What the HTTP and CoAP routes of a dialect may ask of the platform: the same path that MQTT takes. */
export interface DeviceDesk {
  /** Who a request is; comparisons are exact. */
  readonly credentials: CredentialLookup;
  /** Epoch milliseconds. */
  now(): number;
  /** Text of a payload, or undefined if it is not well-formed UTF-8. */
  text(payload: Uint8Array): string | undefined;
  /** A guess at a credential failed: resolves when the answer may be given. Slows guessing down. */
  refused(remoteAddress: string, name: string, reason: string): Promise<void>;
  /** Notes activity, obeys rate limits, carries out the intents and resolves when their effects are durable. */
  submit(device: DeviceRef, intents: readonly DeviceIntent[]): Promise<SubmitOutcome>;
  attributes(
    device: DeviceRef,
    clientKeys: readonly string[] | 'all' | null,
    sharedKeys: readonly string[] | 'all' | null,
  ): Promise<{ readonly client: readonly Attribute[]; readonly shared: readonly Attribute[] }>;
  /**
   * Hears commands of these kinds as if connected. `take` answers whether the command was taken; a poll that has its
   * one command closes and answers false to further ones, which go to another listener or wait. `delivered` of a
   * command that was taken is to be called once it is certain, with true if the device has it.
   */
  listen(
    device: DeviceRef,
    kinds: readonly DeviceCommand['kind'][],
    take: (command: DeviceCommand, delivered: (arrived: boolean) => void) => boolean,
    ended: (why: ListeningEnd) => void,
  ): Listening;
  /** The answer as JSON text. */
  clientRpc(device: DeviceRef, method: string, params: string): Promise<string>;
  provision(request: ProvisionRequest): Promise<ProvisionOutcome | 'full' | 'failed'>;
  download(device: DeviceRef, type: OtaPackageType): Promise<OtaDownload | OtaUnavailable>;
  /** Runs `task` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}
