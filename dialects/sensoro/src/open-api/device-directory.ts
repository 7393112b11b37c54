import type { EntityId } from '@moorage/core';
import { type DeviceScope, includesDevice } from '../applications.ts';
import type { SensoroPlatform } from '../ports.ts';
import { type ListedDevice, TenantDevices } from './tenant-devices.ts';

/** Devices of all tenants together that are kept; beyond it the tenant that was asked for least recently is forgotten. */
const MAXIMUM_DEVICES = 500_000;

/** The devices of tenants whose applications use the open API or bring readings in. */
export class DeviceDirectory {
  readonly #platform: SensoroPlatform;
  /** The one that was used last is last. */
  readonly #tenants = new Map<EntityId, TenantDevices>();

  constructor(platform: SensoroPlatform) {
    this.#platform = platform;
  }

  touch(id: EntityId): void {
    if (this.#tenants.size === 0) return;
    const tenantId = this.#platform.device(id)?.tenantId;
    if (tenantId !== undefined) this.#tenants.get(tenantId)?.touch(id);
    else for (const tenant of this.#tenants.values()) tenant.touch(id);
  }

  /** A device of the scope. */
  async find(scope: DeviceScope, sn: string): Promise<ListedDevice | undefined> {
    const device = await this.#of(scope.tenantId).find(sn);
    if (device === undefined) return undefined;
    return includesDevice(scope, device.id, device.fields) ? device : undefined;
  }

  /** All of them, by serial number. */
  async list(scope: DeviceScope): Promise<readonly ListedDevice[]> {
    const devices = await this.#of(scope.tenantId).list();
    return devices.filter(({ id, fields }) => includesDevice(scope, id, fields));
  }

  #of(tenantId: EntityId): TenantDevices {
    const tenant = this.#tenants.get(tenantId) ?? new TenantDevices(tenantId, this.#platform);
    this.#tenants.delete(tenantId);
    this.#tenants.set(tenantId, tenant);
    let devices = 0;
    for (const { size } of this.#tenants.values()) devices += size;
    for (const [id, { size }] of this.#tenants) {
      if (devices <= MAXIMUM_DEVICES || id === tenantId) break;
      this.#tenants.delete(id);
      devices -= size;
    }
    return tenant;
  }
}
