import type { LiveEntry } from '../live/live-messages.ts';
import type { EntityId } from '../model/entities.ts';
import type { Predicate } from '../predicates/predicate.ts';

/** An entity of any type. `entityType` in upper case. */
export interface TypedId {
  readonly entityType: string;
  readonly id: EntityId;
}

export const ENTITY_KEY_TYPES = [
  'ENTITY_FIELD',
  'ATTRIBUTE',
  'CLIENT_ATTRIBUTE',
  'SHARED_ATTRIBUTE',
  'SERVER_ATTRIBUTE',
  'TIME_SERIES',
] as const;

/** Where a value is looked for; `ATTRIBUTE` is the newest over all scopes. thingsboard-server.md, 7.5 */
export type EntityKeyType = (typeof ENTITY_KEY_TYPES)[number];

export interface EntityKey {
  readonly type: EntityKeyType;
  readonly key: string;
}

/** Which entities are meant. `nameFilter`: see `NamePattern`; null or empty: any name. */
export type EntityFilter =
  | { readonly type: 'singleEntity'; readonly entity: TypedId }
  | { readonly type: 'entityList'; readonly entityType: string; readonly ids: readonly EntityId[] }
  | {
      readonly type: 'entityType';
      readonly entityType: string;
      /** Types of the entities; empty: all. */
      readonly subTypes: readonly string[];
      readonly nameFilter: string | null;
    };

/** A value that is missing, or cannot be read as what is compared, does not match. No operand is dynamic. */
export interface KeyFilter {
  readonly key: EntityKey;
  readonly predicate: Predicate;
}

export interface EntitySelection {
  readonly filter: EntityFilter;
  readonly keyFilters: readonly KeyFilter[];
  readonly operation: 'AND' | 'OR';
}

export interface EntityQuery extends EntitySelection {
  /** At least 1; larger ones count as 10,000. */
  readonly pageSize: number;
  /** From 0. */
  readonly page: number;
  /** Part of the name or label in any case; null: all. */
  readonly textSearch: string | null;
  /** null: by id. Entities without the value come last. */
  readonly sort: { readonly key: EntityKey; readonly descending: boolean } | null;
  /** What the answer shows of each entity. */
  readonly values: readonly EntityKey[];
}

/** Present values of one entity; asked keys without a value have `NO_ENTRY`. */
export interface EntityData {
  readonly entity: TypedId;
  readonly latest: ReadonlyMap<EntityKeyType, ReadonlyMap<string, LiveEntry>>;
}

/** Keys in use by the entities of a query. */
export interface EntityKeyNames {
  readonly entityTypes: readonly string[];
  readonly timeseries: readonly string[];
  readonly attributes: readonly string[];
}

/** Most entities that one query looks at, one page holds, or one subscription follows. thingsboard-server.md, 7.4 */
export const MAX_QUERY_ENTITIES = 10_000;
/** Most keys of one query, shown and compared. */
export const MAX_QUERY_KEYS = 200;
/** Most comparisons of one query. */
export const MAX_PREDICATES = 200;
/** Most values that one answer shows: entities times keys. */
export const MAX_ANSWER_VALUES = 500_000;
