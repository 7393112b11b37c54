import { AttributeValue, KeyNames, KeysQuery, SeriesQuery, SeriesValues, Uuid } from '@moorage/api-types';
import type { AggregateFunction, AttributeScope, Caller } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { attributeScope } from '../telemetry/attribute-scope.ts';
import { type EntityTelemetry, telemetryOf } from '../telemetry/entity-telemetry.ts';
import { queryKeys } from '../telemetry/query-keys.ts';
import { barePlatformRefusal, bareRefusal, telemetryRefusalResponses } from '../telemetry/telemetry-refusals.ts';
import { attributesJson, latestJson, seriesJson } from '../telemetry/write-values.ts';

const tags = ['telemetry'];
const JSON_TYPE = 'application/json; charset=utf-8';
const DEFAULT_LIMIT = 100;
/** Points looked at for a chart: as many as one answer may have. */
const LARGEST_LIMIT = 1_000_000;

const EntityParams = Type.Object({ entityType: Type.String({ examples: ['DEVICE'] }), entityId: Uuid });
const ScopeParams = Type.Object({
  ...EntityParams.properties,
  scope: Type.String({ examples: ['CLIENT_SCOPE', 'SHARED_SCOPE', 'SERVER_SCOPE'] }),
});

/** A response that the handler gives as finished JSON text. */
function jsonText(schema: TSchema) {
  return Type.Unsafe<string>(schema);
}
const seriesText = jsonText(Type.Ref(SeriesValues.$id));
const attributesText = jsonText(Type.Array(Type.Ref(AttributeValue.$id)));
const namesText = jsonText(Type.Ref(KeyNames.$id));

const AGGREGATES: Readonly<Record<NonNullable<SeriesQuery['agg']>, AggregateFunction | null>> = {
  NONE: null,
  MIN: 'min',
  MAX: 'max',
  AVG: 'avg',
  SUM: 'sum',
  COUNT: 'count',
};

