import type {
  ClientCertificate,
  ConnectCredential,
  CredentialLookup,
  NameHolder,
  ProductRef,
} from '../model/connect-registry.ts';
import type { DialectId } from '../model/entities.ts';
import type { CertificateChains } from '../provisioning/certificate-chain.ts';
import type { ConnectIndex } from './connect-index.ts';
import type { ProvisioningProfiles } from './provisioning-profiles.ts';

/** The look-ups for CONNECT over everything that is kept in memory for them. */
export class RegistryCredentialLookup implements CredentialLookup {
  readonly #index: ConnectIndex;
  readonly #profiles: ProvisioningProfiles;
  readonly #chains: CertificateChains;
  readonly #report: (error: unknown) => void;

  constructor(
    index: ConnectIndex,
    profiles: ProvisioningProfiles,
    chains: CertificateChains,
    report: (error: unknown) => void,
  ) {
    this.#index = index;
    this.#profiles = profiles;
    this.#chains = chains;
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
