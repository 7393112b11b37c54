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
}

/** A name presented at CONNECT and the dialect that holds it; recognition.md, section 1. */
export interface NameHolder {
  readonly dialect: DialectId;
  /** Every credential with this name; several only where the dialect allows pairs. */
  readonly credentials: readonly ConnectCredential[];
}

/** Look-ups for CONNECT, answered from memory. Comparisons are exact. */
export interface CredentialLookup {
  byUsername(username: string): NameHolder | undefined;
  /** Credentials that consist of a Client Identifier alone. */
  byClientId(clientId: string): NameHolder | undefined;
}
