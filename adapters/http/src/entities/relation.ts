import type {
  EntityRelation as ApiRelation,
  EntityRelationInfo as ApiRelationInfo,
  EntityRelationInput as ApiRelationInput,
  RelationKeyQuery as ApiRelationKeyQuery,
  RelationListQuery as ApiRelationListQuery,
} from '@moorage/api-types';
import type { EntityRef, Relation, RelationInfo, RelationKey, RelationQuery } from '@moorage/core';

const COMMON = 'COMMON';

export function entityRef(entityType: string, id: string): EntityRef {
  return { entityType: entityType.toUpperCase(), id: id.toLowerCase() };
}

/** thingsboard-server.md, 2.5 */
export function toRelation({ from, to, type, typeGroup, additionalInfo }: Relation): ApiRelation {
  return { from: { ...from }, to: { ...to }, type, typeGroup, additionalInfo };
}

export function toRelationInfo(relation: RelationInfo): ApiRelationInfo {
  return { ...toRelation(relation), fromName: relation.fromName, toName: relation.toName };
}

export function fromRelationInput(input: ApiRelationInput): Relation {
  return {
    from: entityRef(input.from.entityType, input.from.id),
    to: entityRef(input.to.entityType, input.to.id),
    type: input.type,
    typeGroup: typeGroupOf(input.typeGroup),
    additionalInfo: input.additionalInfo ?? null,
  };
}

export function toRelationKey(query: ApiRelationKeyQuery): RelationKey {
  return {
    from: entityRef(query.fromType, query.fromId),
    to: entityRef(query.toType, query.toId),
    type: query.relationType,
    typeGroup: typeGroupOf(query.relationTypeGroup),
  };
}

/** undefined: neither end is there whole, or both are. */
export function toRelationQuery(query: ApiRelationListQuery): RelationQuery | undefined {
  const from = endOf(query.fromType, query.fromId);
  const to = endOf(query.toType, query.toId);
  const entity = from ?? to;
  if (entity === undefined || (from !== undefined && to !== undefined)) return undefined;
  const typeGroup = typeGroupOf(query.relationTypeGroup);
  return { end: from === undefined ? 'to' : 'from', entity, type: query.relationType ?? null, typeGroup };
}

function endOf(entityType: string | undefined, id: string | undefined): EntityRef | undefined {
  return entityType === undefined || id === undefined ? undefined : entityRef(entityType, id);
}

function typeGroupOf(typeGroup: string | null | undefined): string {
  return typeGroup === null || typeGroup === undefined || typeGroup === '' ? COMMON : typeGroup.toUpperCase();
}
