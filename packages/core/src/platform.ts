import type { UserTokenKind } from './accounts/user-tokens.ts';
import type { AlarmService } from './alarms/alarm-service.ts';
import type { ApiKeyService } from './api-keys/api-key.ts';
import type { AssetService } from './assets/asset-service.ts';
import type { AuditService } from './audit/audit-log.ts';
import type { BulkImportService } from './bulk-import/bulk-import-service.ts';
import type { Customer, CustomerContact } from './customers/customer.ts';
import type { DashboardService } from './dashboards/dashboard-service.ts';
import type { EntityQueryService } from './entity-query/entity-queries.ts';
import type { Result } from './errors.ts';
import type { DeviceLinkService } from './links/link.ts';
import type { LiveService } from './live/live-service.ts';
import type { ConnectCredential, CredentialLookup, DeviceRef } from './model/connect-registry.ts';
import type {
  Application,
  Authority,
  CredentialsType,
  Device,
  DeviceCredentials,
  DeviceProfile,
  DialectId,
  EntityId,
  JsonObject,
  Tenant,
  User,
} from './model/entities.ts';
import type { OtaService } from './ota/ota-service.ts';
import type { AggregateFunction, Attribute, AttributeScope, StoreStatistics } from './ports/telemetry-store.ts';
import type { RelationService } from './relations/relation-service.ts';
import type { RpcService } from './rpc/rpc-service.ts';
import type { StorageService } from './storage/storage-report.ts';
import type { TenantService } from './tenants/tenant.ts';
import type { PointList } from './values/point-list.ts';
import type { Point, Value } from './values/value.ts';
import type { WebhookService } from './webhooks/webhook.ts';

/** Who calls a use case. */
export interface Caller {
  readonly userId: EntityId;
  readonly authority: Authority;
  /** NULL_ID for a system administrator. */
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  /** Anybody who knows a public customer: sees what is assigned to it and changes nothing. thingsboard-server.md, 1.1 */
  readonly isPublic?: boolean;
}

/** thingsboard-server.md, 0.4. Already validated: pageSize > 0, page >= 0. */
export interface PageQuery {
  readonly pageSize: number;
  readonly page: number;
  /** Case-insensitive part of the name (and of the label, for devices); null: all. */
  readonly textSearch: string | null;
  /** A member of the entity that may be sorted by; null: by id. Unknown members are refused. */
  readonly sortProperty: string | null;
  readonly sortOrder: 'ASC' | 'DESC';
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
}

/** A device as it is sent to be saved; `id` present means update. */
export interface DeviceInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly label: string | null;
  readonly type: string | null;
  readonly deviceProfileId: EntityId | null;
  readonly deviceData: JsonObject | null;
  /** The device's own packages; null: none, left out: as they are. */
  readonly firmwareId?: EntityId | null;
  readonly softwareId?: EntityId | null;
  readonly additionalInfo: JsonObject | null;
  /** Optimistic lock; null overwrites. */
  readonly version: number | null;
}

export interface CredentialsInput {
  /** Of the record to update; null at creation. */
  readonly id: EntityId | null;
  readonly credentialsType: CredentialsType;
  /** null: generated, where the type allows. */
  readonly credentialsId: string | null;
  readonly credentialsValue: string | null;
  readonly version: number | null;
}

/** A device with what lists show beside it. */
export interface DeviceInfo extends Device {
  readonly customerTitle: string | null;
  readonly customerIsPublic: boolean;
  readonly deviceProfileName: string;
  readonly active: boolean;
}

export interface DeviceListQuery extends PageQuery {
  /** Profile name; null: all. Beats deviceProfileId. */
  readonly type: string | null;
  readonly deviceProfileId: EntityId | null;
}

