import type {
  Application,
  Authority,
  CredentialsType,
  Device,
  DeviceCredentials,
  DeviceProfile,
  DialectId,
  EntityId,
  Tenant,
  User,
} from '../model/entities.ts';
import type { OtaPackageType } from '../model/ota.ts';
import type { DocumentChange, DocumentReaders } from './documents.ts';

/** A user with the hash of its password; null: no password set yet, so no login. */
export interface StoredUser extends User {
  readonly passwordHash: string | null;
}

/** A device as it is written. `type` and `dialect` are derived by the reader from the profile and the credentials. */
export type StoredDevice = Omit<Device, 'type' | 'dialect'>;

/**
 * Credentials as they are kept. A `credentialsValue` that holds a password (MQTT_BASIC, PLAIN) is text made by
 * `Crypto.seal`; certificates are public and access tokens are names that the API returns, so both are kept as they are.
 */
export interface StoredCredentials extends DeviceCredentials {
  /**
   * Unique on the server. Of types whose devices belong to an account `account/name`, as registry/credentials/account-scope.ts
   * makes it; the API shows the name alone.
   */
  readonly credentialsId: string;
  readonly dialect: DialectId;
  /** `credentialsValue` is sealed; it is needed at CONNECT then. */
  readonly sealed: boolean;
  /** User Name shown at CONNECT; null: not part of the credential. */
  readonly username: string | null;
  /** Client Identifier shown at CONNECT; null: not part of the credential. */
  readonly clientId: string | null;
}

/** An application as it is kept: the secrets are one JSON text made by `Crypto.seal`. */
export interface StoredApplication extends Omit<Application, 'credentials'> {
  readonly username: string | null;
  readonly sealedCredentials: string;
}

/** The two lists of names for the whole server. recognition.md, section 1 */
export type NameList = 'username' | 'clientId';

/** A name that a credential or an application occupies in one of the lists. */
export interface NameClaim {
  readonly list: NameList;
  readonly name: string;
  readonly dialect: DialectId;
  /** Not shared even inside its dialect. */
  readonly exclusive: boolean;
}

/**
 * One plain change. `expectedVersion` null: the record must not exist yet; a number: the stored record has this
 * version. Credentials and applications bring the names they occupy; their former names become free in the same commit.
 */
export type Change =
  | { readonly kind: 'putTenant'; readonly record: Tenant }
  /** `version`: there is no such tenant. */
  | { readonly kind: 'renameTenant'; readonly id: EntityId; readonly name: string }
  /** `inUse` while the tenant has users, profiles, devices, applications or documents. */
  | { readonly kind: 'deleteTenant'; readonly id: EntityId }
  /** Deletes at most `limit` documents of a tenant, whatever their collection. */
  | { readonly kind: 'deleteTenantDocuments'; readonly tenantId: EntityId; readonly limit: number }
  | { readonly kind: 'putUser'; readonly record: StoredUser; readonly expectedVersion: number | null }
  | { readonly kind: 'putProfile'; readonly record: DeviceProfile; readonly expectedVersion: number | null }
  | { readonly kind: 'deleteProfile'; readonly id: EntityId; readonly expectedVersion: number }
  | { readonly kind: 'putDevice'; readonly record: StoredDevice; readonly expectedVersion: number | null }
  /** Removes the credentials as well and marks the owner for removal, at `time` (epoch milliseconds). */
  | {
      readonly kind: 'deleteDevice';
      readonly id: EntityId;
      readonly expectedVersion: number;
      readonly time: number;
    }
  | {
      readonly kind: 'putCredentials';
      readonly record: StoredCredentials;
      readonly expectedVersion: number | null;
      readonly names: readonly NameClaim[];
    }
  | {
      readonly kind: 'putApplication';
      readonly record: StoredApplication;
      readonly expectedVersion: number | null;
      readonly names: readonly NameClaim[];
    }
  | { readonly kind: 'deleteApplication'; readonly id: EntityId; readonly expectedVersion: number }
  /** The other stores hold nothing of this owner any more. */
  | { readonly kind: 'deleteRemoval'; readonly ownerId: EntityId }
  /** Overwrites. Secrets are sealed by the caller. */
  | { readonly kind: 'putSetting'; readonly key: string; readonly value: string }
  /** `expectedVersion` null: whatever is there, also nothing. */
  | { readonly kind: 'deleteUser'; readonly id: EntityId; readonly expectedVersion: number | null }
  | DocumentChange;

/** Members that are unique, and in which scope: tenant name and e-mail on the server, names in the tenant. */
export type UniqueMember =
  | 'tenantName'
  | 'email'
  | 'profileName'
  | 'defaultProfile'
  | 'deviceName'
  | 'deviceCredentials'
  | 'credentialsId'
  | 'provisionDeviceKey';

/** A precondition did not hold and nothing of the commit was applied. `change` is the index of the first such change. */
export type Conflict = { readonly change: number } & (
  | /** Another version is stored, or none. */ { readonly kind: 'version' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'unique'; readonly member: UniqueMember }
  | /** Another document has the same values in these members. */ {
      readonly kind: 'uniqueDocument';
      readonly members: readonly string[];
    }
  | /** A record that this one refers to is missing. */ { readonly kind: 'reference' }
  | /** Other records refer to this one. */ { readonly kind: 'inUse' }
  | { readonly kind: 'name'; readonly claim: NameClaim; readonly holder: DialectId }
);

/** `full`: no room, nothing was applied. `failed`: the store did not answer, nothing may be assumed. */
export type CommitOutcome = 'done' | Conflict | 'full' | 'failed';

