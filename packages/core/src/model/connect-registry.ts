import type { CredentialsType, DialectId, EntityId, JsonObject } from './entities.ts';
import type { ProfileSettings } from './profile-settings.ts';

/** What a connection needs to know of its device; replaced as a whole when the registry changes. */
export interface DeviceRef {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly name: string;
  readonly profileId: EntityId;
  readonly gateway: boolean;
  readonly settings: ProfileSettings;
}

/** What a connection needs to know of its application. */
export interface ApplicationRef {
  readonly id: EntityId;
  readonly tenantId: EntityId;
  readonly name: string;
  readonly enabled: boolean;
  readonly configuration: JsonObject;
}

/** One credential as the dialects see it at CONNECT. Exactly one of `device` and `application` is set. */
export interface ConnectCredential {
  readonly credentialsType: CredentialsType | 'APPLICATION';
  readonly device: DeviceRef | null;
  readonly application: ApplicationRef | null;
  /** null: not part of the credential. */
  readonly username: string | null;
  readonly clientId: string | null;
  /** null: none asked for. */
  readonly password: string | null;
  /** false: the owner of the device has it refused; absent: he cannot. */
  readonly enabled?: boolean;
  /** A text member of the credential's value, sealed in the store, by its name; null: it has none. Opened when first asked for. */
  secret?(member: string): string | null;
}

/** A name presented at CONNECT and the dialect that holds it; recognition.md, section 1. */
export interface NameHolder {
  readonly dialect: DialectId;
  /** Every credential with this name; several only where the dialect allows pairs. */
  readonly credentials: readonly ConnectCredential[];
}

/** A profile that stands for a product of a vendor. */
export interface ProductRef {
  readonly profileId: EntityId;
  readonly settings: ProfileSettings;
}

/** A certificate as the client showed it, leaf or issuer. */
export interface ClientCertificate {
  /** DER in base64, without line breaks. */
  readonly text: string;
  /** SHA3-256 over `text`, lower-case hex. thingsboard-device.md, 1.4 */
  readonly hash: string;
  /** Common Name of the subject; null: it has none. */
  readonly commonName: string | null;
  /** Epoch milliseconds. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** Look-ups for CONNECT, answered from memory. Comparisons are exact. */
export interface CredentialLookup {
  byUsername(username: string): NameHolder | undefined;
  /** Credentials that consist of a Client Identifier alone. */
  byClientId(clientId: string): NameHolder | undefined;
  /** The profile that is this product of the vendor, by the name the vendor gave it. */
  product?(dialect: DialectId, name: string): ProductRef | undefined;
  /** Enabled and disabled applications of a dialect, in no order; those of one tenant if it is given. */
  applications?(dialect: DialectId, tenantId?: EntityId): readonly ConnectCredential[];
  /** An application by its id. */
  application?(id: EntityId): ConnectCredential | undefined;
  /**
   * The application of a dialect that has this secret in this member (`deviceToken`, `apiToken`), compared in upper case.
   * Both the present value and one that is still valid after a rotation are found.
   */
  applicationBySecret?(dialect: DialectId, member: string, value: string): ConnectCredential | undefined;
  /** A device whose name at the vendor is unique in an account only: THINGSCALE credentials by account and device id. */
  accountDevice?(accountId: EntityId, name: string): DeviceRef | undefined;
  /** The credential of a device, from memory. */
  ofDevice?(deviceId: EntityId): ConnectCredential | undefined;
  /** X509_CERTIFICATE credentials by `ClientCertificate.hash`. */
  byCertificate(hash: string): ConnectCredential | undefined;
  /** True if a profile provisions devices by a certificate of this hash. */
  hasCertificateProfile(hash: string): boolean;
  /**
   * The device of a chain (leaf first) whose issuer a profile trusts: an existing device gets the leaf as its
   * certificate, a missing one is created where the profile allows it. thingsboard-device.md, 1.4
   */
  deviceOfChain(
    chain: readonly ClientCertificate[],
  ): Promise<
    | { readonly outcome: 'found'; readonly device: DeviceRef }
    | { readonly outcome: 'refused'; readonly reason: string }
    | { readonly outcome: 'failed' }
  >;
}
