import { type Result, refuse, success } from '../errors.ts';
import type { Device, EntityId } from '../model/entities.ts';
import type { StoredDevice } from '../ports/repositories.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from './commit-refusals.ts';
import type { RegistryContext } from './registry-context.ts';

/** Gives devices to customers and takes them back, in storage and in the registry of connections. */
export class DeviceAssignment {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Sets the customer of a device that meets `expected`; a device that does not is answered as it is.
   * The caller has checked all rights.
   */
  set(deviceId: EntityId, customerId: EntityId, expected: (device: Device) => boolean): Promise<Result<Device>> {
    const { repositories, index, locks } = this.#context;
    return locks.run(deviceId, async () => {
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const current = await repositories.device(deviceId);
        if (current === null) return refuse('notFound');
        if (current.customerId === customerId || !expected(current)) return success(current);
        const device = { ...current, customerId, version: current.version + 1 };
        const outcome = await repositories.commit([
          { kind: 'putDevice', record: storedDevice(device), expectedVersion: current.version },
        ]);
        if (outcome === 'done') {
          const registration = index.registration(deviceId);
          if (registration?.device) index.put(registration.withDevice(registration.device, customerId));
          this.#context.listeners.ownerChanged(deviceId);
          return success(device);
        }
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }
}

/** Without the members that readers derive. */
export function storedDevice(device: Device): StoredDevice {
  const { type: _type, dialect: _dialect, ...stored } = device;
  return stored;
}
