import type { ApplicationRef, ConnectCredential, DeviceRef, NameHolder } from '../model/connect-registry.ts';
import type { CredentialsType, DialectId, EntityId } from '../model/entities.ts';
import { ALIBABA_SECRET } from './credentials/alibaba.ts';
import { parseValue, textMember } from './credentials/value-text.ts';

/** Everything of a registration but what is derived. Exactly one of `device` and `application` is set. */
export interface RegistrationParts {
  readonly credentialsType: CredentialsType | 'APPLICATION';
  readonly dialect: DialectId;
  readonly device: DeviceRef | null;
  readonly application: ApplicationRef | null;
  /** The device's; null id for applications. */
  readonly customerId: EntityId;
  readonly username: string | null;
  readonly clientId: string | null;
  /** JSON text with a member `password` (the secret of the credentials' type), sealed; null: none is asked for. */
  readonly sealedValue: string | null;
  /** Of X509_CERTIFICATE credentials; none by default. */
  readonly certificateHash?: string | null;
}

/** What is known of a principal at CONNECT. The password is opened when first asked for and then kept. */
export class Registration implements ConnectCredential {
  readonly credentialsType: CredentialsType | 'APPLICATION';
  readonly dialect: DialectId;
  readonly device: DeviceRef | null;
  readonly application: ApplicationRef | null;
  readonly customerId: EntityId;
  readonly username: string | null;
  readonly clientId: string | null;
  readonly sealedValue: string | null;
  readonly certificateHash: string | null;
  readonly #open: (sealed: string) => string;
  #password: string | null | undefined;

  constructor(parts: RegistrationParts, open: (sealed: string) => string) {
    this.credentialsType = parts.credentialsType;
    this.dialect = parts.dialect;
    this.device = parts.device;
    this.application = parts.application;
    this.customerId = parts.customerId;
    this.username = parts.username;
    this.clientId = parts.clientId;
    this.sealedValue = parts.sealedValue;
    this.certificateHash = parts.certificateHash ?? null;
    this.#open = open;
    this.#password = parts.sealedValue === null ? null : undefined;
  }

  get principalId(): EntityId {
    return this.device?.id ?? this.application?.id ?? '';
  }

  get password(): string | null {
    if (this.#password === undefined) {
      const value = this.sealedValue === null ? undefined : parseValue(this.#open(this.sealedValue));
      this.#password = (value === undefined ? null : textMember(value, secretMember(this))) ?? null;
    }
    return this.#password;
  }

  /** The same credential for the device as it is now. */
  withDevice(device: DeviceRef, customerId: EntityId): Registration {
    const { credentialsType, dialect, application, username, clientId, sealedValue, certificateHash } = this;
    return new Registration(
      { credentialsType, dialect, device, application, customerId, username, clientId, sealedValue, certificateHash },
      this.#open,
    );
  }
}

function secretMember({ credentialsType }: Registration): string {
  return credentialsType === 'ALIBABA' ? ALIBABA_SECRET : 'password';
}

/**
 * The credentials under one name: all of one dialect, told apart by their Client Identifiers. Entering, leaving and
 * comparing cost the same for one holder as for a fleet that shares a user name.
 */
export class NameEntries implements NameHolder {
  readonly dialect: DialectId;
  readonly #byClientId = new Map<string | null, Registration>();
  #credentials: readonly Registration[] | null = null;

  constructor(dialect: DialectId) {
    this.dialect = dialect;
  }

  get credentials(): readonly Registration[] {
    this.#credentials ??= [...this.#byClientId.values()];
    return this.#credentials;
  }

  get size(): number {
    return this.#byClientId.size;
  }

  get(clientId: string | null): Registration | undefined {
    return this.#byClientId.get(clientId);
  }

  /** One of them. */
  first(): Registration | undefined {
    return this.#byClientId.values().next().value;
  }

  set(registration: Registration): void {
    this.#byClientId.set(registration.clientId, registration);
    this.#credentials = null;
  }

  delete(registration: Registration): void {
    if (this.#byClientId.get(registration.clientId) !== registration) return;
    this.#byClientId.delete(registration.clientId);
    this.#credentials = null;
  }
}
