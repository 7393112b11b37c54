import { SeriesDeleteQuery, SeriesInput, Uuid } from '@moorage/api-types';
import type { Caller } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { queryKeys } from '../telemetry/query-keys.ts';
import { type BodyReader, rawBody } from '../telemetry/read-values.ts';
import {
  barePlatformRefusal,
  bareRefusal,
  entityTypeRefusal,
  telemetryRefusalResponses,
} from '../telemetry/telemetry-refusals.ts';
import { emptyResponse } from './operation.ts';

const tags = ['telemetry'];

const SeriesParams = Type.Object({
  entityType: Type.String({ examples: ['DEVICE'] }),
  entityId: Uuid,
  scope: Type.String({ description: 'Ignored; clients send ANY.', examples: ['ANY'] }),
});
const TtlParams = Type.Object({
  ...SeriesParams.properties,
  ttl: Type.Integer({ minimum: 0, description: "Seconds; 0: the tenant's default. Only 0 is offered yet." }),
});
const EntityParams = Type.Object({
  entityType: SeriesParams.properties.entityType,
  entityId: SeriesParams.properties.entityId,
});

/** Writing and deleting series. thingsboard-server.md, 3.3 and 3.4 */
export function registerTelemetryWriteRoutes(app: ApiServer, context: ApiContext, reader: BodyReader): void {
  const { clock, refusals } = context;
  const { telemetry } = context.platform;

  const save = async (
    reply: FastifyReply,
    caller: Caller,
    params: { readonly entityType: string; readonly entityId: string },
    body: unknown,
  ) => {
    const refusal = entityTypeRefusal(refusals, reply, params.entityType);
    if (refusal !== undefined) return refusal;
    const read = reader.series(body, clock.now());
    if (!read.ok) return bareRefusal(reply, 400, read.message);
    const result = await telemetry.save(caller, params.entityId, read.value);
    return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result);
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
    (request, reply) => save(reply, callerOf(request), request.params, request.body),
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
    async (request, reply) => {
      if (request.params.ttl > 0) return bareRefusal(reply, 501, 'A time to live of points is not offered yet: send 0');
      return save(reply, callerOf(request), request.params, request.body);
    },
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
      const refusal = entityTypeRefusal(refusals, reply, entityType);
      if (refusal !== undefined) return refusal;
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
      const result = await telemetry.remove(callerOf(request), entityId, { keys, range, latestAfter });
      return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result);
    },
  );
}
