import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import type { Change } from '../ports/repositories.ts';
import { objectMember, textMember } from './body-members.ts';
import type { Relation } from './relation-service.ts';

/** Relations of all tenants. `key` is everything that tells two relations apart. */
export const RELATIONS: DocumentCollection = {
  name: 'relation',
  filters: ['key', 'fromId', 'toId'],
  sorts: ['type'],
  search: [],
  unique: [{ scope: 'tenant', members: ['key'] }],
};

/** Relations that begin at one entity, and that end at one. */
export const MAX_RELATIONS = 10_000;

export function relationKey({ from, to, type, typeGroup }: Omit<Relation, 'additionalInfo'>): string {
  return `${from.id} ${to.id} ${typeGroup} ${type}`;
}

export function relationOf({ body }: StoredDocument): Relation {
  return {
    from: { entityType: textMember(body, 'fromType') ?? '', id: textMember(body, 'fromId') ?? '' },
    to: { entityType: textMember(body, 'toType') ?? '', id: textMember(body, 'toId') ?? '' },
    type: textMember(body, 'type') ?? '',
    typeGroup: textMember(body, 'typeGroup') ?? '',
    additionalInfo: objectMember(body, 'additionalInfo'),
  };
}

export function relationDocument(
  relation: Relation,
  identity: Pick<StoredDocument, 'id' | 'tenantId' | 'createdTime' | 'version'>,
): StoredDocument {
  const { from, to, type, typeGroup, additionalInfo } = relation;
  const body = {
    key: relationKey(relation),
    fromType: from.entityType,
    fromId: from.id,
    toType: to.entityType,
    toId: to.id,
    type,
    typeGroup,
    additionalInfo,
  };
  return { ...identity, body };
}

/** Changes that delete every relation of an entity, for the commit that deletes the entity. */
export function relationRemovals(id: EntityId): readonly Change[] {
  return (['fromId', 'toId'] as const).map((member) => ({
    kind: 'deleteDocuments',
    collection: RELATIONS,
    tenantId: null,
    conditions: [{ member, is: '=', value: id }],
    // Two that are saved at the same moment may pass the bound together.
    limit: 2 * MAX_RELATIONS,
  }));
}
