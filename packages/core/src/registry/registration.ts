import type { ApplicationRef, ConnectCredential, DeviceRef, NameHolder } from '../model/connect-registry.ts';
import type { CredentialsType, DialectId, EntityId, JsonObject } from '../model/entities.ts';
import type { AccountMembership } from './credentials/account-scope.ts';
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
  /** JSON text with the secrets of the credentials' type or of the application's dialect, sealed; null: there are none. */
  readonly sealedValue: string | null;
  /** Of X509_CERTIFICATE credentials; none by default. */
  readonly certificateHash?: string | null;
  /** Of a device that belongs to an account; none by default. */
  readonly membership?: AccountMembership | null;
}

/** Members that are the password of an application where it is not named so. */
const APPLICATION_PASSWORDS: ReadonlyMap<DialectId, string> = new Map([
  ['sensoro', 'appSecret'],
  ['thingscale', 'deviceToken'],
]);

/** What is known of a principal at CONNECT. Password and secrets are opened when first asked for and then kept. */
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
  readonly membership: AccountMembership | null;
  readonly #open: (sealed: string) => string;
  #password: string | null | undefined;
  /** The whole value, kept only where more than the password was asked for: a fleet has one for each device. */
  #value: JsonObject | null = null;

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
    this.membership = parts.membership ?? null;
    this.#open = open;
    this.#password = parts.sealedValue === null ? null : undefined;
  }

  get principalId(): EntityId {
    return this.device?.id ?? this.application?.id ?? '';
  }

  get password(): string | null {
    if (this.#password === undefined) {
      const value = this.#value ?? this.#openValue();
      this.#password = textMember(value, passwordMember(this)) ?? null;
      // Few devices are disabled, and so `enabled` takes no memory of those that are not.
      if (value.enabled === false) this.#value = value;
    }
    return this.#password;
  }

  /** `"enabled"` of the value of a device's credentials. */
  get enabled(): boolean {
    if (this.#password === undefined) void this.password;
    return this.device === null || this.#value?.enabled !== false;
  }

  /** `accountId`, and `deviceId` of THINGSCALE, need no opening; numbers and Booleans are given as text. */
  secret(member: string): string | null {
    if (this.membership !== null) {
      if (member === 'accountId') return this.membership.accountId;
      if (member === 'deviceId') return this.membership.name;
    }
    if (this.sealedValue === null) return null;
    this.#value ??= this.#openValue();
    const value = Object.hasOwn(this.#value, member) ? this.#value[member] : null;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return typeof value === 'string' ? value : null;
  }

  /** The same credential for the device as it is now. */
  withDevice(device: DeviceRef, customerId: EntityId): Registration {
    const { credentialsType, dialect, application, username, clientId, sealedValue, certificateHash, membership } =
      this;
    const identity = { credentialsType, dialect, device, application, customerId };
    return new Registration({ ...identity, username, clientId, sealedValue, certificateHash, membership }, this.#open);
  }

  #openValue(): JsonObject {
    return (this.sealedValue === null ? undefined : parseValue(this.#open(this.sealedValue))) ?? {};
  }
}

function passwordMember({ application, credentialsType, dialect }: Registration): string {
  const member = application === null ? undefined : APPLICATION_PASSWORDS.get(dialect);
  return member ?? (credentialsType === 'ALIBABA' ? ALIBABA_SECRET : 'password');
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
