import type { EntityId, Value } from '@moorage/core';
import { DEVICE_ATTRIBUTES, type DeviceFields, deviceFields, serialOf } from '../device-fields.ts';
import type { SensoroPlatform } from '../ports.ts';

/** A device as the open API finds it. */
export interface ListedDevice {
  readonly id: EntityId;
  readonly sn: string;
  readonly name: string;
  readonly gateway: boolean;
  readonly fields: DeviceFields;
}

/** Devices whose attributes are read at the same time. */
const SLICE = 200;

/** The devices of one tenant by their serial numbers. Read once, and again where something was touched since. */
export class TenantDevices {
  readonly #tenantId: EntityId;
  readonly #platform: SensoroPlatform;
  readonly #byId = new Map<EntityId, ListedDevice>();
  /** By serial number in capitals; of equal ones the first that was read. */
  readonly #bySerial = new Map<string, ListedDevice>();
  /** Devices whose serial number another one has already. */
  readonly #shadowed = new Set<EntityId>();
  readonly #touched = new Set<EntityId>();
  #sorted: readonly ListedDevice[] | null = null;
  #work: Promise<void> = Promise.resolve();
  #loaded = false;

  constructor(tenantId: EntityId, platform: SensoroPlatform) {
    this.#tenantId = tenantId;
    this.#platform = platform;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The device may have come, changed or gone. */
  touch(id: EntityId): void {
    this.#touched.add(id);
  }

  /** Compared without regard to case. sensoro.md, 4.2 */
  async find(sn: string): Promise<ListedDevice | undefined> {
    await this.#refreshed();
    return this.#bySerial.get(sn.toUpperCase());
  }

  /** In the order of their serial numbers. */
  async list(): Promise<readonly ListedDevice[]> {
    await this.#refreshed();
    this.#sorted ??= [...this.#byId.values()].sort((a, b) => (a.sn < b.sn ? -1 : 1));
    return this.#sorted;
  }

  /** One after the other, so that everybody sees what was touched before. */
  #refreshed(): Promise<void> {
    if (this.#loaded && this.#touched.size === 0) return Promise.resolve();
    const work = this.#work.then(() => this.#refresh());
    // The next one tries again.
    this.#work = work.catch(() => {});
    return work;
  }

  async #refresh(): Promise<void> {
    const platform = this.#platform;
    if (!this.#loaded) {
      for await (const { id } of platform.devices(this.#tenantId)) this.#touched.add(id);
      this.#loaded = true;
    }
    while (this.#touched.size > 0) {
      const ids = this.#nextTouched();
      const found = await Promise.all(ids.map((id) => this.#read(id)));
      for (const [index, id] of ids.entries()) this.#put(id, found[index] ?? null);
    }
  }

  #nextTouched(): readonly EntityId[] {
    const ids: EntityId[] = [];
    for (const id of this.#touched) if (ids.push(id) === SLICE) break;
    return ids;
  }

  /** null: it is gone, or another tenant's. */
  async #read(id: EntityId): Promise<ListedDevice | null> {
    // Before it is read: what is touched from here on is read again.
    this.#touched.delete(id);
    const device = this.#platform.device(id);
    if (device === undefined || device.tenantId !== this.#tenantId) return null;
    try {
      const attributes = await this.#platform.attributes(id, 'SERVER', DEVICE_ATTRIBUTES);
      const values = new Map<string, Value>(attributes.map(({ key, kind, value }) => [key, { kind, value }]));
      const fields = deviceFields(values);
      return { id, sn: serialOf(id, fields), name: device.name, gateway: device.gateway, fields };
    } catch (error) {
      this.#touched.add(id);
      throw error;
    }
  }

  #put(id: EntityId, device: ListedDevice | null): void {
    this.#sorted = null;
    this.#shadowed.delete(id);
    const old = this.#byId.get(id);
    this.#byId.delete(id);
    if (old !== undefined) this.#free(old);
    if (device === null) return;
    this.#byId.set(id, device);
    this.#claim(device);
  }

  #claim(device: ListedDevice): void {
    const serial = device.sn.toUpperCase();
    if (this.#bySerial.has(serial)) this.#shadowed.add(device.id);
    else this.#bySerial.set(serial, device);
  }

  /** The serial number goes to another device that has the same, if there is one. */
  #free(old: ListedDevice): void {
    const serial = old.sn.toUpperCase();
    if (this.#bySerial.get(serial) !== old) return;
    this.#bySerial.delete(serial);
    for (const id of this.#shadowed) {
      const device = this.#byId.get(id);
      if (device?.sn.toUpperCase() !== serial) continue;
      this.#shadowed.delete(id);
      this.#bySerial.set(serial, device);
      return;
    }
  }
}
