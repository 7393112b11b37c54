import type {
  ClientCertificate,
  ConnectCredential,
  CredentialLookup,
  DeviceRef,
  NameHolder,
  ProductRef,
} from '../model/connect-registry.ts';
import type { DialectId, EntityId } from '../model/entities.ts';
import type { Clock } from '../ports/runtime.ts';
import type { CertificateChains } from '../provisioning/certificate-chain.ts';
import type { ConnectIndex } from './connect-index.ts';
import type { ProvisioningProfiles } from './provisioning-profiles.ts';

/** The look-ups for CONNECT over everything that is kept in memory for them. */
export class RegistryCredentialLookup implements CredentialLookup {
  readonly #index: ConnectIndex;
  readonly #profiles: ProvisioningProfiles;
  readonly #chains: CertificateChains;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #report: (error: unknown) => void;

  constructor(
    index: ConnectIndex,
    profiles: ProvisioningProfiles,
    chains: CertificateChains,
    clock: Pick<Clock, 'now'>,
    report: (error: unknown) => void,
  ) {
    this.#index = index;
    this.#profiles = profiles;
    this.#chains = chains;
    this.#clock = clock;
    this.#report = report;
  }

  byUsername(username: string): NameHolder | undefined {
    return this.#index.byUsername(username);
  }

  byClientId(clientId: string): NameHolder | undefined {
    return this.#index.byClientId(clientId);
  }

  product(dialect: DialectId, name: string): ProductRef | undefined {
    const profileId = this.#index.products.profileOf(dialect, name);
    return profileId === undefined ? undefined : { profileId, settings: this.#index.settingsOf(profileId) };
  }

  applications(dialect: DialectId, tenantId?: EntityId): readonly ConnectCredential[] {
    return this.#index.applications.of(dialect, tenantId);
  }

  application(id: EntityId): ConnectCredential | undefined {
    const found = this.#index.registration(id);
    return found?.application ? found : undefined;
  }

  applicationBySecret(dialect: DialectId, member: string, value: string): ConnectCredential | undefined {
    const id = this.#index.applications.secrets.find(dialect, member, value, this.#clock.now());
    return id === undefined ? undefined : this.application(id);
  }

  accountDevice(accountId: EntityId, name: string): DeviceRef | undefined {
    const found = this.#index.accounts.device(accountId, name);
    return found?.credentialsType === 'THINGSCALE' ? (found.device ?? undefined) : undefined;
  }

  ofDevice(deviceId: EntityId): ConnectCredential | undefined {
    const found = this.#index.registration(deviceId);
    return found?.device ? found : undefined;
  }

  byCertificate(hash: string): ConnectCredential | undefined {
    return this.#index.byCertificate(hash);
  }

  hasCertificateProfile(hash: string): boolean {
    return this.#profiles.byKey(hash)?.strategy === 'X509_CERTIFICATE_CHAIN';
  }

  /** Never rejects. */
  async deviceOfChain(chain: readonly ClientCertificate[]): ReturnType<CredentialLookup['deviceOfChain']> {
    try {
      return await this.#chains.deviceOfChain(chain);
    } catch (error) {
      this.#report(error);
      return { outcome: 'failed' };
    }
  }
}
