import { type Result, refuse, success } from '../errors.ts';
import type { Device, DeviceCredentials, EntityId } from '../model/entities.ts';
import type { Caller, DeviceInfo, DeviceListQuery, Page } from '../platform.ts';
import { SORT_MEMBERS } from '../ports/repositories.ts';
import { authorize, authorizeRole, type Operation } from './authorize.ts';
import { readableCredentials } from './device-entries.ts';
import { pageWindow, toPage } from './paging.ts';
import type { RegistryContext } from './registry-context.ts';

/** Ids asked for in one call. */
const MAX_IDS = 10_000;
/** Ids asked of the store at once. */
const ID_SLICE = 1000;

/** Customers see their own devices only. */
function customerScope(caller: Caller): EntityId | null {
  return caller.authority === 'CUSTOMER_USER' ? caller.customerId : null;
}

/** The reading half of the device use cases. */
export class DeviceReads {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /** A device the caller may do `operation` to; `missing` is said when it does not exist. */
  async find(caller: Caller, id: EntityId, operation: Operation, missing?: string): Promise<Result<Device>> {
    const role = authorizeRole(caller, operation, 'device');
    if (role !== null) return role;
    const device = await this.#context.repositories.device(id);
    if (device === null) return refuse('notFound', missing);
    return authorize(caller, operation, 'device', device) ?? success(device);
  }

  async byName(caller: Caller, name: string): Promise<Result<Device>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const device = await this.#context.repositories.deviceByName(caller.tenantId, name);
    // A customer does not learn which names other customers use.
    if (device === null || authorize(caller, 'read', 'device', device) !== null) return refuse('notFound');
    return success(device);
  }

  async list<T>(caller: Caller, query: DeviceListQuery, map: (device: Device) => T): Promise<Result<Page<T>>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.device);
    if (!window.ok) return window;
    const { repositories } = this.#context;
    const { tenantId } = caller;
    let profileId = query.deviceProfileId;
    if (query.type !== null && query.type !== '') {
      const profile = await repositories.profileByName(tenantId, query.type);
      if (profile === null) return success(toPage(window.value, { records: [], total: 0 }, map));
      profileId = profile.id;
    }
    const scope = { tenantId, customerId: customerScope(caller), profileId };
    return success(toPage(window.value, await repositories.devices({ ...window.value, ...scope }), map));
  }

  async byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Device[]>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    if (ids.length > MAX_IDS) return refuse('badRequest', `At most ${MAX_IDS} ids can be asked for at once!`);
    const wanted = [...new Set(ids)];
    const found = new Map<EntityId, Device>();
    for (let start = 0; start < wanted.length; start += ID_SLICE) {
      const slice = wanted.slice(start, start + ID_SLICE);
      for (const device of await this.#context.repositories.devicesByIds(slice)) {
        if (authorize(caller, 'read', 'device', device) === null) found.set(device.id, device);
      }
    }
    return success(wanted.flatMap((id) => found.get(id) ?? []));
  }

  async credentials(caller: Caller, deviceId: EntityId): Promise<Result<DeviceCredentials>> {
    const device = await this.find(caller, deviceId, 'readCredentials');
    if (!device.ok) return device;
    const { repositories, crypto } = this.#context;
    const stored = await repositories.credentials(deviceId);
    if (stored === null) return refuse('notFound');
    return success(readableCredentials(stored, (sealed) => crypto.open(sealed)));
  }

  async types(caller: Caller): Promise<Result<readonly string[]>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    return success(await this.#context.repositories.deviceTypes(caller.tenantId, customerScope(caller)));
  }

  /** Customers are not part of this release, so a device that has one shows no title. */
  info(device: Device): DeviceInfo {
    return {
      ...device,
      customerTitle: null,
      customerIsPublic: false,
      deviceProfileName: device.type,
      active: this.#context.isActive(device.id),
    };
  }
}
