import { type Result, success } from '../errors.ts';
import type { Device, DeviceCredentials, EntityId } from '../model/entities.ts';
import type {
  Caller,
  CredentialsInput,
  DeviceInfo,
  DeviceInput,
  DeviceListQuery,
  DeviceService,
  Page,
} from '../platform.ts';
import { DeviceReads } from './device-reads.ts';
import { DeviceWrites } from './device-writes.ts';
import type { RegistryContext } from './registry-context.ts';

/** The devices of all tenants and their credentials. thingsboard-server.md, 2.1 to 2.3 */
export class RegistryDevices implements DeviceService {
  readonly #reads: DeviceReads;
  readonly #writes: DeviceWrites;

  constructor(context: RegistryContext) {
    this.#reads = new DeviceReads(context);
    this.#writes = new DeviceWrites(context, this.#reads);
  }

  /** `accessToken` counts at creation only; without one a token is drawn. */
  save(caller: Caller, input: DeviceInput, options: { readonly accessToken: string | null }): Promise<Result<Device>> {
    if (input.id !== null) return this.#writes.update(caller, input.id, input, null);
    return this.#writes.create(caller, input, {
      id: null,
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: options.accessToken,
      credentialsValue: null,
      version: null,
    });
  }

  saveWithCredentials(caller: Caller, input: DeviceInput, credentials: CredentialsInput): Promise<Result<Device>> {
    if (input.id !== null) return this.#writes.update(caller, input.id, input, credentials);
    return this.#writes.create(caller, input, credentials);
  }

  get(caller: Caller, id: EntityId): Promise<Result<Device>> {
    return this.#reads.find(caller, id, 'read');
  }

  async info(caller: Caller, id: EntityId): Promise<Result<DeviceInfo>> {
    const device = await this.#reads.find(caller, id, 'read');
    return device.ok ? success(await this.#reads.info(device.value)) : device;
  }

  byName(caller: Caller, name: string): Promise<Result<Device>> {
    return this.#reads.byName(caller, name);
  }

  list(caller: Caller, query: DeviceListQuery): Promise<Result<Page<Device>>> {
    return this.#reads.list(caller, query);
  }

  listInfos(caller: Caller, query: DeviceListQuery): Promise<Result<Page<DeviceInfo>>> {
    return this.#reads.listInfos(caller, query);
  }

  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Device[]>> {
    return this.#reads.byIds(caller, ids);
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#writes.remove(caller, id);
  }

  credentials(caller: Caller, deviceId: EntityId): Promise<Result<DeviceCredentials>> {
    return this.#reads.credentials(caller, deviceId);
  }

  saveCredentials(caller: Caller, deviceId: EntityId, input: CredentialsInput): Promise<Result<DeviceCredentials>> {
    return this.#writes.saveCredentials(caller, deviceId, input);
  }

  types(caller: Caller): Promise<Result<readonly string[]>> {
    return this.#reads.types(caller);
  }
}
