import {
  type ApplicationInput,
  type Caller,
  type Clock,
  type CredentialsInput,
  createRegistry,
  type DeviceInput,
  type DeviceListQuery,
  type DeviceRef,
  type EntityId,
  NULL_ID,
  type ProfileInput,
  type Registry,
  type Repositories,
  type Result,
  type WriteOutcome,
} from '@moorage/core';
import { FakeCrypto } from './fake-crypto.ts';
import { MemoryRepositories } from './memory-repositories.ts';

/** A clock that stands still until it is set. */
export class SteppedClock implements Clock {
  time = 1_700_000_000_000;
  elapsed = 0;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.elapsed;
  }

  /** Lets time pass on both clocks. */
  advance(ms: number): void {
    this.time += ms;
    this.elapsed += ms;
  }
}

/** A registry with everything around it under the control of a test. */
export interface TestRegistry extends Registry {
  readonly repositories: Repositories;
  readonly crypto: FakeCrypto;
  readonly clock: SteppedClock;
  /** Administrator of the tenant `default`. */
  readonly admin: Caller;
  /** What the listener was told, in order: `reason id`. */
  readonly revoked: string[];
  readonly changed: DeviceRef[];
  /** Owners whose data was removed. */
  readonly removed: EntityId[];
  readonly reports: unknown[];
  /** What the next removals of data answer; `stored` when empty. */
  readonly removalOutcomes: WriteOutcome[];
}

export interface TestRegistryOptions {
  readonly repositories?: Repositories;
  readonly crypto?: FakeCrypto;
  readonly isActive?: (deviceId: EntityId) => boolean;
}

/** Opens a registry on repositories in memory, or on those given. */
export async function openTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const repositories = options.repositories ?? new MemoryRepositories();
  const crypto = options.crypto ?? new FakeCrypto();
  const clock = new SteppedClock();
  const removed: EntityId[] = [];
  const reports: unknown[] = [];
  const removalOutcomes: WriteOutcome[] = [];
  const registry = await createRegistry({
    repositories,
    crypto,
    clock,
    telemetryOwnerRemoval: async (owner) => {
      removed.push(owner);
      return removalOutcomes.shift() ?? 'stored';
    },
    isTopicFilter: (text) => /^[^#]*(#$|[^#]$)/.test(text),
    report: (error) => reports.push(error),
    ...(options.isActive === undefined ? {} : { isActive: options.isActive }),
  });
  const revoked: string[] = [];
  const changed: DeviceRef[] = [];
  registry.addListener({
    revoked: (id, reason) => revoked.push(`${reason} ${id}`),
    deviceChanged: (device) => changed.push(device),
    sharedAttributesChanged: () => {},
  });
  const admin = callerOf('TENANT_ADMIN', registry.defaultTenant.id);
  return { ...registry, repositories, crypto, clock, admin, revoked, changed, removed, reports, removalOutcomes };
}

/** A caller with no user behind it. */
export function callerOf(authority: Caller['authority'], tenantId: EntityId, customerId: EntityId = NULL_ID): Caller {
  return { userId: NULL_ID, authority, tenantId, customerId };
}

/** A device to save: a name, and nothing else unless given. */
export function deviceInput(name: string, parts: Partial<DeviceInput> = {}): DeviceInput {
  return {
    id: null,
    name,
    label: null,
    type: null,
    deviceProfileId: null,
    deviceData: null,
    additionalInfo: null,
    version: null,
    ...parts,
  };
}

/** Credentials to save, generated unless given. */
export function credentialsInput(
  credentialsType: CredentialsInput['credentialsType'],
  parts: Partial<CredentialsInput> = {},
): CredentialsInput {
  return { id: null, credentialsType, credentialsId: null, credentialsValue: null, version: null, ...parts };
}

/** MQTT_BASIC credentials to save. */
export function basicInput(
  value: { clientId?: string | null; userName?: string | null; password?: string | null },
  parts: Partial<CredentialsInput> = {},
): CredentialsInput {
  return credentialsInput('MQTT_BASIC', { credentialsValue: JSON.stringify(value), ...parts });
}

/** PLAIN credentials to save. */
export function plainInput(username: string, parts: Partial<CredentialsInput> = {}): CredentialsInput {
  const value = { username, password: 'secret', clientId: null };
  return credentialsInput('PLAIN', { credentialsValue: JSON.stringify(value), ...parts });
}

/** WAVESHARE credentials to save; what is left out is generated. */
export function waveshareInput(
  value: {
    clientId?: string | null;
    pubTopic?: string | null;
    subTopic?: string | null;
    password?: string;
    accountId?: string;
  } = {},
  parts: Partial<CredentialsInput> = {},
): CredentialsInput {
  return credentialsInput('WAVESHARE', { credentialsValue: JSON.stringify(value), ...parts });
}

/** THINGSCALE credentials to save: a device id in an account. */
export function thingscaleInput(accountId: string, deviceId: string | null): CredentialsInput {
  return credentialsInput('THINGSCALE', {
    credentialsId: deviceId,
    credentialsValue: JSON.stringify({ accountId }),
  });
}

/** A profile to save. */
export function profileInput(name: string, parts: Partial<ProfileInput> = {}): ProfileInput {
  return {
    id: null,
    name,
    description: null,
    transportType: null,
    provisionType: null,
    provisionDeviceKey: null,
    profileData: null,
    version: null,
    ...parts,
  };
}

/** An application to save. */
export function applicationInput(name: string, parts: Partial<ApplicationInput> = {}): ApplicationInput {
  return {
    id: null,
    name,
    dialect: 'plain',
    enabled: true,
    credentials: {},
    configuration: {},
    version: null,
    ...parts,
  };
}

/** The first ten devices by id, unless told otherwise. */
export function listQuery(parts: Partial<DeviceListQuery> = {}): DeviceListQuery {
  return {
    pageSize: 10,
    page: 0,
    textSearch: null,
    sortProperty: null,
    sortOrder: 'ASC',
    type: null,
    deviceProfileId: null,
    ...parts,
  };
}

/** The value of a use case that succeeded; fails the test otherwise. */
export function succeeded<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new TypeError(`refused with ${result.code}: ${result.message}`);
}
