import type { DeviceRef } from '../../model/connect-registry.ts';
import type { EntityId } from '../../model/entities.ts';
import { DeviceRules } from './device-rules.ts';

/** Devices looked at for letting go when one is added, so that a full memory costs no long pause. */
const LOOKED_AT = 16;

/** The devices in memory; those that nothing was heard of go first when there are too many. */
export class ResidentDevices {
  readonly #devices = new Map<EntityId, DeviceRules>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#devices.size;
  }

  get(id: EntityId): DeviceRules | undefined {
    return this.#devices.get(id);
  }

  all(): Iterable<DeviceRules> {
    return this.#devices.values();
  }

  ensure(ref: DeviceRef): DeviceRules {
    const known = this.#devices.get(ref.id);
    if (known !== undefined) {
      known.used = true;
      return known;
    }
    if (this.#devices.size >= this.#most) this.#letGo();
    const device = new DeviceRules(ref);
    this.#devices.set(ref.id, device);
    return device;
  }

  delete(id: EntityId): void {
    this.#devices.delete(id);
  }

  /** What has nothing to do and nothing to store can be read again when it is needed. */
  #letGo(): void {
    let looked = 0;
    for (const [id, device] of this.#devices) {
      if (looked++ >= LOOKED_AT) return;
      this.#devices.delete(id);
      if (!device.used && device.idle && device.due === null) continue;
      device.used = false;
      this.#devices.set(id, device);
    }
  }
}