/** Reading series and attributes. thingsboard-server.md, 3.1 and 3.2 */
export function registerTelemetryReadRoutes(app: ApiServer, context: ApiContext): void {
  const { clock } = context;

  const latest = async (
    reply: FastifyReply,
    caller: Caller,
    { telemetry, typeName }: EntityTelemetry,
    entityId: string,
    query: SeriesQuery,
  ) => {
    const result = await telemetry.latest(caller, entityId, queryKeys(query));
    if (!result.ok) return barePlatformRefusal(reply, result, typeName);
    reply.type(JSON_TYPE);
    return latestJson(result.value, query.useStrictDataTypes === true, clock.now());
  };

  const range = async (
    reply: FastifyReply,
    caller: Caller,
    { telemetry, typeName }: EntityTelemetry,
    entityId: string,
    query: SeriesQuery,
    bounds: { readonly startTs: number; readonly endTs: number },
  ) => {
    if (query.intervalType !== undefined && query.intervalType.toUpperCase() !== 'MILLISECONDS') {
      return bareRefusal(reply, 400, `intervalType ${query.intervalType.slice(0, 64)} is not offered yet`);
    }
    const result = await telemetry.range(caller, entityId, {
      ...bounds,
      keys: queryKeys(query) ?? [],
      intervalMs: query.interval ?? 0,
      limit: query.limit ?? (query.maxPoints === undefined ? DEFAULT_LIMIT : LARGEST_LIMIT),
      aggregate: AGGREGATES[query.agg ?? 'NONE'],
      order: query.orderBy === 'ASC' ? 'asc' : 'desc',
      maxPoints: query.maxPoints ?? null,
    });
    if (!result.ok) return barePlatformRefusal(reply, result, typeName);
    reply.type(JSON_TYPE);
    return seriesJson(result.value, query.useStrictDataTypes === true);
  };

  const names = (reply: FastifyReply, keys: Iterable<string>) => {
    reply.type(JSON_TYPE);
    return JSON.stringify([...new Set(keys)]);
  };

  app.get(
    '/:entityType/:entityId/values/timeseries',
    {
      schema: {
        operationId: 'getTimeseries',
        tags,
        summary: 'Latest values of series, or with startTs and endTs a range',
        params: EntityParams,
        querystring: SeriesQuery,
        response: { 200: seriesText, ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const { entityType, entityId } = request.params;
      const entity = telemetryOf(context, reply, entityType);
      if ('status' in entity) return entity;
      const { startTs, endTs } = request.query;
      return startTs === undefined || endTs === undefined
        ? latest(reply, callerOf(request), entity, entityId, request.query)
        : range(reply, callerOf(request), entity, entityId, request.query, { startTs, endTs });
    },
  );

  app.get(
    '/:entityType/:entityId/values/timeseries/history',
    {
      schema: {
        operationId: 'getTimeseriesHistory',
        tags,
        summary: 'A range of series',
        params: EntityParams,
        querystring: SeriesQuery,
        response: { 200: seriesText, ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const { entityType, entityId } = request.params;
      const entity = telemetryOf(context, reply, entityType);
      if ('status' in entity) return entity;
      const { startTs, endTs } = request.query;
      if (startTs === undefined || endTs === undefined) {
        return bareRefusal(reply, 400, 'startTs and endTs are both needed');
      }
      return range(reply, callerOf(request), entity, entityId, request.query, { startTs, endTs });
    },
  );

  app.get(
    '/:entityType/:entityId/keys/timeseries',
    {
      schema: {
        operationId: 'getTimeseriesKeys',
        tags,
        summary: 'Keys of the series that have a value',
        params: EntityParams,
        response: { 200: namesText, ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const { entityType, entityId } = request.params;
      const entity = telemetryOf(context, reply, entityType);
      if ('status' in entity) return entity;
      const result = await entity.telemetry.keys(callerOf(request), entityId);
      return result.ok ? names(reply, result.value) : barePlatformRefusal(reply, result, entity.typeName);
    },
  );

  const readAttributes = async (
    reply: FastifyReply,
    caller: Caller,
    params: { readonly entityType: string; readonly entityId: string; readonly scope?: string },
    keys: readonly string[] | null,
    answer: 'values' | 'names',
  ) => {
    const entity = telemetryOf(context, reply, params.entityType);
    if ('status' in entity) return entity;
    let scope: AttributeScope | null = null;
    if (params.scope !== undefined) {
      const named = attributeScope(params.scope);
      if (named === undefined) return bareRefusal(reply, 400, `Invalid scope: ${params.scope}`);
      scope = named;
    }
    const result = await entity.telemetry.attributes(caller, params.entityId, scope, keys);
    if (!result.ok) return barePlatformRefusal(reply, result, entity.typeName);
    if (answer === 'names') {
      return names(
        reply,
        result.value.map(({ key }) => key),
      );
    }
    reply.type(JSON_TYPE);
    return attributesJson(result.value);
  };

  app.get(
    '/:entityType/:entityId/values/attributes',
    {
      schema: {
        operationId: 'getAttributes',
        tags,
        summary: 'Attributes of all scopes',
        params: EntityParams,
        querystring: KeysQuery,
        response: { 200: attributesText, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => readAttributes(reply, callerOf(request), request.params, queryKeys(request.query), 'values'),
  );

  app.get(
    '/:entityType/:entityId/values/attributes/:scope',
    {
      schema: {
        operationId: 'getAttributesByScope',
        tags,
        summary: 'Attributes of one scope',
        params: ScopeParams,
        querystring: KeysQuery,
        response: { 200: attributesText, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => readAttributes(reply, callerOf(request), request.params, queryKeys(request.query), 'values'),
  );

  app.get(
    '/:entityType/:entityId/keys/attributes',
    {
      schema: {
        operationId: 'getAttributeKeys',
        tags,
        summary: 'Names of the attributes of all scopes',
        params: EntityParams,
        response: { 200: namesText, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => readAttributes(reply, callerOf(request), request.params, null, 'names'),
  );

  app.get(
    '/:entityType/:entityId/keys/attributes/:scope',
    {
      schema: {
        operationId: 'getAttributeKeysByScope',
        tags,
        summary: 'Names of the attributes of one scope',
        params: ScopeParams,
        response: { 200: namesText, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => readAttributes(reply, callerOf(request), request.params, null, 'names'),
  );
}