export interface DeviceService {
  save(caller: Caller, input: DeviceInput, options: { readonly accessToken: string | null }): Promise<Result<Device>>;
  /** Creates both or nothing. */
  saveWithCredentials(caller: Caller, input: DeviceInput, credentials: CredentialsInput): Promise<Result<Device>>;
  get(caller: Caller, id: EntityId): Promise<Result<Device>>;
  info(caller: Caller, id: EntityId): Promise<Result<DeviceInfo>>;
  byName(caller: Caller, name: string): Promise<Result<Device>>;
  list(caller: Caller, query: DeviceListQuery): Promise<Result<Page<Device>>>;
  listInfos(caller: Caller, query: DeviceListQuery): Promise<Result<Page<DeviceInfo>>>;
  /** Existing devices the caller may see, in the order asked; others are left out. */
  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Device[]>>;
  /** Closes the device's connections; its data is removed in the background, also across a restart. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  credentials(caller: Caller, deviceId: EntityId): Promise<Result<DeviceCredentials>>;
  /** Updates in place and closes the connections of the old credentials. */
  saveCredentials(caller: Caller, deviceId: EntityId, input: CredentialsInput): Promise<Result<DeviceCredentials>>;
  /** Names of the profiles in use. */
  types(caller: Caller): Promise<Result<readonly string[]>>;
}

export interface ProfileInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly description: string | null;
  readonly transportType: string | null;
  readonly provisionType: string | null;
  /** null: as it is, or generated where the strategy needs one. */
  readonly provisionDeviceKey: string | null;
  readonly profileData: JsonObject | null;
  /** Packages for devices without one of their own; null: none, left out: as they are. */
  readonly firmwareId?: EntityId | null;
  readonly softwareId?: EntityId | null;
  readonly version: number | null;
}

export interface ProfileService {
  save(caller: Caller, input: ProfileInput): Promise<Result<DeviceProfile>>;
  get(caller: Caller, id: EntityId): Promise<Result<DeviceProfile>>;
  list(caller: Caller, query: PageQuery): Promise<Result<Page<DeviceProfile>>>;
  defaultProfile(caller: Caller): Promise<Result<DeviceProfile>>;
  makeDefault(caller: Caller, id: EntityId): Promise<Result<DeviceProfile>>;
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
}

export interface ApplicationInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly dialect: DialectId;
  readonly enabled: boolean;
  readonly credentials: JsonObject;
  readonly configuration: JsonObject;
  readonly version: number | null;
}

export interface ApplicationService {
  /** The answer carries the secrets. Values left out are generated, or stay as they are. */
  save(caller: Caller, input: ApplicationInput): Promise<Result<Application>>;
  get(caller: Caller, id: EntityId): Promise<Result<Application>>;
  /** Of the credentials only the name shown at CONNECT. */
  list(caller: Caller, query: PageQuery): Promise<Result<Page<Application>>>;
  /** Refused while devices belong to the account that the application is. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
}

export interface AccountService {
  /** Slowed down and counted on failure; the answer for an unknown user and a wrong password is the same. */
  login(email: string, password: string, remoteAddress: string): Promise<Result<User>>;
  user(id: EntityId): Promise<Result<User>>;
  changePassword(userId: EntityId, currentPassword: string, newPassword: string): Promise<Result<User>>;
  /** Voids every token issued so far. */
  logOutEverywhere(userId: EntityId): Promise<Result<User>>;
  tenant(id: EntityId): Promise<Result<Tenant>>;
  /** True once a user with a password exists. */
  hasAdministrator(): boolean;
  /** Creates the tenant administrator of the tenant `default`, or sets its password if the e-mail exists. */
  setFirstAdministrator(email: string, password: string): Promise<Result<User>>;
  /** Creates a system administrator, or sets its password; refused if the e-mail is that of another user. */
  setSystemAdministrator(email: string, password: string): Promise<Result<User>>;
  /** The stand-in for anybody who knows the public customer; slowed down on failure. thingsboard-server.md, 1.1 */
  loginPublic(customerId: EntityId, remoteAddress: string): Promise<Result<User>>;
  /** The same without a log-in: `notFound` when the customer is gone or not public any more. */
  publicUser(customerId: EntityId): Promise<Result<User>>;
}

/** A user to create (`id` null) or to update. The authority and the customer of a user never change. */
export interface UserInput {
  readonly id: EntityId | null;
  readonly email: string;
  readonly authority: Authority;
  /** null: none, or as it is. */
  readonly customerId: EntityId | null;
  /** Tenant of an administrator that a system administrator creates; of others that of the caller, whatever stands here. */
  readonly tenantId?: EntityId | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly additionalInfo: JsonObject | null;
  readonly version: number | null;
}

/**
 * The users of a tenant. A new one has no password and cannot sign in until its activation link was used. There is no mail
 * server: administrators fetch the links and hand them over. Links hold for 24 h and for one use.
 */
