import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Platform } from '../platform.ts';
import { authorizeRole, type EntityKind } from '../registry/authorize.ts';
import { inSlices } from './document-pages.ts';
import type { EntityRef } from './relation-service.ts';

/** The services that know the entities which relations connect. */
export type RelatedServices = Pick<
  Platform,
  'accounts' | 'assets' | 'customers' | 'dashboards' | 'devices' | 'profiles' | 'users'
>;

interface NamedEntity {
  readonly id: EntityId;
  readonly name: string;
}

/** How entities of a type are found, as far as a caller may see them. */
interface EntityFinder {
  readonly kind: EntityKind;
  find(caller: Caller, id: EntityId): Promise<Result<NamedEntity>>;
  findMany?(caller: Caller, ids: readonly EntityId[]): Promise<Result<readonly NamedEntity[]>>;
}

/** Entities of every type that relations connect, by type and id. */
export class EntityDirectory {
  readonly #finders: ReadonlyMap<string, EntityFinder>;

  constructor(services: RelatedServices) {
    this.#finders = new Map(Object.entries(findersOf(services)));
  }

  /** `operation`: what the caller must be allowed to do with it. */
  async find(caller: Caller, { entityType, id }: EntityRef, operation: 'read' | 'write'): Promise<Result<NamedEntity>> {
    const finder = this.#finders.get(entityType);
    if (finder === undefined) return unknownType(entityType);
    return authorizeRole(caller, operation, finder.kind) ?? finder.find(caller, id);
  }

  /** The names of those that exist and that the caller may see, by id. */
  async names(caller: Caller, entities: readonly EntityRef[]): Promise<ReadonlyMap<EntityId, string>> {
    const names = new Map<EntityId, string>();
    const idsByType = new Map<string, Set<EntityId>>();
    for (const { entityType, id } of entities) {
      const ids = idsByType.get(entityType);
      if (ids === undefined) idsByType.set(entityType, new Set([id]));
      else ids.add(id);
    }
    for (const [entityType, ids] of idsByType) {
      const finder = this.#finders.get(entityType);
      if (finder === undefined || authorizeRole(caller, 'read', finder.kind) !== null) continue;
      for (const { id, name } of await findMany(finder, caller, [...ids])) names.set(id, name);
    }
    return names;
  }
}

async function findMany(
  finder: EntityFinder,
  caller: Caller,
  ids: readonly EntityId[],
): Promise<readonly NamedEntity[]> {
  if (finder.findMany !== undefined) {
    const found = await finder.findMany(caller, ids);
    return found.ok ? found.value : [];
  }
  const found = await inSlices(ids, (id) => finder.find(caller, id));
  return found.flatMap((result) => (result.ok ? result.value : []));
}

function findersOf(services: RelatedServices): Readonly<Record<string, EntityFinder>> {
  const { accounts, assets, customers, dashboards, devices, profiles, users } = services;
  return {
    DEVICE: {
      kind: 'device',
      find: (caller, id) => devices.get(caller, id),
      findMany: (caller, ids) => devices.byIds(caller, ids),
    },
    ASSET: {
      kind: 'asset',
      find: (caller, id) => assets.get(caller, id),
      findMany: (caller, ids) => assets.byIds(caller, ids),
    },
    DEVICE_PROFILE: { kind: 'profile', find: (caller, id) => profiles.get(caller, id) },
    ASSET_PROFILE: { kind: 'assetProfile', find: (caller, id) => assets.profiles.get(caller, id) },
    DASHBOARD: { kind: 'dashboard', find: async (caller, id) => titled(await dashboards.info(caller, id)) },
    CUSTOMER: { kind: 'customer', find: async (caller, id) => titled(await customers.get(caller, id)) },
    USER: {
      kind: 'user',
      find: async (caller, id) => {
        const user = await users.get(caller, id);
        return user.ok ? success({ id, name: user.value.email }) : user;
      },
    },
    // Who may administer customers administers the tenant.
    TENANT: {
      kind: 'customer',
      find: async (caller, id) => {
        if (caller.authority !== 'TENANT_ADMIN' || caller.tenantId !== id) return refuse('permissionDenied');
        return accounts.tenant(id);
      },
    },
  };
}

function titled(found: Result<{ readonly id: EntityId; readonly title: string }>): Result<NamedEntity> {
  return found.ok ? success({ id: found.value.id, name: found.value.title }) : found;
}

/** Types that ThingsBoard relates and that are not offered. */
const OTHER_TYPES = ['ALARM', 'API_KEY', 'EDGE', 'ENTITY_VIEW', 'OTA_PACKAGE', 'RPC', 'RULE_CHAIN', 'RULE_NODE'];

function unknownType(entityType: string): PlatformError {
  return OTHER_TYPES.includes(entityType)
    ? refuse('notImplemented', `Relations of entities of type ${entityType} are not offered by this server yet`)
    : refuse('badRequest', `Unknown entity type: ${entityType.slice(0, 64)}`);
}
