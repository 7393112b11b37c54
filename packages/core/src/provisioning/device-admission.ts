import type { DeviceAdmission } from '../device-platform.ts';
import type { EntityId } from '../model/entities.ts';
import type { CredentialsInput } from '../platform.ts';
import { platformCaller } from '../registry/authorize.ts';
import type { DeviceWrites } from '../registry/device-writes.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { newDeviceInput, storeOutcome } from './device-creation.ts';
import type { DeviceRoom } from './device-room.ts';

/** Makes devices that came unannounced and that their dialect lets in. */
export class ProfileDevices implements DeviceAdmission {
  readonly #context: RegistryContext;
  readonly #writes: DeviceWrites;
  readonly #room: DeviceRoom;

  constructor(context: RegistryContext, writes: DeviceWrites, room: DeviceRoom) {
    this.#context = context;
    this.#writes = writes;
    this.#room = room;
  }

  async create(
    profileId: EntityId,
    names: readonly string[],
    credentials: CredentialsInput,
  ): ReturnType<DeviceAdmission['create']> {
    const { repositories, index, locks } = this.#context;
    const profile = await repositories.profile(profileId);
    if (profile === null) return { outcome: 'refused', reason: 'there is no such profile' };
    const { tenantId } = profile;
    return locks.run(`provisioning of ${tenantId} ${names[0]}`, async () => {
      const name = names.find((one) => index.deviceRefByName(tenantId, one) === undefined);
      if (name === undefined) return { outcome: 'refused', reason: 'there is a device of this name already' };
      const input = newDeviceInput(name, { id: profileId }, null);
      const created = await this.#room.take(tenantId, () =>
        this.#writes.create(platformCaller(tenantId), input, credentials),
      );
      if (created === null) return { outcome: 'refused', reason: this.#room.refusal };
      if (!created.ok) {
        const outcome = storeOutcome(created);
        return outcome === null ? { outcome: 'refused', reason: created.message } : { outcome };
      }
      const device = index.deviceRef(created.value.id);
      return device === undefined ? { outcome: 'failed' } : { outcome: 'created', device };
    });
  }
}
