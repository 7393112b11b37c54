import type { EntityId } from '../model/entities.ts';
import type { Registration } from './registration.ts';

/**
 * The devices of each account by their names in it, in memory. An account is an application, or a tenant for that tenant's
 * default account. Nothing enters an account that is being deleted, and none is deleted that something is about to enter.
 */
export class AccountIndex {
  readonly #devices = new Map<EntityId, Map<string, Registration>>();
  /** Who is about to enter, by the name. */
  readonly #entering = new Map<EntityId, Map<string, EntityId>>();
  readonly #closed = new Set<EntityId>();

  device(accountId: EntityId, name: string): Registration | undefined {
    return this.#devices.get(accountId)?.get(name);
  }

  /** In no order. */
  devicesOf(accountId: EntityId): readonly Registration[] {
    return [...(this.#devices.get(accountId)?.values() ?? [])];
  }

  enter(registration: Registration): void {
    const account = accountOf(registration);
    if (account === null) return;
    const devices = this.#devices.get(account.id);
    if (devices === undefined) this.#devices.set(account.id, new Map([[account.name, registration]]));
    else devices.set(account.name, registration);
  }

  leave(registration: Registration): void {
    const account = accountOf(registration);
    if (account === null) return;
    const devices = this.#devices.get(account.id);
    if (devices?.get(account.name) !== registration) return;
    devices.delete(account.name);
    if (devices.size === 0) this.#devices.delete(account.id);
  }

  /** Holds a name in an account for a device until the returned function is called. */
  reserve(accountId: EntityId, name: string, deviceId: EntityId): (() => void) | 'taken' | 'closed' {
    if (this.#closed.has(accountId)) return 'closed';
    const entering = this.#entering.get(accountId) ?? new Map<string, EntityId>();
    const holder = this.device(accountId, name)?.principalId ?? deviceId;
    if (holder !== deviceId || entering.has(name)) return 'taken';
    entering.set(name, deviceId);
    this.#entering.set(accountId, entering);
    return () => {
      entering.delete(name);
      if (entering.size === 0 && this.#entering.get(accountId) === entering) this.#entering.delete(accountId);
    };
  }

  /** Keeps devices out of an account until the returned function is called; null: it has some. */
  close(accountId: EntityId): (() => void) | null {
    if (this.#devices.has(accountId) || this.#entering.has(accountId)) return null;
    this.#closed.add(accountId);
    return () => this.#closed.delete(accountId);
  }
}

function accountOf({ device, membership }: Registration): { readonly id: EntityId; readonly name: string } | null {
  if (membership === null || device === null) return null;
  return { id: membership.accountId ?? device.tenantId, name: membership.name };
}
