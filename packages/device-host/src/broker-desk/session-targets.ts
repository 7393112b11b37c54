import type { EntityId } from '@moorage/core';
import { keyOf, sessionKey } from '../admission/session-key.ts';
import type { BrokerDeskOptions, DeskDevice, DeskLimits, DeskTarget } from './desk-options.ts';
import { tenantPrefix } from './session-owner.ts';
import { type NamedSession, SessionWalk } from './session-walk.ts';

/** Finds the Sessions of a device or of a Client Identifier. */
export class SessionTargets {
  readonly #options: BrokerDeskOptions;
  readonly #limits: DeskLimits;
  readonly #walk: SessionWalk;

  constructor(options: BrokerDeskOptions, limits: DeskLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#walk = new SessionWalk(options.broker, options.scheduler, limits.sessionPages);
  }

  /** Session keys, also one that has no Session yet where the key follows from the device; empty: none is known. */
  async keysOf(tenantId: EntityId, target: DeskTarget): Promise<readonly string[]> {
    const keys = new Set('device' in target ? this.connectedKeysOf(target.device) : []);
    for (const { sessionKey: key } of await this.sessionsOf(tenantId, target)) {
      if (keys.size >= this.#limits.sessionKeys) break;
      keys.add(key);
    }
    return [...keys];
  }

  /** What needs no search: the keys of live connections, and the one that follows from the device. */
  connectedKeysOf(device: DeskDevice): readonly string[] {
    const keys = new Set<string>();
    const only = this.#onlyKeyOf(device);
    if (only !== null) keys.add(only);
    for (const { principal } of this.#options.connectionsOf(device.id)) {
      const key = sessionKey(principal);
      if (key !== null && principal.tenantId === device.tenantId) keys.add(key);
    }
    return [...keys].slice(0, this.#limits.sessionKeys);
  }

  #onlyKeyOf({ id, tenantId, dialect: dialectId }: DeskDevice): string | null {
    const { dialects, deviceRef, credentials } = this.#options;
    const dialect = dialects.find(({ manifest }) => manifest.id === dialectId);
    const device = deviceRef(id);
    const identity = device?.tenantId === tenantId ? (dialect?.oneSession?.(device, credentials) ?? null) : null;
    return identity === null ? null : keyOf(tenantId, dialectId, identity);
  }

  /** The Sessions there are, connected and absent. */
  async sessionsOf(tenantId: EntityId, target: DeskTarget): Promise<readonly NamedSession[]> {
    const own = 'device' in target ? ownKey(target.device) : null;
    const found: NamedSession[] = [];
    for await (const page of this.#walk.pages(own ?? tenantPrefix(tenantId))) {
      for (const session of page) {
        const { sessionKey: key, clientId } = session;
        const wanted = 'device' in target ? key === own || key.startsWith(`${own}/`) : clientId === target.clientId;
        if (wanted) found.push(session);
        if (found.length >= this.#limits.sessionKeys) return found;
      }
    }
    return found;
  }
}

/** What the keys of all Sessions of a device begin with, or are. */
function ownKey({ tenantId, dialect, id }: DeskDevice): string {
  return `${tenantId}/${dialect}/${id}`;
}
