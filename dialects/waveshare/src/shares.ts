import type { EntityId, Json, JsonObject } from '@moorage/core';

/** Most accounts that one device is shared with in one way; further entries do nothing. */
const MAXIMUM_GRANTEES = 100;

const NOBODY: readonly EntityId[] = [];

/** What an account grants to other accounts, by device. Section 4.4 */
export class Shares {
  readonly #readers: ReadonlyMap<EntityId, readonly EntityId[]>;
  readonly #writers: ReadonlyMap<EntityId, readonly EntityId[]>;

  constructor(shares: Json | undefined) {
    const readers = new Map<EntityId, EntityId[]>();
    const writers = new Map<EntityId, EntityId[]>();
    for (const share of Array.isArray(shares) ? (shares as readonly Json[]) : []) {
      const { deviceId, account, access } = membersOf(share);
      if (typeof deviceId !== 'string' || typeof account !== 'string') continue;
      if (access === 'READ') grant(readers, deviceId, account);
      else if (access === 'WRITE') grant(writers, deviceId, account);
    }
    this.#readers = readers;
    this.#writers = writers;
  }

  /** Accounts that read the device's Pub topic. */
  readersOf(deviceId: EntityId): readonly EntityId[] {
    return this.#readers.get(deviceId) ?? NOBODY;
  }

  /** Accounts whose devices may publish to the device's Sub topic. */
  writersOf(deviceId: EntityId): readonly EntityId[] {
    return this.#writers.get(deviceId) ?? NOBODY;
  }
}

export const NO_SHARES = new Shares([]);

/** The registry replaces a configuration as a whole, so each is read once. */
const known = new WeakMap<JsonObject, Shares>();

/** The shares in the configuration of an application. */
export function sharesOf(configuration: JsonObject): Shares {
  let shares = known.get(configuration);
  if (shares === undefined) {
    shares = new Shares(Object.hasOwn(configuration, 'shares') ? configuration.shares : undefined);
    known.set(configuration, shares);
  }
  return shares;
}

function membersOf(share: Json): JsonObject {
  return typeof share === 'object' && share !== null && !Array.isArray(share) ? (share as JsonObject) : {};
}

function grant(grants: Map<EntityId, EntityId[]>, deviceId: EntityId, account: EntityId): void {
  const accounts = grants.get(deviceId);
  if (accounts === undefined) grants.set(deviceId, [account]);
  else if (accounts.length < MAXIMUM_GRANTEES && !accounts.includes(account)) accounts.push(account);
}