export interface UserService {
  save(caller: Caller, input: UserInput): Promise<Result<User>>;
  get(caller: Caller, id: EntityId): Promise<Result<User>>;
  list(caller: Caller, query: PageQuery): Promise<Result<Page<User>>>;
  ofCustomer(caller: Caller, customerId: EntityId, query: PageQuery): Promise<Result<Page<User>>>;
  /** Administrators of a tenant. */
  ofTenant(caller: Caller, tenantId: EntityId, query: PageQuery): Promise<Result<Page<User>>>;
  /** Tokens and links of the user are void at once; so when it is disabled. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  setEnabled(caller: Caller, id: EntityId, enabled: boolean): Promise<Result<User>>;
  /** The user that an administrator wants tokens of. */
  actAs(caller: Caller, id: EntityId): Promise<Result<User>>;
  /** A new token of an activation link, for a user without a password. */
  activationToken(caller: Caller, id: EntityId): Promise<Result<string>>;
  /** A new token of a link by which the user sets another password. */
  resetToken(caller: Caller, id: EntityId): Promise<Result<string>>;
  /** Whether a link would be accepted now. */
  isToken(token: string, kind: UserTokenKind): Promise<boolean>;
  activate(token: string, password: string): Promise<Result<User>>;
  resetPassword(token: string, password: string): Promise<Result<User>>;
}

/** A customer to create (`id` null) or to update. */
export interface CustomerInput extends CustomerContact {
  readonly id: EntityId | null;
  readonly title: string;
  readonly additionalInfo: JsonObject | null;
  readonly version: number | null;
}

export interface CustomerService {
  save(caller: Caller, input: CustomerInput): Promise<Result<Customer>>;
  get(caller: Caller, id: EntityId): Promise<Result<Customer>>;
  byTitle(caller: Caller, title: string): Promise<Result<Customer>>;
  /** Sortable by title, e-mail, country and city besides id and creation. */
  list(caller: Caller, query: PageQuery): Promise<Result<Page<Customer>>>;
  /** Deletes its users and takes its devices back, also across a restart. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  assignDevice(caller: Caller, customerId: EntityId, deviceId: EntityId): Promise<Result<Device>>;
  /** To the customer `Public`, made at first use. */
  assignDeviceToPublic(caller: Caller, deviceId: EntityId): Promise<Result<Device>>;
  unassignDevice(caller: Caller, deviceId: EntityId): Promise<Result<Device>>;
  devices(caller: Caller, customerId: EntityId, query: DeviceListQuery): Promise<Result<Page<Device>>>;
  deviceInfos(caller: Caller, customerId: EntityId, query: DeviceListQuery): Promise<Result<Page<DeviceInfo>>>;
  /** The customer `Public`, made at first use; for callers that may assign devices. */
  publicCustomer(caller: Caller): Promise<Result<Customer>>;
}

/** How a claim ended. `CLAIMED`: somebody has the device already. thingsboard-server.md, 2.8 */
export type ClaimOutcome =
  | { readonly response: 'SUCCESS'; readonly device: Device }
  | { readonly response: 'FAILURE' | 'CLAIMED' };

/** Claiming by users; devices open their windows through `DeviceClaims`. */
export interface ClaimService {
  claim(caller: Caller, deviceName: string, secretKey: string): Promise<Result<ClaimOutcome>>;
  /** Gives the device back; nothing happens if it belongs to nobody. */
  reclaim(caller: Caller, deviceName: string): Promise<Result<null>>;
}

export interface AttributeEntry extends Attribute {}

export interface SeriesRangeQuery {
  readonly keys: readonly string[];
  /** Inclusive and exclusive bounds, epoch milliseconds. */
  readonly startTs: number;
  readonly endTs: number;
  readonly intervalMs: number;
  readonly limit: number;
  readonly aggregate: AggregateFunction | null;
  readonly order: 'asc' | 'desc';
  /** Series with more points are thinned to so many that look like all of them; at least 3. null or absent: never. */
  readonly maxPoints?: number | null;
}

