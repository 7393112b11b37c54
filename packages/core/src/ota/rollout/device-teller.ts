import type { Device, DeviceProfile, EntityId } from '../../model/entities.ts';
import type { OtaPackage, OtaPackageType } from '../../model/ota.ts';
import type { Repositories } from '../../ports/repositories.ts';
import type { Clock } from '../../ports/runtime.ts';
import { writeReporting } from '../../reporting/write-reporting.ts';
import { OTA_PACKAGES, packageOf } from '../package-record.ts';
import type { DeviceValues, Written } from './device-values.ts';
import { reportingText, WORK_KINDS, type WorkKind } from './device-work.ts';
import { writePackage } from './write-package.ts';

export interface DeviceTellerOptions {
  readonly repositories: Pick<Repositories, 'device' | 'profile' | 'document'>;
  readonly values: DeviceValues;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Tells devices what they and their profile say now. One is made for each round of work, after the work was read: what
 * it keeps of profiles and packages is never older than the work.
 */
export class DeviceTeller {
  readonly #options: DeviceTellerOptions;
  readonly #profiles = new Map<EntityId, Promise<DeviceProfile | null>>();
  readonly #packages = new Map<EntityId, Promise<OtaPackage | null>>();

  constructor(options: DeviceTellerOptions) {
    this.#options = options;
  }

  /** `done` also for a device that is gone and for what its store refuses; `later`: the store has no room or no answer. */
  async tell(deviceId: EntityId, kinds: ReadonlySet<WorkKind>, queuedAt: number): Promise<'done' | 'later'> {
    const { repositories } = this.#options;
    const device = await repositories.device(deviceId);
    if (device === null) return 'done';
    const profile = await remembered(this.#profiles, device.deviceProfileId, (id) => repositories.profile(id));
    if (profile === null) return 'done';
    for (const kind of WORK_KINDS) {
      if (!kinds.has(kind)) continue;
      const written = await this.#tellOne(device, profile, kind, queuedAt);
      if (written === 'full' || written === 'failed') return 'later';
    }
    return 'done';
  }

  async #tellOne(device: Device, profile: DeviceProfile, kind: WorkKind, queuedAt: number): Promise<Written> {
    const { values, clock } = this.#options;
    if (kind === 'REPORTING') return writeReporting(values, device, reportingText(profile));
    const assigned = await this.#assigned(device, profile, kind);
    return writePackage(values, device, kind, assigned, { queuedAt, now: clock.now() });
  }

  /** The device's own package beats the profile's. */
  async #assigned(device: Device, profile: DeviceProfile, type: OtaPackageType): Promise<OtaPackage | null> {
    const id =
      type === 'FIRMWARE' ? (device.firmwareId ?? profile.firmwareId) : (device.softwareId ?? profile.softwareId);
    if (id === null) return null;
    return remembered(this.#packages, id, async () => {
      const record = await this.#options.repositories.document(OTA_PACKAGES, id);
      return record === null ? null : packageOf(record);
    });
  }
}

function remembered<T>(known: Map<EntityId, Promise<T>>, id: EntityId, read: (id: EntityId) => Promise<T>): Promise<T> {
  let value = known.get(id);
  if (value === undefined) {
    value = read(id);
    known.set(id, value);
  }
  return value;
}
