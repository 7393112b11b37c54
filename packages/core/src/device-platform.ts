import type { DeviceRef } from './model/connect-registry.ts';
import type { EntityId } from './model/entities.ts';
import type { OtaDownload, OtaPackageType, OtaUnavailable } from './model/ota.ts';
import type { ProvisionOutcome, ProvisionRequest } from './model/provisioning.ts';
import type { CredentialsInput } from './platform.ts';

/** How a use case that a device started ended where the device is told nothing else. */
export type DeviceOutcome = 'stored' | 'full' | 'failed';

/** Opens the window in which a device may be claimed. thingsboard-device.md, 5.1 */
export interface DeviceClaims {
  /** `stored` also when the device may not be claimed: nothing tells it. Durable when resolved. */
  open(device: DeviceRef, secretKey: string, durationMs: number | null): Promise<DeviceOutcome>;
}

/** Gives identities to devices that have none. thingsboard-device.md, 6 */
export interface DeviceProvisioning {
  /** Durable when resolved; `full` and `failed` are the store's. */
  provision(request: ProvisionRequest): Promise<ProvisionOutcome | 'full' | 'failed'>;
  /** The device connected: its credentials have arrived, so a repeated request is refused from here on. */
  connected(deviceId: EntityId): void;
}

/** Makes devices that nobody announced, once their dialect has found that they may come. alibaba-link.md, 1.7 */
export interface DeviceAdmission {
  /**
   * `names`: what the device may be called, the first that no device of the tenant has; at least one. Durable when resolved;
   * `refused` also when a device with these credentials came first, or the tenant has as many devices as it may.
   */
  create(
    profileId: EntityId,
    names: readonly string[],
    credentials: CredentialsInput,
  ): Promise<
    | { readonly outcome: 'created'; readonly device: DeviceRef }
    | { readonly outcome: 'refused'; readonly reason: string }
    | { readonly outcome: 'full' | 'failed' }
  >;
}

/** Finds or creates the devices behind a gateway. thingsboard-device.md, 8 */
export interface GatewayDevices {
  /** `type` is the name of the profile, made if need be; null: the default one. Notes the gateway it was last behind. */
  ensure(
    gateway: DeviceRef,
    name: string,
    type: string | null,
  ): Promise<
    | { readonly outcome: 'found'; readonly device: DeviceRef }
    | { readonly outcome: 'refused'; readonly reason: string }
    | { readonly outcome: 'full' | 'failed' }
  >;
}

/** The package that a device is to install. thingsboard-device.md, 7 */
export interface OtaDownloads {
  /** The device's own package, else its profile's. The caller closes the download. */
  open(deviceId: EntityId, type: OtaPackageType): Promise<OtaDownload | OtaUnavailable>;
}

/** Limits that a connection obeys, as it is told by `getSessionLimits`; `''`: none. `count:seconds`, comma-separated */
export interface SessionLimits {
  readonly maxPayloadSize: number;
  readonly maxInflightMessages: number;
  readonly messages: string;
  readonly telemetryMessages: string;
  readonly telemetryDataPoints: string;
  /** Of each device behind a gateway; null: the device is no gateway. */
  readonly subDevice: {
    readonly messages: string;
    readonly telemetryMessages: string;
    readonly telemetryDataPoints: string;
  } | null;
}

/** Methods that a device may call. thingsboard-device.md, 4.4 and 4.5 */
export interface ClientRpc {
  /** The answer as JSON text; `{"error":…}` for a method that nobody handles. */
  call(device: DeviceRef, method: string, params: string, limits: SessionLimits): Promise<string>;
}

/** Calls of users for a device that await its attention. */
export interface DeviceCommands {
  /** An answer of the device; one that nobody waits for is counted and ignored. */
  answer(deviceId: EntityId, id: string, payload: string): void;
  /** The device began to listen: whatever waits for it is sent, the oldest first. Cheap when nothing waits. */
  listening(deviceId: EntityId): void;
}

/** The use cases that devices start, beside telemetry and attributes. */
export interface DevicePlatform {
  readonly claims: DeviceClaims;
  readonly provisioning: DeviceProvisioning;
  readonly gateways: GatewayDevices;
  readonly downloads: OtaDownloads;
  readonly clientRpc: ClientRpc;
  readonly commands: DeviceCommands;
}
