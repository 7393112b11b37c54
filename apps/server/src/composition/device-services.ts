import {
  ClientRpcMethods,
  type CommandRouter,
  createRpcService,
  createServerAttributes,
  type DeviceAdmission,
  DeviceDownloads,
  type DevicePlatform,
  DeviceRollout,
  deviceValuesOf,
  gatewayNotice,
  OtaPackages,
  PersistentRpc,
  type Platform,
  type Registry,
  RpcDeviceCommands,
  type RpcServiceOptions,
  SharedBlobs,
  type TelemetryObserver,
  type TelemetryService,
} from '@moorage/core';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import type { Stores } from './stores.ts';

const DAY_MS = 86_400_000;

export interface DeviceServicesOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly stores: Stores;
  readonly registry: Registry;
  readonly router: CommandRouter;
  readonly telemetry: TelemetryService;
  readonly observer: Pick<TelemetryObserver, 'attributesStored' | 'attributesRemoved'>;
  /** What protocols say of the time that a call may take. */
  readonly timeoutRange: NonNullable<RpcServiceOptions['timeoutRange']>;
  readonly report: (error: unknown) => void;
}

/** What devices may ask for beside telemetry, and the services for users that belong to it. */
export interface DeviceServices {
  readonly platform: DevicePlatform;
  readonly admission: DeviceAdmission;
  readonly services: Pick<Platform, 'claims' | 'rpc' | 'ota'>;
  /** Takes up what an earlier run left; to be awaited before the first port opens. */
  prepare(): Promise<void>;
  start(): void;
  /** Ends the calls that wait for devices: the first thing at the end, or they hold up everything else. */
  closeCalls(): Promise<void>;
  /** After the ports are closed, before the stores are. */
  close(): Promise<void>;
}

/** Builds claiming, provisioning, RPC, and packages with their rollout. */
export async function createDeviceServices(options: DeviceServicesOptions): Promise<DeviceServices> {
  const { configuration, runtime, stores, registry, router, telemetry, report } = options;
  const { clock, scheduler, crypto } = runtime;
  const { repositories, blobs } = stores;
  const { claim, rpc } = configuration.device;

  const onboarding = await registry.openOnboarding({
    attributes: createServerAttributes({ attributes: stores.telemetry, clock, observer: options.observer }),
    claimDurationMs: claim.duration,
    claimingAllowed: claim.allowedByDefault,
  });

  const readers = new SharedBlobs(blobs);
  const ota = new OtaPackages({
    repositories,
    blobs,
    readers,
    crypto,
    clock,
    locks: registry.locks,
    maxBytes: configuration.ota.maximumFileSize,
    report,
  });
  const downloads = new DeviceDownloads({ repositories, readers });
  const rollout = new DeviceRollout({ repositories, values: deviceValuesOf(telemetry), clock, scheduler, report });
  registry.addListener(downloads);
  registry.addListener(rollout);

  const persistent = new PersistentRpc({
    repositories,
    router,
    clock,
    scheduler,
    crypto,
    deviceExists: (id) => registry.deviceRef(id) !== undefined,
    observer: { rpcChanged: () => {}, fault: report },
    strategy: rpc.strategy,
    retentionMs: rpc.keepDays * DAY_MS,
  });
  const commands = new RpcDeviceCommands(router, persistent);
  const clientRpc = new ClientRpcMethods({ clock, scheduler, fault: report });
  const access = { device: registry.deviceData };
  registry.addListener({
    revoked(principalId, reason) {
      if (reason === 'deleted') commands.removed(principalId);
    },
    deviceChanged() {},
    sharedAttributesChanged() {},
    behindGatewayChanged(gatewayId, name, newName) {
      const gateway = registry.deviceRef(gatewayId);
      if (gateway === undefined) return;
      const method = newName === null ? 'gateway_device_deleted' : 'gateway_device_renamed';
      const params = JSON.stringify(newName === null ? name : Object.fromEntries([[name, newName]]));
      persistent.submit(gatewayNotice(gateway, method, params, clock.now())).then((result) => {
        if (!result.ok) report(new Error(`${method} could not be kept for its gateway: ${result.message}`));
      }, report);
    },
  });

  return {
    admission: onboarding.admission,
    platform: {
      claims: onboarding.deviceClaims,
      provisioning: onboarding.provisioning,
      gateways: onboarding.gateways,
      downloads,
      clientRpc,
      commands,
    },
    services: {
      claims: onboarding.claims,
      rpc: createRpcService({ router, persistent, repositories, clock, access, timeoutRange: options.timeoutRange }),
      ota,
    },
    async prepare() {
      await ota.cleanUp();
      await persistent.start();
    },
    start: () => rollout.start(),
    async closeCalls() {
      router.close();
      await persistent.close();
    },
    async close() {
      await rollout.close();
      await onboarding.settled();
    },
  };
}
