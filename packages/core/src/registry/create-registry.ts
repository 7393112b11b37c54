import { Accounts } from '../accounts/account-service.ts';
import { RevokedSessions } from '../accounts/revoked-sessions.ts';
import { UserRecords } from '../accounts/user-records.ts';
import { RegistryUsers } from '../accounts/user-service.ts';
import { UserTokens } from '../accounts/user-tokens.ts';
import type { ApiKeyService } from '../api-keys/api-key.ts';
import { ApiKeys } from '../api-keys/api-key-service.ts';
import { CustomerDirectory } from '../customers/customer-directory.ts';
import { CustomerRemovals } from '../customers/customer-removals.ts';
import { RegistryCustomers } from '../customers/customer-service.ts';
import { type Result, refuse, success } from '../errors.ts';
import type { ApplicationRef, CredentialLookup, DeviceRef } from '../model/connect-registry.ts';
import type { EntityId, Tenant } from '../model/entities.ts';
import type {
  AccountService,
  ApplicationService,
  Caller,
  CustomerService,
  DeviceService,
  ProfileService,
  RegistryListener,
  UserService,
} from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { CertificateChains } from '../provisioning/certificate-chain.ts';
import type { TenantService } from '../tenants/tenant.ts';
import type { TenantContents } from '../tenants/tenant-contents.ts';
import { TenantRecords } from '../tenants/tenant-records.ts';
import { TenantRemovals } from '../tenants/tenant-removals.ts';
import { RegistryTenants } from '../tenants/tenant-service.ts';
import { RegistryApplications } from './application-service.ts';
import { authorize, authorizeRole } from './authorize.ts';
import { ConnectIndex } from './connect-index.ts';
import { RegistryCredentialLookup } from './credential-lookup.ts';
import { DeviceAssignment } from './device-assignment.ts';
import { DeviceReads } from './device-reads.ts';
import { RegistryDevices } from './device-service.ts';
import { DeviceWrites } from './device-writes.ts';
import { EntityLocks } from './entity-locks.ts';
import { dummyHash, firstStart, loadIndex, openSeal } from './load-registry.ts';
import { type Onboarding, type OnboardingOptions, openOnboarding } from './onboarding.ts';
import { type OwnerRemoval, OwnerRemovals } from './owner-removals.ts';
import type { IsTopicFilter } from './profile-data.ts';
import { RegistryProfiles } from './profile-service.ts';
import { ProvisioningProfiles } from './provisioning-profiles.ts';
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
  readonly users: UserService;
  readonly apiKeys: ApiKeyService;
  readonly tenants: TenantService;
  /** Sessions of the API that were logged out, durable. */
  readonly revokedSessions: RevokedSessions;
  /** Has what another part keeps of a tenant taken away when the tenant is removed. */
  addTenantContents(contents: TenantContents): void;
  readonly customers: CustomerService;
  /** Claiming, provisioning and the devices behind gateways, which need attributes beside the registry. Call it once. */
  openOnboarding(options: OnboardingOptions): Promise<Onboarding>;
  readonly credentials: CredentialLookup;
  /** The tenant `default`, made at first start. */
  readonly defaultTenant: Tenant;
  deviceRef(id: EntityId): DeviceRef | undefined;
  /** The ids of all devices, from memory; follows changes while it is read. */
  deviceIds(): Iterable<EntityId>;
  deviceRefByName(tenantId: EntityId, name: string): DeviceRef | undefined;
  /** An application from memory. */
  applicationRef(id: EntityId): ApplicationRef | undefined;
  /** A device whose telemetry, attributes and commands the caller may use, from memory; to change them unless `READ` is asked. */
  deviceData(caller: Caller, id: EntityId, action?: 'READ' | 'WRITE'): Result<DeviceRef>;
  /** Returns the function that removes the listener again. */
  addListener(listener: RegistryListener): () => void;
  /** Tells every listener; for changes that happen beside the registry, as to shared attributes. */
  readonly listeners: RegistryListener;
  /** Changes of one entity follow one another; for use cases beside the registry that share its entities. */
  readonly locks: EntityLocks;
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
  const provisioningProfiles = new ProvisioningProfiles();
  const context: RegistryContext = {
    repositories,
    crypto,
    clock,
    index,
    provisioningProfiles,
    customers: new CustomerDirectory(repositories),
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
  const reads = new DeviceReads(context);
  const writes = new DeviceWrites(context, reads);
  const assignment = new DeviceAssignment(context);
  const users = new UserRecords(repositories, clock);
  const tenants = await TenantRecords.open(repositories, defaultTenant);
  const devices = new RegistryDevices(context);
  const applications = new RegistryApplications(context);
  const tenantRemovals = new TenantRemovals(context, {
    records: tenants,
    users,
    devices,
    // The devices of its accounts go right after it.
    applications: { remove: (caller, id) => applications.removeWithAccount(caller, id) },
    report,
  });
  const userService = new RegistryUsers(context, users, new UserTokens(repositories, crypto, clock), tenants);
  const customerRemovals = new CustomerRemovals(repositories, users, assignment, report);
  const chains = new CertificateChains(context, writes);
  const accounts = new Accounts({
    repositories,
    users,
    customers: context.customers,
    crypto,
    clock,
    defaultTenantId: defaultTenant.id,
    hasPassword: await repositories.hasPassword(),
    dummyHash: hash,
  });
  return {
    devices,
    profiles: new RegistryProfiles(context),
    applications,
    accounts,
    users: userService,
    apiKeys: await ApiKeys.open({ repositories, crypto, clock, users, access: userService, locks: context.locks }),
    tenants: new RegistryTenants(context, tenants, tenantRemovals, defaultTenant.id),
    revokedSessions: await RevokedSessions.open(repositories, clock),
    addTenantContents: (contents) => tenantRemovals.addContents(contents),
    customers: new RegistryCustomers(context, reads, assignment, customerRemovals),
    openOnboarding: (onboarding) => openOnboarding(context, { writes, assignment }, onboarding, report),
    credentials: new RegistryCredentialLookup(index, provisioningProfiles, chains, clock, report),
    defaultTenant,
    deviceRef: (id) => index.deviceRef(id),
    deviceIds: () => index.deviceIds(),
    deviceRefByName: (tenantId, name) => index.deviceRefByName(tenantId, name),
    applicationRef: (id) => index.registration(id)?.application ?? undefined,
    deviceData: (caller, id, action = 'WRITE') => deviceData(index, caller, id, action),
    addListener: (listener) => listeners.add(listener),
    listeners,
    locks: context.locks,
    finishRemovals: async () => {
      await Promise.all([customerRemovals.finish(), removals.finish()]);
      await tenantRemovals.finish();
      await removals.settled();
    },
    settled: async () => {
      await tenantRemovals.settled();
      await customerRemovals.settled();
      await removals.settled();
    },
  };
}

function deviceData(index: ConnectIndex, caller: Caller, id: EntityId, action: 'READ' | 'WRITE'): Result<DeviceRef> {
  // The right to the data is one for ordinary callers; anybody may look, and no more.
  if (caller.isPublic === true && action === 'WRITE') return refuse('permissionDenied');
  const role = authorizeRole(caller, 'data', 'device');
  if (role !== null) return role;
  const registration = index.registration(id);
  if (!registration?.device) return refuse('notFound');
  const { tenantId } = registration.device;
  const refusal = authorize(caller, 'data', 'device', { tenantId, customerId: registration.customerId });
  return refusal ?? success(registration.device);
}
