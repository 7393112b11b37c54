import {
  EntityRelation,
  EntityRelationInfo,
  EntityRelationInput,
  RelatedEntityQuery,
  RelationKeyQuery,
  RelationListQuery,
  refTo,
} from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import {
  entityRef,
  fromRelationInput,
  toRelation,
  toRelationInfo,
  toRelationKey,
  toRelationQuery,
} from '../entities/relation.ts';
import { emptyResponse, refusalResponses } from './operation.ts';

const tags = ['relation'];
const ONE_END = "Give 'fromId' and 'fromType', or 'toId' and 'toType', in the query";

/** thingsboard-server.md, 2.5 */
export function registerRelationRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { relations } = context.platform;

  app.post(
    '/relation',
    {
      schema: {
        operationId: 'saveRelation',
        tags,
        summary: 'Relate two entities',
        body: refTo(EntityRelationInput),
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await relations.save(callerOf(request), fromRelationInput(request.body));
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/relation',
    {
      schema: {
        operationId: 'getRelation',
        tags,
        summary: 'A relation',
        querystring: RelationKeyQuery,
        response: { 200: refTo(EntityRelation), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await relations.get(callerOf(request), toRelationKey(request.query));
      return result.ok ? toRelation(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/relation',
    {
      schema: {
        operationId: 'deleteRelation',
        tags,
        summary: 'Delete a relation',
        querystring: RelationKeyQuery,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await relations.remove(callerOf(request), toRelationKey(request.query));
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  registerAnsweringRoutes(app, context);

  app.delete(
    '/relations',
    {
      schema: {
        operationId: 'deleteRelations',
        tags,
        summary: 'Delete every common relation of an entity, in both directions',
        querystring: RelatedEntityQuery,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { entityType, entityId } = request.query;
      const result = await relations.removeAll(callerOf(request), entityRef(entityType, entityId));
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/relations',
    {
      schema: {
        operationId: 'findRelations',
        tags,
        summary: 'The relations from an entity, or to one',
        querystring: RelationListQuery,
        response: { 200: Type.Array(refTo(EntityRelation)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const query = toRelationQuery(request.query);
      if (query === undefined) return refusals.badRequest(reply, ONE_END);
      const result = await relations.list(callerOf(request), query);
      return result.ok ? result.value.map(toRelation) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/relations/info',
    {
      schema: {
        operationId: 'findRelationInfos',
        tags,
        summary: 'The relations from an entity, or to one, with the names of both ends',
        querystring: RelationListQuery,
        response: { 200: Type.Array(refTo(EntityRelationInfo)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const query = toRelationQuery(request.query);
      if (query === undefined) return refusals.badRequest(reply, ONE_END);
      const result = await relations.listInfos(callerOf(request), query);
      return result.ok ? result.value.map(toRelationInfo) : refusals.platform(reply, result);
    },
  );
}

/** The same two calls, answered with the relation: what the Python client 4.4 uses. */
function registerAnsweringRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { relations } = context.platform;

  app.post(
    '/v2/relation',
    {
      schema: {
        operationId: 'saveRelationV2',
        tags,
        summary: 'Relate two entities; answers the relation',
        body: refTo(EntityRelationInput),
        response: { 200: refTo(EntityRelation), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const relation = fromRelationInput(request.body);
      const result = await relations.save(callerOf(request), relation);
      return result.ok ? toRelation(relation) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/v2/relation',
    {
      schema: {
        operationId: 'deleteRelationV2',
        tags,
        summary: 'Delete a relation; answers what it was',
        querystring: RelationKeyQuery,
        response: { 200: refTo(EntityRelation), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const key = toRelationKey(request.query);
      const found = await relations.get(callerOf(request), key);
      if (!found.ok) return refusals.platform(reply, found);
      const result = await relations.remove(callerOf(request), key);
      return result.ok ? toRelation(found.value) : refusals.platform(reply, result);
    },
  );
}
