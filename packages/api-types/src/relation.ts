import { type Static, Type } from 'typebox';
import { named, nullableJsonObject, nullableText, refTo } from './building-blocks.ts';
import { EntityId, Uuid } from './entity-id.ts';

const typeGroup = 'COMMON if left out; also DASHBOARD, RULE_CHAIN, RULE_NODE, EDGE, EDGE_AUTO_ASSIGN_RULE_CHAIN.';

const relationMembers = {
  from: refTo(EntityId),
  to: refTo(EntityId),
  type: Type.String({ examples: ['Contains', 'Manages'] }),
  typeGroup: Type.String({ examples: ['COMMON'] }),
  additionalInfo: nullableJsonObject(),
};

/** A directed connection of two entities. thingsboard-server.md, 2.5 */
export const EntityRelation = named('EntityRelation', Type.Object(relationMembers));
export type EntityRelation = Static<typeof EntityRelation>;

export const EntityRelationInfo = named(
  'EntityRelationInfo',
  Type.Object({ ...relationMembers, fromName: Type.String(), toName: Type.String() }),
);
export type EntityRelationInfo = Static<typeof EntityRelationInfo>;

export const EntityRelationInput = named(
  'EntityRelationInput',
  Type.Object({
    from: refTo(EntityId),
    to: refTo(EntityId),
    type: Type.String({ minLength: 1, maxLength: 255 }),
    typeGroup: Type.Optional(nullableText({ maxLength: 64, description: typeGroup })),
    additionalInfo: Type.Optional(nullableJsonObject()),
  }),
);
export type EntityRelationInput = Static<typeof EntityRelationInput>;

const entityType = Type.String({ maxLength: 64, examples: ['DEVICE'] });
const relationTypeGroup = Type.Optional(Type.String({ maxLength: 64, description: typeGroup }));

/** All that tells one relation from others. */
export const RelationKeyQuery = Type.Object({
  fromId: Uuid,
  fromType: entityType,
  relationType: Type.String({ minLength: 1, maxLength: 255 }),
  relationTypeGroup,
  toId: Uuid,
  toType: entityType,
});
export type RelationKeyQuery = Static<typeof RelationKeyQuery>;

/** One end, or the other. */
export const RelationListQuery = Type.Object({
  fromId: Type.Optional(Uuid),
  fromType: Type.Optional(entityType),
  toId: Type.Optional(Uuid),
  toType: Type.Optional(entityType),
  relationType: Type.Optional(Type.String({ maxLength: 255, description: 'Of any type if left out.' })),
  relationTypeGroup,
});
export type RelationListQuery = Static<typeof RelationListQuery>;

export const RelatedEntityQuery = Type.Object({ entityId: Uuid, entityType });
