import type { EntityId } from '../model/entities.ts';
import type { StoredLink } from './link.ts';

/** Every link in memory: each message of a device asks whether it has one. */
export class LinkIndex {
  readonly #byId = new Map<EntityId, StoredLink>();
  /** Enabled ones, by source device and key. */
  readonly #bySource = new Map<EntityId, Map<string, StoredLink[]>>();
  /** Ids of those that begin or end at a device. */
  readonly #byDevice = new Map<EntityId, Set<EntityId>>();
  readonly #ofTenant = new Map<EntityId, number>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: EntityId): StoredLink | undefined {
    return this.#byId.get(id);
  }

  /** Enabled links by the key that they hear; undefined: the device is the source of none. */
  ofSource(deviceId: EntityId): ReadonlyMap<string, readonly StoredLink[]> | undefined {
    return this.#bySource.get(deviceId);
  }

  /** Ids of the links that begin or end at the device. */
  ofDevice(deviceId: EntityId): readonly EntityId[] {
    return [...(this.#byDevice.get(deviceId) ?? [])];
  }

  countOf(tenantId: EntityId): number {
    return this.#ofTenant.get(tenantId) ?? 0;
  }

  /** Ids of all links of a tenant, by a scan: tenants are removed seldom. */
  ofTenant(tenantId: EntityId): readonly EntityId[] {
    return [...this.#byId.values()].filter((link) => link.tenantId === tenantId).map(({ id }) => id);
  }

  /** Enters a link, in place of the one with its id. */
  put(link: StoredLink): void {
    this.remove(link.id);
    const { id, tenantId, source, target, enabled } = link;
    this.#byId.set(id, link);
    this.#ofTenant.set(tenantId, this.countOf(tenantId) + 1);
    for (const device of [source.deviceId, target.deviceId]) {
      const ids = this.#byDevice.get(device);
      if (ids === undefined) this.#byDevice.set(device, new Set([id]));
      else ids.add(id);
    }
    if (!enabled) return;
    const keys = this.#bySource.get(source.deviceId) ?? new Map<string, StoredLink[]>();
    this.#bySource.set(source.deviceId, keys);
    const links = keys.get(source.key);
    if (links === undefined) keys.set(source.key, [link]);
    else links.push(link);
  }

  remove(id: EntityId): void {
    const link = this.#byId.get(id);
    if (link === undefined) return;
    const { tenantId, source, target } = link;
    this.#byId.delete(id);
    const left = this.countOf(tenantId) - 1;
    if (left > 0) this.#ofTenant.set(tenantId, left);
    else this.#ofTenant.delete(tenantId);
    for (const device of [source.deviceId, target.deviceId]) {
      const ids = this.#byDevice.get(device);
      ids?.delete(id);
      if (ids?.size === 0) this.#byDevice.delete(device);
    }
    this.#removeFromSource(link);
  }

  #removeFromSource({ id, source }: StoredLink): void {
    const keys = this.#bySource.get(source.deviceId);
    const others = keys?.get(source.key)?.filter((link) => link.id !== id);
    if (keys === undefined || others === undefined) return;
    if (others.length > 0) keys.set(source.key, others);
    else keys.delete(source.key);
    if (keys.size === 0) this.#bySource.delete(source.deviceId);
  }
}
