import type { OtaDownloads } from '../device-platform.ts';
import type { EntityId } from '../model/entities.ts';
import type { OtaDownload, OtaPackage, OtaPackageType, OtaUnavailable } from '../model/ota.ts';
import type { RegistryListener } from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import { downloadOf } from './download.ts';
import type { PackageChoice } from './package-choice.ts';
import { OTA_PACKAGES, packageOf } from './package-record.ts';
import { ReadCache } from './read-cache.ts';
import type { SharedBlobs } from './shared-blobs.ts';

const MAX_DEVICES = 20_000;
const MAX_PROFILES = 1000;
const MAX_PACKAGES = 1000;

export interface DeviceDownloadsOptions {
  readonly repositories: Pick<Repositories, 'device' | 'profile' | 'document'>;
  readonly readers: SharedBlobs;
}

/**
 * The package of a device, asked for by all devices of a profile at once: what is assigned is kept in memory and
 * forgotten when the registry tells of a change, and one open file serves all. Listens to the registry.
 */
export class DeviceDownloads implements OtaDownloads, RegistryListener {
  readonly #options: DeviceDownloadsOptions;
  readonly #devices = new ReadCache<(PackageChoice & { readonly profileId: EntityId }) | null>(MAX_DEVICES);
  readonly #profiles = new ReadCache<PackageChoice | null>(MAX_PROFILES);
  readonly #packages = new ReadCache<OtaPackage | null>(MAX_PACKAGES);

  constructor(options: DeviceDownloadsOptions) {
    this.#options = options;
  }

  async open(deviceId: EntityId, type: OtaPackageType): Promise<OtaDownload | OtaUnavailable> {
    const assigned = await this.#assigned(deviceId, type);
    if (assigned === null) return 'notFound';
    if (assigned.url !== null) return 'elsewhere';
    return (await downloadOf(assigned, this.#options.readers)) ?? 'notFound';
  }

  revoked(principalId: EntityId): void {
    this.#devices.forget(principalId);
  }

  deviceChanged(device: { readonly id: EntityId }): void {
    this.#devices.forget(device.id);
  }

  sharedAttributesChanged(): void {}

  assignmentChanged(deviceId: EntityId): void {
    this.#devices.forget(deviceId);
  }

  profileChanged(profileId: EntityId): void {
    this.#profiles.forget(profileId);
  }

  async #assigned(deviceId: EntityId, type: OtaPackageType): Promise<OtaPackage | null> {
    const device = await this.#devices.get(deviceId, () => this.#device(deviceId), isPresent);
    if (device === null) return null;
    const own = idOf(device, type);
    const id = own ?? (await this.#profileChoice(device.profileId, type));
    return id === null ? null : this.#packages.get(id, () => this.#package(id), isPresent);
  }

  async #profileChoice(profileId: EntityId, type: OtaPackageType): Promise<EntityId | null> {
    const profile = await this.#profiles.get(profileId, () => this.#profile(profileId), isPresent);
    return profile === null ? null : idOf(profile, type);
  }

  async #device(id: EntityId): Promise<(PackageChoice & { readonly profileId: EntityId }) | null> {
    const device = await this.#options.repositories.device(id);
    if (device === null) return null;
    const { firmwareId, softwareId, deviceProfileId } = device;
    return { firmwareId, softwareId, profileId: deviceProfileId };
  }

  async #profile(id: EntityId): Promise<PackageChoice | null> {
    const profile = await this.#options.repositories.profile(id);
    return profile === null ? null : { firmwareId: profile.firmwareId, softwareId: profile.softwareId };
  }

  /** Without `additionalInfo`, which may be large. What is assigned has its file and does not change any more. */
  async #package(id: EntityId): Promise<OtaPackage | null> {
    const record = await this.#options.repositories.document(OTA_PACKAGES, id);
    return record === null ? null : { ...packageOf(record), additionalInfo: null };
  }
}

function idOf(choice: PackageChoice, type: OtaPackageType): EntityId | null {
  return type === 'FIRMWARE' ? choice.firmwareId : choice.softwareId;
}

function isPresent(value: unknown): boolean {
  return value !== null;
}
