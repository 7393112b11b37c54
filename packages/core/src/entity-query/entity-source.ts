import type { AssetService } from '../assets/asset-service.ts';
import type { Result } from '../errors.ts';
import { success } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { Caller, DeviceService, Page, PageQuery } from '../platform.ts';

/** What queries know of an entity. */
export interface EntityRecord {
  readonly entityType: string;
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly customerId: EntityId;
  readonly name: string;
  readonly type: string;
  readonly label: string | null;
  readonly additionalInfo: JsonObject | null;
}

/** Members of `EntityRecord` that a source can sort by itself. */
export const SOURCE_SORTS: readonly string[] = ['createdTime', 'name', 'label', 'type'];

/** Entities of one type, as far as the caller may see them. */
export interface EntitySource {
  readonly entityType: string;
  /** `type` null: of any type. `sortProperty` is one of `SOURCE_SORTS`, or null for the order of ids. */
  list(caller: Caller, query: PageQuery & { readonly type: string | null }): Promise<Result<Page<EntityRecord>>>;
  /** Those that exist and may be seen, in the order asked. At most 10,000 ids. */
  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly EntityRecord[]>>;
}

/** Members that devices and assets share. */
type Member = Omit<EntityRecord, 'entityType'>;

/** The devices of the registry as a source. */
export function deviceSource(devices: Pick<DeviceService, 'list' | 'byIds'>): EntitySource {
  return sourceOf('DEVICE', {
    list: (caller, query) => devices.list(caller, { ...query, deviceProfileId: null }),
    byIds: (caller, ids) => devices.byIds(caller, ids),
  });
}

/** The assets as a source. */
export function assetSource(assets: Pick<AssetService, 'list' | 'byIds'>): EntitySource {
  return sourceOf('ASSET', {
    list: (caller, query) => assets.list(caller, { ...query, assetProfileId: null }),
    byIds: (caller, ids) => assets.byIds(caller, ids),
  });
}

interface Members {
  list(caller: Caller, query: Parameters<EntitySource['list']>[1]): Promise<Result<Page<Member>>>;
  byIds(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly Member[]>>;
}

function sourceOf(entityType: string, members: Members): EntitySource {
  const toRecord = (one: Member): EntityRecord => {
    const { id, createdTime, tenantId, customerId, name, type, label, additionalInfo } = one;
    return { entityType, id, createdTime, tenantId, customerId, name, type, label, additionalInfo };
  };
  return {
    entityType,
    async list(caller, query) {
      const page = await members.list(caller, query);
      return page.ok ? success({ ...page.value, data: page.value.data.map(toRecord) }) : page;
    },
    async byIds(caller, ids) {
      const found = await members.byIds(caller, ids);
      return found.ok ? success(found.value.map(toRecord)) : found;
    },
  };
}
