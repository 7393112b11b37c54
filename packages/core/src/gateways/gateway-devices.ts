import type { GatewayDevices } from '../device-platform.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import { newDeviceInput, storeOutcome } from '../provisioning/device-creation.ts';
import type { DeviceRoom } from '../provisioning/device-room.ts';
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
  readonly #room: DeviceRoom;
  /** The gateway noted in storage for each device, as far as it was read or written here. */
  readonly #noted = new Map<EntityId, EntityId>();

  constructor(context: RegistryContext, writes: DeviceWrites, room: DeviceRoom) {
    this.#context = context;
    this.#writes = writes;
    this.#room = room;
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
    const input = newDeviceInput(name, { name: type }, { [LAST_GATEWAY]: gateway.id });
    const created = await this.#room.take(tenantId, () =>
      this.#writes.create(platformCaller(tenantId), input, RANDOM_TOKEN),
    );
    if (created === null) return { outcome: 'refused', reason: this.#room.refusal };
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
