import type { GatewayDevices } from '../device-platform.ts';
import type { Result } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { Device, EntityId } from '../model/entities.ts';
import { newDeviceInput, storeOutcome } from '../provisioning/device-creation.ts';
import { platformCaller } from '../registry/authorize.ts';
import { isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import { storedDevice } from '../registry/device-assignment.ts';
import type { DeviceWrites } from '../registry/device-writes.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { LAST_GATEWAY } from './last-gateway.ts';

type Ensured = Awaited<ReturnType<GatewayDevices['ensure']>>;

const RANDOM_TOKEN = {
  id: null,
  credentialsType: 'ACCESS_TOKEN',
  credentialsId: null,
  credentialsValue: null,
  version: null,
} as const;

/** The devices behind gateways. thingsboard-device.md, 8 */
export class GatewayRegistry implements GatewayDevices {
  readonly #context: RegistryContext;
  readonly #writes: DeviceWrites;
  readonly #deviceLimit: number | null;
  /** The gateway noted in storage for each device, as far as it was read or written here. */
  readonly #noted = new Map<EntityId, EntityId>();
  /** Devices of a tenant that are being created. */
  readonly #creating = new Map<EntityId, number>();

  /** `deviceLimit`: devices of a tenant beyond which gateways create none; null: no limit. */
  constructor(context: RegistryContext, writes: DeviceWrites, deviceLimit: number | null) {
    this.#context = context;
    this.#writes = writes;
    this.#deviceLimit = deviceLimit;
    context.listeners.add({
      revoked: (id, reason) => {
        if (reason === 'deleted') this.#noted.delete(id);
      },
      deviceChanged: () => {},
      sharedAttributesChanged: () => {},
    });
  }

  async ensure(gateway: DeviceRef, name: string, type: string | null): Promise<Ensured> {
    if (name.trim() === '') return { outcome: 'refused', reason: 'the device name is empty' };
    const known = this.#context.index.deviceRefByName(gateway.tenantId, name);
    if (known !== undefined && this.#noted.get(known.id) === gateway.id) return { outcome: 'found', device: known };
    return this.#context.locks.run(`provisioning of ${gateway.tenantId} ${name}`, async () => {
      const present = this.#context.index.deviceRefByName(gateway.tenantId, name);
      if (present === undefined) return this.#create(gateway, name, type);
      if (present.id === gateway.id) return { outcome: 'refused', reason: 'a gateway is not behind itself' };
      await this.#note(present.id, gateway.id);
      const device = this.#context.index.deviceRef(present.id);
      return device === undefined ? { outcome: 'failed' } : { outcome: 'found', device };
    });
  }

  async #create(gateway: DeviceRef, name: string, type: string | null): Promise<Ensured> {
    const { tenantId } = gateway;
    const creating = this.#creating.get(tenantId) ?? 0;
    const limit = this.#deviceLimit;
    if (limit !== null && this.#context.index.deviceCount(tenantId) + creating >= limit) {
      return { outcome: 'refused', reason: `the tenant has its limit of ${limit} devices` };
    }
    this.#creating.set(tenantId, creating + 1);
    let created: Result<Device>;
    try {
      const input = newDeviceInput(name, { name: type }, { [LAST_GATEWAY]: gateway.id });
      created = await this.#writes.create(platformCaller(tenantId), input, RANDOM_TOKEN);
    } finally {
      const left = (this.#creating.get(tenantId) ?? 1) - 1;
      if (left === 0) this.#creating.delete(tenantId);
      else this.#creating.set(tenantId, left);
    }
    if (!created.ok) {
      const outcome = storeOutcome(created);
      return outcome === null ? { outcome: 'refused', reason: created.message } : { outcome };
    }
    const { id } = created.value;
    this.#noted.set(id, gateway.id);
    const device = this.#context.index.deviceRef(id);
    return device === undefined ? { outcome: 'failed' } : { outcome: 'found', device };
  }

  /** A note that cannot be kept does not keep the device from connecting; it is tried again next time. */
  #note(deviceId: EntityId, gatewayId: EntityId): Promise<void> {
    const { repositories, locks } = this.#context;
    return locks.run(deviceId, async () => {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const device = await repositories.device(deviceId);
        if (device === null) return;
        if (device.additionalInfo?.[LAST_GATEWAY] === gatewayId) {
          this.#noted.set(deviceId, gatewayId);
          return;
        }
        const others = Object.entries(device.additionalInfo ?? {}).filter(([member]) => member !== LAST_GATEWAY);
        const additionalInfo = Object.fromEntries([...others, [LAST_GATEWAY, gatewayId]]);
        const record = { ...storedDevice(device), additionalInfo, version: device.version + 1 };
        const outcome = await repositories.commit([{ kind: 'putDevice', record, expectedVersion: device.version }]);
        if (outcome === 'done') this.#noted.set(deviceId, gatewayId);
        if (!isOvertaken(outcome)) return;
      }
    });
  }
}
