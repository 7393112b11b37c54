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

  /** `customerId`: only devices of this customer, which the caller may be shown; null: all that it may see. */
  async list(
    caller: Caller,
    query: DeviceListQuery,
    customerId: EntityId | null = null,
  ): Promise<Result<Page<Device>>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.device);
    if (!window.ok) return window;
    const { repositories } = this.#context;
    const { tenantId } = caller;
    let profileId = query.deviceProfileId;
    if (query.type !== null && query.type !== '') {
      const profile = await repositories.profileByName(tenantId, query.type);
      if (profile === null) return success(toPage(window.value, { records: [], total: 0 }, (device) => device));
      profileId = profile.id;
    }
    const scope = { tenantId, customerId: customerScope(caller) ?? customerId, profileId };
    const found = await repositories.devices({ ...window.value, ...scope });
    return success(toPage(window.value, found, (device) => device));
  }

  async listInfos(
    caller: Caller,
    query: DeviceListQuery,
    customerId: EntityId | null = null,
  ): Promise<Result<Page<DeviceInfo>>> {
    const page = await this.list(caller, query, customerId);
    if (!page.ok) return page;
    const data: DeviceInfo[] = [];
    // One after the other: neighbours have the same customer, which is in memory by then.
    for (const device of page.value.data) data.push(await this.info(device));
    return success({ ...page.value, data });
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

  async info(device: Device): Promise<DeviceInfo> {
    const customer = await this.#context.customers.get(device.customerId);
    return {
      ...device,
      customerTitle: customer?.title ?? null,
      customerIsPublic: customer?.isPublic ?? false,
      deviceProfileName: device.type,
      active: this.#context.isActive(device.id),
    };
  }
}