/** Series and attributes of entities of one kind. */
export interface TelemetryService {
  /** Keys that have a latest value. */
  keys(caller: Caller, entityId: EntityId): Promise<Result<readonly string[]>>;
  /** Latest point of each key; all keys when null. A requested key without data maps to null. */
  latest(
    caller: Caller,
    entityId: EntityId,
    keys: readonly string[] | null,
  ): Promise<Result<ReadonlyMap<string, Point | null>>>;
  /** Points, or with `aggregate` and an interval one point in the middle of each bucket, ascending. Keys without points are absent. */
  range(
    caller: Caller,
    entityId: EntityId,
    query: SeriesRangeQuery,
  ): Promise<Result<ReadonlyMap<string, readonly Point[]>>>;
  /**
   * Stores points sent by a user; durable when resolved. `ttlMs`: for how long from now on, milliseconds; 0 or left out: as
   * long as any.
   */
  save(caller: Caller, entityId: EntityId, points: PointList, ttlMs?: number): Promise<Result<null>>;
  remove(
    caller: Caller,
    entityId: EntityId,
    query: {
      readonly keys: readonly string[];
      /** null: all data of the keys. */
      readonly range: { readonly startTs: number; readonly endTs: number } | null;
      readonly latestAfter: 'rewrite' | 'delete' | 'keep';
    },
  ): Promise<Result<null>>;
  attributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope | null,
    keys: readonly string[] | null,
  ): Promise<Result<readonly Attribute[]>>;
  saveAttributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope,
    values: ReadonlyMap<string, Value>,
  ): Promise<Result<null>>;
  removeAttributes(
    caller: Caller,
    entityId: EntityId,
    scope: AttributeScope,
    keys: readonly string[],
  ): Promise<Result<null>>;
  statistics(): Promise<StoreStatistics>;
}

/** What the registry tells the running connections. Called after the change is durable. */
export interface RegistryListener {
  /** Credentials changed, were disabled or removed: every connection of this principal is cut. */
  revoked(principalId: EntityId, reason: 'credentialsChanged' | 'deleted' | 'disabled'): void;
  /** Name, profile or settings of a device changed. */
  deviceChanged(device: DeviceRef): void;
  sharedAttributesChanged(
    deviceId: EntityId,
    change: { readonly values: ReadonlyMap<string, Value> } | { readonly deleted: readonly string[] },
  ): void;
  deviceCreated?(device: DeviceRef): void;
  /** A profile was saved or deleted. */
  profileChanged?(profileId: EntityId): void;
  /** Own packages or the profile of a device changed. */
  assignmentChanged?(deviceId: EntityId): void;
  /** A device was given to a customer or taken back. */
  ownerChanged?(deviceId: EntityId): void;
  /** A device that was last behind this gateway got another name, or (null) was deleted. */
  behindGatewayChanged?(gatewayId: EntityId, name: string, newName: string | null): void;
  /**
   * The credentials of a device refuse it from now on, or let it in again; told before `revoked`. `gatewayId`: the gateway it
   * was last behind; null: none.
   */
  deviceEnabled?(device: DeviceRef, enabled: boolean, gatewayId: EntityId | null): void;
  /** Work on devices was put down with a save; whoever does it need not wait for the next start. */
  deviceWorkAdded?(): void;
  /** An application was saved, also for the first time or without any change. */
  applicationChanged?(id: EntityId): void;
  applicationRemoved?(id: EntityId): void;
}

/** Everything the interfaces to the outside may ask for. */
export interface Platform {
  readonly accounts: AccountService;
  readonly devices: DeviceService;
  readonly profiles: ProfileService;
  readonly applications: ApplicationService;
  readonly customers: CustomerService;
  readonly users: UserService;
  readonly claims: ClaimService;
  /** Of devices. */
  readonly telemetry: TelemetryService;
  readonly assetTelemetry: TelemetryService;
  readonly live: LiveService;
  readonly entities: EntityQueryService;
  readonly rpc: RpcService;
  readonly ota: OtaService;
  readonly alarms: AlarmService;
  readonly dashboards: DashboardService;
  readonly assets: AssetService;
  readonly relations: RelationService;
  readonly bulkImport: BulkImportService;
  readonly apiKeys: ApiKeyService;
  readonly audit: AuditService;
  readonly tenants: TenantService;
  readonly storage: StorageService;
  readonly webhooks: WebhookService;
  readonly links: DeviceLinkService;
  /** For CONNECT, in memory. */
  readonly credentials: CredentialLookup;
  deviceRef(id: EntityId): DeviceRef | undefined;
  /** A device of a tenant by name, from memory. */
  deviceRefByName(tenantId: EntityId, name: string): DeviceRef | undefined;
}

export type { ConnectCredential };
