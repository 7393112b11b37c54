import type { Result } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** What assets of a kind have in common. thingsboard-server.md, 2.5 */
export interface AssetProfile {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  /** Unique in the tenant. */
  readonly name: string;
  readonly description: string | null;
  /** One of each tenant, made when first needed. */
  readonly isDefault: boolean;
  readonly version: number;
}

/** A thing that does not connect: a building, a line, a vehicle. thingsboard-server.md, 2.5 */
export interface Asset {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  /** Unique in the tenant, 1 to 255 characters. */
  readonly name: string;
  readonly label: string | null;
  readonly assetProfileId: EntityId;
  /** The profile's name. */
  readonly type: string;
  readonly additionalInfo: JsonObject | null;
  readonly version: number;
}

/** An asset with what lists show beside it. */
export interface AssetInfo extends Asset {
  readonly customerTitle: string | null;
  readonly customerIsPublic: boolean;
}

/** An asset to create (`id` null) or to update; the profile by id, by name, or the tenant's default. */
export interface AssetInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly label: string | null;
  readonly type: string | null;
  readonly assetProfileId: EntityId | null;
  readonly additionalInfo: JsonObject | null;
  /** Optimistic lock; null overwrites. */
  readonly version: number | null;
}

export interface AssetListQuery extends PageQuery {
  /** Profile name; null: all. Beats assetProfileId. */
  readonly type: string | null;
  readonly assetProfileId: EntityId | null;
}

export interface AssetProfileInput {
  readonly id: EntityId | null;
  readonly name: string;
  readonly description: string | null;
  readonly version: number | null;
}

export interface AssetProfileService {
  save(caller: Caller, input: AssetProfileInput): Promise<Result<AssetProfile>>;
  get(caller: Caller, id: EntityId): Promise<Result<AssetProfile>>;
  /** Sortable by name besides id and creation. */
  list(caller: Caller, query: PageQuery): Promise<Result<Page<AssetProfile>>>;
  defaultProfile(caller: Caller): Promise<Result<AssetProfile>>;
  makeDefault(caller: Caller, id: EntityId): Promise<Result<AssetProfile>>;
  /** Refused while assets have it, and for the default one. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
}

export interface AssetService {
  readonly profiles: AssetProfileService;
  save(caller: Caller, input: AssetInput): Promise<Result<Asset>>;
  get(caller: Caller, id: EntityId): Promise<Result<Asset>>;
  info(caller: Caller, id: EntityId): Promise<Result<AssetInfo>>;
  byName(caller: Caller, name: string): Promise<Result<Asset>>;
  /** All that the caller may see. Sortable by name, label and type besides id and creation. */
  list(caller: Caller, query: AssetListQuery): Promise<Result<Page<Asset>>>;
  listInfos(caller: Caller, query: AssetListQuery): Promise<Result<Page<AssetInfo>>>;
  ofCustomer(caller: Caller, customerId: EntityId, query: AssetListQuery): Promise<Result<Page<Asset>>>;
  infosOfCustomer(caller: Caller, customerId: EntityId, query: AssetListQuery): Promise<Result<Page<AssetInfo>>>;
  /** Existing assets the caller may see, in the order asked; others are left out. At most 10,000 ids. */
  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Asset[]>>;
  /** Its relations go with it; its data is removed in the background, also across a restart. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** Names of the profiles in use. */
  types(caller: Caller): Promise<Result<readonly string[]>>;
  assign(caller: Caller, customerId: EntityId, id: EntityId): Promise<Result<Asset>>;
  /** To the customer `Public`, made at first use. */
  assignToPublic(caller: Caller, id: EntityId): Promise<Result<Asset>>;
  unassign(caller: Caller, id: EntityId): Promise<Result<Asset>>;
  /** An asset whose telemetry and attributes the caller may use. */
  data(caller: Caller, id: EntityId): Promise<Result<Asset>>;
}
