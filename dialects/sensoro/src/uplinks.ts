import type { ApplicationRef, Completion, EntityId } from '@moorage/core';
import { devicesOf } from './applications.ts';
import type { DeviceDirectory } from './open-api/device-directory.ts';
import type { SensoroPlatform } from './ports.ts';
import type { UplinkWork } from './uplink.ts';

export interface UplinksOptions {
  readonly platform: SensoroPlatform;
  readonly directory: DeviceDirectory;
  readonly count: (event: string, amount: number) => void;
  readonly fault: (error: unknown) => void;
}

interface Line {
  work: Promise<void>;
  waiting: number;
}

/** Readings of one application that wait until their device is found. */
const MAXIMUM_WAITING = 1_000;

/** Stores readings that applications bring in, those of one application in their order. sensoro.md, 4.4 */
export class Uplinks {
  readonly #options: UplinksOptions;
  readonly #lines = new Map<EntityId, Line>();

  constructor(options: UplinksOptions) {
    this.#options = options;
  }

  /** Holds the completion; a device that is not there, or not the application's, is counted and acknowledged. */
  take(application: ApplicationRef, work: UplinkWork, completion: Completion): void {
    completion.hold();
    const line = this.#lines.get(application.id) ?? { work: Promise.resolve(), waiting: 0 };
    if (line.waiting >= MAXIMUM_WAITING) {
      this.#options.count('sensoro_uplink_overflow', 1);
      completion.release('failed');
      return;
    }
    this.#lines.set(application.id, line);
    line.waiting++;
    line.work = line.work.then(async () => {
      await this.#store(application, work, completion);
      line.waiting--;
      if (line.waiting === 0) this.#lines.delete(application.id);
    });
  }

  async #store(application: ApplicationRef, work: UplinkWork, completion: Completion): Promise<void> {
    const { platform, directory, count, fault } = this.#options;
    const { tenantId, configuration } = application;
    try {
      const found = await directory.find({ tenantId, devices: devicesOf(configuration) }, work.serial);
      const device = found === undefined ? undefined : platform.device(found.id);
      if (device === undefined) count('sensoro_uplink_unknown', 1);
      else platform.uplink(device, work.points, completion);
      completion.release('stored');
    } catch (error) {
      fault(error);
      completion.release('failed');
    }
  }
}