/** Members a list may be sorted by. Text is compared in lower case, by code point; equal rows are ordered by id. */
export const SORT_MEMBERS = {
  device: ['id', 'createdTime', 'name', 'label', 'type'],
  profile: ['id', 'createdTime', 'name', 'transportType'],
  application: ['id', 'createdTime', 'name', 'dialect'],
  user: ['id', 'createdTime', 'email', 'firstName', 'lastName'],
} as const;

export type DeviceSort = (typeof SORT_MEMBERS.device)[number];
export type ProfileSort = (typeof SORT_MEMBERS.profile)[number];
export type UserSort = (typeof SORT_MEMBERS.user)[number];
export type ApplicationSort = (typeof SORT_MEMBERS.application)[number];

/** Part of a list, counted from `offset`. */
export interface ListQuery<Sort extends string> {
  /** null: all tenants. */
  readonly tenantId: EntityId | null;
  readonly offset: number;
  readonly limit: number;
  /** Part of the name, or of the label of a device, in any case; no wildcards. null: all. */
  readonly textSearch: string | null;
  readonly sort: Sort;
  readonly descending: boolean;
}

export interface DeviceRecordQuery extends ListQuery<DeviceSort> {
  readonly customerId: EntityId | null;
  readonly profileId: EntityId | null;
}

/** `textSearch` looks into the e-mail and both names. */
export interface UserRecordQuery extends ListQuery<UserSort> {
  readonly customerId: EntityId | null;
  readonly authority: Authority | null;
}

/** Devices one after the other by id, for work on many of them. */
export interface DeviceIdQuery {
  readonly tenantId: EntityId;
  /** null: of any. */
  readonly profileId: EntityId | null;
  readonly customerId: EntityId | null;
  /** Only devices without a package of their own of this type; null: all. */
  readonly withoutPackage: OtaPackageType | null;
  /** Only ids above this one; null: from the first. */
  readonly after: EntityId | null;
  readonly limit: number;
}

export interface RecordPage<T> {
  readonly records: readonly T[];
  /** All records that match, not only those of this page. */
  readonly total: number;
}

/** What the connect registry keeps of a device, for loading all of them at start. */
export interface FleetRow {
  readonly deviceId: EntityId;
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  readonly name: string;
  readonly profileId: EntityId;
  readonly gateway: boolean;
  /** null: the device has no credentials. */
  readonly credentialsType: CredentialsType | null;
  /** As it is stored, with the account where the type has one. */
  readonly credentialsId: string | null;
  readonly username: string | null;
  readonly clientId: string | null;
  /** `credentialsValue` where it is sealed; else null. */
  readonly sealedValue: string | null;
}

/** Reads see every commit that has resolved. They reject when the store cannot be read. */
export interface RepoReaders extends DocumentReaders {
  tenant(id: EntityId): Promise<Tenant | null>;
  tenantByName(name: string): Promise<Tenant | null>;
  /** Documents of a tenant in all collections together. */
  tenantDocuments(tenantId: EntityId): Promise<number>;
  user(id: EntityId): Promise<StoredUser | null>;
  /** The e-mail in lower case. */
  userByEmail(email: string): Promise<StoredUser | null>;
  users(query: UserRecordQuery): Promise<RecordPage<StoredUser>>;
  /** True if any user has a password. */
  hasPassword(): Promise<boolean>;
  profile(id: EntityId): Promise<DeviceProfile | null>;
  profileByName(tenantId: EntityId, name: string): Promise<DeviceProfile | null>;
  defaultProfile(tenantId: EntityId): Promise<DeviceProfile | null>;
  profileByProvisionKey(provisionDeviceKey: string): Promise<DeviceProfile | null>;
  /** Ascending by id. */
  deviceIds(query: DeviceIdQuery): Promise<readonly EntityId[]>;
  /** How many devices `deviceIds` would give in all. */
  deviceCount(query: Omit<DeviceIdQuery, 'after' | 'limit'>): Promise<number>;
  /** True if a device or a profile refers to the package. */
  packageInUse(packageId: EntityId): Promise<boolean>;
  profiles(query: ListQuery<ProfileSort>): Promise<RecordPage<DeviceProfile>>;
  device(id: EntityId): Promise<Device | null>;
  deviceByName(tenantId: EntityId, name: string): Promise<Device | null>;
  /** Those that exist, in no particular order. At most 1,000 ids. */
  devicesByIds(ids: readonly EntityId[]): Promise<readonly Device[]>;
  devices(query: DeviceRecordQuery): Promise<RecordPage<Device>>;
  /** Names of the profiles that devices of the tenant (and of the customer, unless null) have, ascending. Never asked for NULL_ID. */
  deviceTypes(tenantId: EntityId, customerId: EntityId | null): Promise<readonly string[]>;
  credentials(deviceId: EntityId): Promise<StoredCredentials | null>;
  application(id: EntityId): Promise<StoredApplication | null>;
  applications(query: ListQuery<ApplicationSort>): Promise<RecordPage<StoredApplication>>;
  /** Owners whose data other stores may still hold, oldest first. */
  removals(): Promise<readonly EntityId[]>;
  setting(key: string): Promise<string | null>;
  /** Devices with an id above `after` (null: from the first), ascending by id, at most `limit`. */
  fleet(after: EntityId | null, limit: number): Promise<readonly FleetRow[]>;
}

/**
 * The truth about what exists. A use case reads, decides, and sends one `commit` of plain changes with their
 * preconditions; a conflict makes it read again. No transaction is open in between. storage.md, section 7
 */
export interface Repositories extends RepoReaders {
  /** Same text in every file of this installation; made at first start. */
  readonly installationId: string;
  /** All changes in their order, or none; `done` when durable. */
  commit(changes: readonly Change[]): Promise<CommitOutcome>;
}
