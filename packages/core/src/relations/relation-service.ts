import type { Result } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { Caller } from '../platform.ts';

/** An entity of any type. thingsboard-server.md, 0.2 */
export interface EntityRef {
  /** Upper case. */
  readonly entityType: string;
  readonly id: EntityId;
}

export const RELATION_TYPE_GROUPS = [
  'COMMON',
  'DASHBOARD',
  'RULE_CHAIN',
  'RULE_NODE',
  'EDGE',
  'EDGE_AUTO_ASSIGN_RULE_CHAIN',
] as const;

/** A directed, named connection of two entities; one of a type between the same two in a group. thingsboard-server.md, 2.5 */
export interface Relation {
  readonly from: EntityRef;
  readonly to: EntityRef;
  /** As `Contains` or `Manages`; 1 to 255 characters. */
  readonly type: string;
  /** One of `RELATION_TYPE_GROUPS`. */
  readonly typeGroup: string;
  readonly additionalInfo: JsonObject | null;
}

export type RelationKey = Omit<Relation, 'additionalInfo'>;

export interface RelationInfo extends Relation {
  readonly fromName: string;
  readonly toName: string;
}

export interface RelationQuery {
  /** The end at which `entity` is. */
  readonly end: 'from' | 'to';
  readonly entity: EntityRef;
  /** null: of any type. */
  readonly type: string | null;
  readonly typeGroup: string;
}

/** The caller must see both ends; to change a relation it must be allowed to change both. */
export interface RelationService {
  /** Replaces the relation with the same key. At most 10,000 begin, and end, at one entity. */
  save(caller: Caller, relation: Relation): Promise<Result<Relation>>;
  get(caller: Caller, key: RelationKey): Promise<Result<Relation>>;
  remove(caller: Caller, key: RelationKey): Promise<Result<null>>;
  /** Every relation of an entity in the group COMMON, in both directions. */
  removeAll(caller: Caller, entity: EntityRef): Promise<Result<null>>;
  /** Those whose other end the caller may see. */
  list(caller: Caller, query: RelationQuery): Promise<Result<readonly Relation[]>>;
  listInfos(caller: Caller, query: RelationQuery): Promise<Result<readonly RelationInfo[]>>;
}
