import { SeriesDeleteQuery, SeriesInput, Uuid } from '@moorage/api-types';
import type { Caller } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { telemetryOf } from '../telemetry/entity-telemetry.ts';
import { queryKeys } from '../telemetry/query-keys.ts';
import { type BodyReader, rawBody } from '../telemetry/read-values.ts';
import { barePlatformRefusal, bareRefusal, telemetryRefusalResponses } from '../telemetry/telemetry-refusals.ts';
import { emptyResponse } from './operation.ts';

const tags = ['telemetry'];

const SeriesParams = Type.Object({
  entityType: Type.String({ examples: ['DEVICE'] }),
  entityId: Uuid,
  scope: Type.String({ description: 'Ignored; clients send ANY.', examples: ['ANY'] }),
});
const TtlParams = Type.Object({
  ...SeriesParams.properties,
  ttl: Type.Integer({ minimum: 0, description: 'Seconds from now; 0: as long as any other point.' }),
});
const EntityParams = Type.Object({
  entityType: SeriesParams.properties.entityType,
  entityId: SeriesParams.properties.entityId,
});

/** Writing and deleting series. thingsboard-server.md, 3.3 and 3.4 */
export function registerTelemetryWriteRoutes(app: ApiServer, context: ApiContext, reader: BodyReader): void {
  const { clock } = context;

  const save = async (
    reply: FastifyReply,
    caller: Caller,
    params: { readonly entityType: string; readonly entityId: string },
    body: unknown,
    ttlSeconds: number,
  ) => {
    const entity = telemetryOf(context, reply, params.entityType);
    if ('status' in entity) return entity;
    const read = reader.series(body, clock.now());
    if (!read.ok) return bareRefusal(reply, 400, read.message);
    const result = await entity.telemetry.save(caller, params.entityId, read.value, ttlSeconds * 1000);
    return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result, entity.typeName);
  };

  app.post(
    '/:entityType/:entityId/timeseries/:scope',
    {
      schema: {
        operationId: 'saveTimeseries',
        tags,
        summary: 'Store points',
        params: SeriesParams,
        body: rawBody(SeriesInput),
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => save(reply, callerOf(request), request.params, request.body, 0),
  );

  app.post(
    '/:entityType/:entityId/timeseries/:scope/:ttl',
    {
      schema: {
        operationId: 'saveTimeseriesWithTtl',
        tags,
        summary: 'Store points that expire',
        params: TtlParams,
        body: rawBody(SeriesInput),
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => save(reply, callerOf(request), request.params, request.body, request.params.ttl),
  );

  app.delete(
    '/:entityType/:entityId/timeseries/delete',
    {
      schema: {
        operationId: 'deleteTimeseries',
        tags,
        summary: 'Delete points of series in a range, or all of them',
        params: EntityParams,
        querystring: SeriesDeleteQuery,
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const { entityType, entityId } = request.params;
      const entity = telemetryOf(context, reply, entityType);
      if ('status' in entity) return entity;
      const { startTs, endTs, deleteAllDataForKeys, deleteLatest, rewriteLatestIfDeleted } = request.query;
      const keys = queryKeys(request.query);
      if (keys === null) return bareRefusal(reply, 400, 'Empty keys: []');
      let range: { readonly startTs: number; readonly endTs: number } | null = null;
      if (deleteAllDataForKeys !== true) {
        if (startTs === undefined || endTs === undefined) {
          return bareRefusal(reply, 400, 'When deleteAllDataForKeys is false, startTs and endTs must both be given');
        }
        range = { startTs, endTs };
      }
      const latestAfter = rewriteLatestIfDeleted === true ? 'rewrite' : deleteLatest === false ? 'keep' : 'delete';
      const result = await entity.telemetry.remove(callerOf(request), entityId, { keys, range, latestAfter });
      return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result, entity.typeName);
    },
  );
}
