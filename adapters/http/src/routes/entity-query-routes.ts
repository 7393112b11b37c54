import { EntityCountQuery, EntityDataPage, EntityDataQuery, EntityKeyNames, refTo } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { QueryFault } from '../entity-query/read-keys.ts';
import { readQuery, readSelection } from '../entity-query/read-query.ts';
import { attributeScope } from '../telemetry/attribute-scope.ts';
import { entityDataJson, pageJson } from '../websocket/answers.ts';
import { refusalResponses } from './operation.ts';

const tags = ['entity query'];
const JSON_TYPE = 'application/json; charset=utf-8';

const KeysQuery = Type.Object({
  timeseries: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
  attributes: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
  scope: Type.Optional(Type.String({ examples: ['CLIENT_SCOPE', 'SHARED_SCOPE', 'SERVER_SCOPE'] })),
});

/** Entities by what they are and by their present values. thingsboard-server.md, 7.5 */
export function registerEntityQueryRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { entities } = context.platform;

  app.post(
    '/entitiesQuery/find',
    {
      schema: {
        operationId: 'findEntityDataByQuery',
        tags,
        summary: 'A page of entities with the values asked for',
        body: refTo(EntityDataQuery),
        // Written by hand, since integers beyond 2^53 must keep every digit.
        response: { 200: Type.Unsafe<string>(Type.Ref(EntityDataPage.$id)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const query = readQuery(request.body);
      if (query instanceof QueryFault) return refusals.badRequest(reply, query.message);
      const page = await entities.find(callerOf(request), query);
      if (!page.ok) return refusals.platform(reply, page);
      reply.type(JSON_TYPE);
      return pageJson(page.value.data.map(entityDataJson), page.value);
    },
  );

  app.post(
    '/entitiesQuery/count',
    {
      schema: {
        operationId: 'countEntitiesByQuery',
        tags,
        summary: 'How many entities match',
        body: refTo(EntityCountQuery),
        response: { 200: Type.Integer(), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const selection = readSelection(request.body);
      if (selection instanceof QueryFault) return refusals.badRequest(reply, selection.message);
      const count = await entities.count(callerOf(request), selection);
      return count.ok ? count.value : refusals.platform(reply, count);
    },
  );

  app.post(
    '/entitiesQuery/find/keys',
    {
      schema: {
        operationId: 'findEntityKeysByQuery',
        tags,
        summary: 'Names of the series and attributes that the entities of a page have',
        querystring: KeysQuery,
        body: refTo(EntityDataQuery),
        response: { 200: refTo(EntityKeyNames), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const query = readQuery(request.body);
      if (query instanceof QueryFault) return refusals.badRequest(reply, query.message);
      const { timeseries = true, attributes = true, scope } = request.query;
      const named = scope === undefined ? null : attributeScope(scope);
      if (named === undefined) return refusals.badRequest(reply, `Invalid scope: ${scope?.slice(0, 64)}`);
      const keys = await entities.keys(callerOf(request), query, { timeseries, attributes, scope: named });
      if (!keys.ok) return refusals.platform(reply, keys);
      return {
        entityTypes: [...keys.value.entityTypes],
        timeseries: [...keys.value.timeseries],
        attribute: [...keys.value.attributes],
      };
    },
  );
}
