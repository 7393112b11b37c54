import type { DeviceProfile, EntityId } from '../model/entities.ts';
import { compileNamePattern } from './certificate-name-pattern.ts';
import { provisionConfigurationOf } from './provision-configuration.ts';

/** A profile that gives identities to devices. thingsboard-device.md, 6.1 */
export interface ProvisioningProfile {
  readonly profileId: EntityId;
  readonly tenantId: EntityId;
  readonly strategy: 'ALLOW_CREATE_NEW_DEVICES' | 'CHECK_PRE_PROVISIONED_DEVICES' | 'X509_CERTIFICATE_CHAIN';
  /** Secret of the profile; for the chain strategy the issuer's certificate. */
  readonly secret: string;
  /** For the chain strategy: takes the device's name from the Common Name. */
  readonly namePattern: RegExp | null;
  /** For the chain strategy: missing devices are created. */
  readonly createsDevices: boolean;
}

/** Every profile that provisions, by `provisionDeviceKey`; for the chain strategy the key is the issuer's hash. */
export class ProvisioningProfiles {
  readonly #byKey = new Map<string, ProvisioningProfile>();
  readonly #keys = new Map<EntityId, string>();

  byKey(provisionDeviceKey: string): ProvisioningProfile | undefined {
    return this.#byKey.get(provisionDeviceKey);
  }

  /** Enters a saved profile, or takes it out when it does not provision. */
  put(profile: DeviceProfile): void {
    this.remove(profile.id);
    const { provisionDeviceKey } = profile;
    const entry = entryOf(profile);
    if (entry === undefined || provisionDeviceKey === null) return;
    this.#byKey.set(provisionDeviceKey, entry);
    this.#keys.set(profile.id, provisionDeviceKey);
  }

  remove(profileId: EntityId): void {
    const key = this.#keys.get(profileId);
    if (key === undefined) return;
    this.#keys.delete(profileId);
    // Another profile may have taken the key over meanwhile.
    if (this.#byKey.get(key)?.profileId === profileId) this.#byKey.delete(key);
  }
}

function entryOf(profile: DeviceProfile): ProvisioningProfile | undefined {
  const { provisionType: strategy } = profile;
  const isKnown =
    strategy === 'ALLOW_CREATE_NEW_DEVICES' ||
    strategy === 'CHECK_PRE_PROVISIONED_DEVICES' ||
    strategy === 'X509_CERTIFICATE_CHAIN';
  const {
    provisionDeviceSecret: secret,
    certificateRegExPattern,
    allowCreateNewDevicesByX509Certificate,
  } = provisionConfigurationOf(profile.profileData);
  if (!isKnown || typeof secret !== 'string' || secret === '') return undefined;
  const pattern = typeof certificateRegExPattern === 'string' ? compileNamePattern(certificateRegExPattern) : null;
  return {
    profileId: profile.id,
    tenantId: profile.tenantId,
    strategy,
    secret,
    namePattern: pattern,
    createsDevices: allowCreateNewDevicesByX509Certificate === true,
  };
}
