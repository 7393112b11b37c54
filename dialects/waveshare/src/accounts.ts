import type { ApplicationRef, ConnectCredential, CredentialLookup, DeviceRef, EntityId } from '@moorage/core';
import { DIALECT_ID } from './manifest.ts';
import { NO_SHARES, type Shares, sharesOf } from './shares.ts';

/** A device as its credential describes it. Section 4.2 */
export interface DeviceTriple {
  readonly device: DeviceRef;
  readonly clientId: string;
  readonly pubTopic: string;
  readonly subTopic: string;
  /** null: none is asked for. */
  readonly password: string | null;
  /** The account whose topic space it is in: an application, or the tenant for its default account. */
  readonly account: EntityId;
  readonly enabled: boolean;
}

/** A topic space of this dialect. */
export interface AccountSpace {
  readonly tenantId: EntityId;
  readonly account: EntityId;
}

const NONE: readonly ConnectCredential[] = [];

function isDefault({ configuration }: ApplicationRef): boolean {
  return Object.hasOwn(configuration, 'default') && configuration.default === true;
}

/** What the registry knows of devices and their accounts. Section 4.2 */
export class Accounts {
  readonly #registry: CredentialLookup;
  /** Which of a list speaks for the default account; the registry makes a new list when one of them changes. */
  readonly #defaults = new WeakMap<readonly ConnectCredential[], ApplicationRef | null>();

  constructor(registry: CredentialLookup) {
    this.#registry = registry;
  }

  /** The device with this Client Identifier; undefined: it is none of this dialect's. */
  byClientId(clientId: string): DeviceTriple | undefined {
    const holder = this.#registry.byClientId(clientId);
    if (holder?.dialect !== DIALECT_ID) return undefined;
    for (const credential of holder.credentials) {
      const triple = this.#triple(credential);
      if (triple !== undefined) return triple;
    }
    return undefined;
  }

  ofDevice(device: DeviceRef): DeviceTriple | undefined {
    const credential = this.#registry.ofDevice?.(device.id);
    return credential === undefined ? undefined : this.#triple(credential);
  }

  /** The application that stands for the account; null: a default account without one. */
  applicationOf({ tenantId, account }: AccountSpace): ApplicationRef | null {
    if (account !== tenantId) return this.#registry.application?.(account)?.application ?? null;
    const applications = this.#registry.applications?.(DIALECT_ID, tenantId) ?? NONE;
    if (applications.length === 0) return null;
    let found = this.#defaults.get(applications);
    if (found === undefined) {
      found =
        applications.find(({ application }) => application !== null && isDefault(application))?.application ?? null;
      this.#defaults.set(applications, found);
    }
    return found;
  }

  /** What the account grants to others; nothing while it is disabled. */
  sharesOf(space: AccountSpace): Shares {
    const application = this.applicationOf(space);
    return application?.enabled === true ? sharesOf(application.configuration) : NO_SHARES;
  }

  /** The spaces besides its own in which the Pub topic of a device is read. Section 4.4 */
  readersOf({ device, account }: DeviceTriple): readonly AccountSpace[] {
    const shares = this.sharesOf({ tenantId: device.tenantId, account });
    const readers = shares.readersOf(device.id);
    if (readers.length === 0) return [];
    const spaces = new Map<EntityId, AccountSpace>();
    for (const reader of readers) {
      const space = this.#spaceOf(reader);
      if (space !== null && space.account !== account) spaces.set(space.account, space);
    }
    return [...spaces.values()];
  }

  /** May devices of the account publish to the Sub topic of this device of another one? Section 4.4 */
  mayWrite(target: DeviceTriple, account: EntityId): boolean {
    const { device } = target;
    const shares = this.sharesOf({ tenantId: device.tenantId, account: target.account });
    return shares.writersOf(device.id).some((writer) => this.#spaceOf(writer)?.account === account);
  }

  /** What stands for an account in a share: an application, or a tenant for its default account. null: it is disabled. */
  #spaceOf(account: EntityId): AccountSpace | null {
    const application = this.#registry.application?.(account)?.application ?? null;
    if (application === null) return { tenantId: account, account };
    if (!application.enabled) return null;
    const { tenantId } = application;
    return { tenantId, account: isDefault(application) ? tenantId : account };
  }

  #triple(credential: ConnectCredential): DeviceTriple | undefined {
    const { device, clientId, password, credentialsType } = credential;
    if (credentialsType !== 'WAVESHARE' || device === null || clientId === null) return undefined;
    const secret = (member: string): string | null => credential.secret?.(member) ?? null;
    const pubTopic = secret('pubTopic');
    const subTopic = secret('subTopic');
    if (pubTopic === null || subTopic === null) return undefined;
    const { tenantId } = device;
    const accountId = secret('accountId') ?? tenantId;
    const application = accountId === tenantId ? null : (this.#registry.application?.(accountId)?.application ?? null);
    // The space of the default account is the tenant's, also for devices that name its application.
    const account = application !== null && isDefault(application) ? tenantId : accountId;
    return { device, clientId, pubTopic, subTopic, password, account, enabled: secret('enabled') !== 'false' };
  }
}
