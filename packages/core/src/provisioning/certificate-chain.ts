import type { PlatformError } from '../errors.ts';
import type { ClientCertificate, CredentialLookup, DeviceRef } from '../model/connect-registry.ts';
import type { CredentialsInput } from '../platform.ts';
import { platformCaller } from '../registry/authorize.ts';
import { MAX_COMMON_NAME_LENGTH, nameFromCommonName } from '../registry/certificate-name-pattern.ts';
import type { DeviceWrites } from '../registry/device-writes.ts';
import type { ProvisioningProfile } from '../registry/provisioning-profiles.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { newDeviceInput, storeOutcome } from './device-creation.ts';

type ChainOutcome = Awaited<ReturnType<CredentialLookup['deviceOfChain']>>;

/** Certificates of a chain that are looked at; a longer one is refused. */
const MAX_CHAIN_LENGTH = 10;

/** Finds the device of a certificate chain, or makes it where its profile says so. thingsboard-device.md, 1.4 */
export class CertificateChains {
  readonly #context: RegistryContext;
  readonly #writes: DeviceWrites;

  constructor(context: RegistryContext, writes: DeviceWrites) {
    this.#context = context;
    this.#writes = writes;
  }

  /** Leaf first; signatures and dates have been checked. A device that shows the certificate it has is found in memory. */
  async deviceOfChain(chain: readonly ClientCertificate[]): Promise<ChainOutcome> {
    const [leaf] = chain;
    if (leaf === undefined) return refused('no certificate was shown');
    if (chain.length > MAX_CHAIN_LENGTH) return refused('the certificate chain is too long');
    const { index, provisioningProfiles } = this.#context;
    for (const { hash } of chain) {
      const device = index.byCertificate(hash)?.device;
      if (device) return { outcome: 'found', device };
      const profile = provisioningProfiles.byKey(hash);
      if (profile?.strategy === 'X509_CERTIFICATE_CHAIN') return this.#provision(profile, leaf);
    }
    return refused('the certificate is not known');
  }

  async #provision(profile: ProvisioningProfile, leaf: ClientCertificate): Promise<ChainOutcome> {
    const { commonName } = leaf;
    if (commonName === null) return refused('the certificate has no Common Name');
    if (commonName.length > MAX_COMMON_NAME_LENGTH) {
      return refused(`the Common Name is longer than ${MAX_COMMON_NAME_LENGTH} characters`);
    }
    const name = profile.namePattern === null ? null : nameFromCommonName(profile.namePattern, commonName);
    if (name === null || name.trim() === '') return refused('the Common Name has no device name in it');
    return this.#context.locks.run(`provisioning of ${profile.tenantId} ${name}`, async () => {
      const { index } = this.#context;
      const present = index.deviceRefByName(profile.tenantId, name);
      if (present !== undefined) return this.#replace(profile, present, leaf);
      if (!profile.createsDevices) return refused('the device does not exist and its profile creates none');
      const created = await this.#writes.create(
        platformCaller(profile.tenantId),
        newDeviceInput(name, { id: profile.profileId }, null),
        certificateInput(leaf, null),
      );
      return created.ok ? found(index.deviceRef(created.value.id)) : notDone(created);
    });
  }

  /** Gives an existing device of the profile the certificate that it shows now. */
  async #replace(profile: ProvisioningProfile, device: DeviceRef, leaf: ClientCertificate): Promise<ChainOutcome> {
    const { index, repositories } = this.#context;
    if (device.profileId !== profile.profileId) return refused('the device of this name has another profile');
    // Another connection of the same certificate may just have done it.
    if (index.byCertificate(leaf.hash)?.device?.id === device.id) return found(device);
    const current = await repositories.credentials(device.id);
    if (current === null) return refused('the device has no credentials');
    const caller = platformCaller(profile.tenantId);
    const saved = await this.#writes.saveCredentials(caller, device.id, certificateInput(leaf, current.id));
    return saved.ok ? found(index.deviceRef(device.id)) : notDone(saved);
  }
}

function certificateInput({ text }: ClientCertificate, id: string | null): CredentialsInput {
  return { id, credentialsType: 'X509_CERTIFICATE', credentialsId: null, credentialsValue: text, version: null };
}

function found(device: DeviceRef | undefined): ChainOutcome {
  return device === undefined ? refused('the device has just been removed') : { outcome: 'found', device };
}

function refused(reason: string): ChainOutcome {
  return { outcome: 'refused', reason };
}

function notDone(refusal: PlatformError): ChainOutcome {
  return storeOutcome(refusal) === null ? refused(refusal.message) : { outcome: 'failed' };
}
