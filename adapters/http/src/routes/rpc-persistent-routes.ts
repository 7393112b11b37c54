import { Rpc, RpcListQuery, RpcPage, refTo } from '@moorage/api-types';
import { PLATFORM_ERRORS, type PlatformError, rpcStatus } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toPageQuery } from '../entities/pages.ts';
import { rpcJson, rpcPageJson } from '../entities/rpc.ts';
import { barePlatformRefusal, bareRefusal, telemetryRefusalResponses } from '../telemetry/telemetry-refusals.ts';
import { DeviceParams, emptyResponse, IdParams } from './operation.ts';

const tags = ['rpc'];
const JSON_TYPE = 'application/json; charset=utf-8';

/** A response that the handler gives as finished JSON text. */
function jsonText(schema: TSchema) {
  return Type.Unsafe<string>(schema);
}

/** The refusal of a call that names the RPC and not its device. */
function recordRefusal(reply: FastifyReply, refusal: PlatformError): string {
  return bareRefusal(reply, PLATFORM_ERRORS[refusal.code].httpStatus, refusal.message);
}

/** Persistent RPC. thingsboard-server.md, 4.3 */
export function registerRpcPersistentRoutes(app: ApiServer, context: ApiContext): void {
  const { rpc } = context.platform;

  app.get(
    '/persistent/:id',
    {
      schema: {
        operationId: 'getPersistedRpc',
        tags,
        summary: 'A persistent RPC with its state',
        params: IdParams,
        response: { 200: jsonText(refTo(Rpc)), ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const result = await rpc.get(callerOf(request), request.params.id);
      return result.ok ? reply.type(JSON_TYPE).send(rpcJson(result.value)) : recordRefusal(reply, result);
    },
  );

  app.get(
    '/persistent/device/:deviceId',
    {
      schema: {
        operationId: 'getPersistedRpcByDevice',
        tags,
        summary: 'Persistent RPC of a device',
        description:
          'Sorted by `createdTime`, `expirationTime`, `method` or `status`; the search looks into the method.',
        params: DeviceParams,
        querystring: RpcListQuery,
        response: { 200: jsonText(refTo(RpcPage)), ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const { rpcStatus: wanted } = request.query;
      if (wanted === 'DELETED') return bareRefusal(reply, 400, 'RpcStatus: DELETED');
      const query = toPageQuery(request.query);
      const result = await rpc.list(callerOf(request), request.params.deviceId, query, rpcStatus(wanted ?? null));
      return result.ok ? reply.type(JSON_TYPE).send(rpcPageJson(result.value)) : barePlatformRefusal(reply, result);
    },
  );

  app.delete(
    '/persistent/:id',
    {
      schema: {
        operationId: 'deletePersistedRpc',
        tags,
        summary: 'Delete a persistent RPC; one that is not delivered yet will not be',
        params: IdParams,
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    async (request, reply) => {
      const result = await rpc.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : recordRefusal(reply, result);
    },
  );
}
