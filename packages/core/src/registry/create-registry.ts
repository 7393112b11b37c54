import { Accounts } from '../accounts/account-service.ts';
import { type Result, refuse, success } from '../errors.ts';
import type { ApplicationRef, CredentialLookup, DeviceRef } from '../model/connect-registry.ts';
import type { EntityId, Tenant } from '../model/entities.ts';
import type {
  AccountService,
  ApplicationService,
  Caller,
  DeviceService,
  ProfileService,
  RegistryListener,
} from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { RegistryApplications } from './application-service.ts';
import { authorize, authorizeRole } from './authorize.ts';
import { ConnectIndex } from './connect-index.ts';
import { RegistryDevices } from './device-service.ts';
import { EntityLocks } from './entity-locks.ts';
import { dummyHash, firstStart, loadIndex, openSeal } from './load-registry.ts';
import { type OwnerRemoval, OwnerRemovals } from './owner-removals.ts';
import type { IsTopicFilter } from './profile-data.ts';
import { RegistryProfiles } from './profile-service.ts';
import type { RegistryContext } from './registry-context.ts';
import { RegistryListeners } from './registry-listeners.ts';

export interface RegistryOptions {
  readonly repositories: Repositories;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Empties the stores beside the registry of a removed device: `TelemetryStore.removeOwner`. */
  readonly telemetryOwnerRemoval: OwnerRemoval;
  /** The broker's rule for Topic Filters; core has none of its own. */
  readonly isTopicFilter: IsTopicFilter;
  /** Whether a device counts as active, for lists. Default: none does. */
  readonly isActive?: (deviceId: EntityId) => boolean;
  /** Told of what failed in the background: a removal, or a listener that threw. */
  readonly report: (error: unknown) => void;
}

/** The registry of the platform: what exists, who may touch it, and who may connect. */
export interface Registry {
  readonly devices: DeviceService;
  readonly profiles: ProfileService;
  readonly applications: ApplicationService;
  readonly accounts: AccountService;
  readonly credentials: CredentialLookup;
  /** The tenant `default`, made at first start. */
  readonly defaultTenant: Tenant;
  deviceRef(id: EntityId): DeviceRef | undefined;
  deviceRefByName(tenantId: EntityId, name: string): DeviceRef | undefined;
  /** An application from memory. */
  applicationRef(id: EntityId): ApplicationRef | undefined;
  /** A device whose telemetry, attributes and commands the caller may use, from memory. */
  deviceData(caller: Caller, id: EntityId): Result<DeviceRef>;
  /** Returns the function that removes the listener again. */
  addListener(listener: RegistryListener): () => void;
  /** Tells every listener; for changes that happen beside the registry, as to shared attributes. */
  readonly listeners: RegistryListener;
  /** Takes up removals that an earlier run left; resolves when all have been tried. */
  finishRemovals(): Promise<void>;
  /** Resolves when no removal is under way; call it before the stores are closed. */
  settled(): Promise<void>;
}

/**
 * Opens the registry: makes the tenant `default` with its profile at first start, and loads every device and application
 * for CONNECT. Rejects with `RegistryStartError` when the sealing key is not the one of these repositories.
 */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { repositories, crypto, clock, report } = options;
  const index = new ConnectIndex();
  const removals = new OwnerRemovals(repositories, options.telemetryOwnerRemoval, report);
  const listeners = new RegistryListeners(report);
  const context: RegistryContext = {
    repositories,
    crypto,
    clock,
    index,
    listeners,
    locks: new EntityLocks(),
    removals,
    isTopicFilter: options.isTopicFilter,
    isActive: options.isActive ?? (() => false),
  };
  await openSeal(repositories, crypto);
  const defaultTenant = await firstStart(context);
  await loadIndex(context);
  const hash = dummyHash(repositories, crypto);
  hash.catch(report);
  const accounts = new Accounts({
    repositories,
    crypto,
    clock,
    defaultTenantId: defaultTenant.id,
    hasPassword: await repositories.hasPassword(),
    dummyHash: hash,
  });
  return {
    devices: new RegistryDevices(context),
    profiles: new RegistryProfiles(context),
    applications: new RegistryApplications(context),
    accounts,
    credentials: index,
    defaultTenant,
    deviceRef: (id) => index.deviceRef(id),
    deviceRefByName: (tenantId, name) => index.deviceRefByName(tenantId, name),
    applicationRef: (id) => index.registration(id)?.application ?? undefined,
    deviceData: (caller, id) => deviceData(index, caller, id),
    addListener: (listener) => listeners.add(listener),
    listeners,
    finishRemovals: () => removals.finish(),
    settled: () => removals.settled(),
  };
}

function deviceData(index: ConnectIndex, caller: Caller, id: EntityId): Result<DeviceRef> {
  const role = authorizeRole(caller, 'data', 'device');
  if (role !== null) return role;
  const registration = index.registration(id);
  if (!registration?.device) return refuse('notFound');
  const { tenantId } = registration.device;
  const refusal = authorize(caller, 'data', 'device', { tenantId, customerId: registration.customerId });
  return refusal ?? success(registration.device);
}
