import { AttributesInput, KeysQuery, Uuid } from '@moorage/api-types';
import type { Caller } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { attributeScope } from '../telemetry/attribute-scope.ts';
import { telemetryOf } from '../telemetry/entity-telemetry.ts';
import { queryKeys } from '../telemetry/query-keys.ts';
import { type BodyReader, rawBody } from '../telemetry/read-values.ts';
import { barePlatformRefusal, bareRefusal, telemetryRefusalResponses } from '../telemetry/telemetry-refusals.ts';
import { emptyResponse } from './operation.ts';

const tags = ['telemetry'];

const scope = Type.String({ examples: ['SERVER_SCOPE', 'SHARED_SCOPE'] });
const DeviceParams = Type.Object({ deviceId: Uuid, scope });
const EntityParams = Type.Object({ entityType: Type.String({ examples: ['DEVICE'] }), entityId: Uuid, scope });

/** Writing and deleting attributes. thingsboard-server.md, 3.3 and 3.4 */
export function registerAttributeWriteRoutes(app: ApiServer, context: ApiContext, reader: BodyReader): void {
  const save = async (
    reply: FastifyReply,
    caller: Caller,
    params: { readonly entityType: string; readonly entityId: string; readonly scope: string },
    body: unknown,
  ) => {
    const entity = telemetryOf(context, reply, params.entityType);
    if ('status' in entity) return entity;
    const named = attributeScope(params.scope);
    if (named === undefined || named === 'CLIENT') return bareRefusal(reply, 400, `Invalid scope: ${params.scope}`);
    const read = reader.attributes(body);
    if (!read.ok) return bareRefusal(reply, 400, read.message);
    const result = await entity.telemetry.saveAttributes(caller, params.entityId, named, read.value);
    return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result, entity.typeName);
  };

  const remove = async (
    reply: FastifyReply,
    caller: Caller,
    params: { readonly entityType: string; readonly entityId: string; readonly scope: string },
    keys: readonly string[] | null,
  ) => {
    const entity = telemetryOf(context, reply, params.entityType);
    if ('status' in entity) return entity;
    const named = attributeScope(params.scope);
    if (named === undefined) return bareRefusal(reply, 400, `Invalid scope: ${params.scope}`);
    if (keys === null) return bareRefusal(reply, 400, 'Empty keys: []');
    const result = await entity.telemetry.removeAttributes(caller, params.entityId, named, keys);
    return result.ok ? reply.send(undefined) : barePlatformRefusal(reply, result, entity.typeName);
  };

  app.post(
    '/:deviceId/:scope',
    {
      schema: {
        operationId: 'saveDeviceAttributes',
        tags,
        summary: 'Write attributes of a device',
        params: DeviceParams,
        body: rawBody(AttributesInput),
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => {
      const { deviceId, scope } = request.params;
      return save(reply, callerOf(request), { entityType: 'DEVICE', entityId: deviceId, scope }, request.body);
    },
  );

  app.post(
    '/:entityType/:entityId/:scope',
    {
      schema: {
        operationId: 'saveEntityAttributesV1',
        tags,
        summary: 'Write attributes',
        params: EntityParams,
        body: rawBody(AttributesInput),
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => save(reply, callerOf(request), request.params, request.body),
  );

  app.post(
    '/:entityType/:entityId/attributes/:scope',
    {
      schema: {
        operationId: 'saveEntityAttributesV2',
        tags,
        summary: 'Write attributes',
        params: EntityParams,
        body: rawBody(AttributesInput),
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => save(reply, callerOf(request), request.params, request.body),
  );

  app.delete(
    '/:deviceId/:scope',
    {
      schema: {
        operationId: 'deleteDeviceAttributes',
        tags,
        summary: 'Delete attributes of a device',
        params: DeviceParams,
        querystring: KeysQuery,
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => {
      const { deviceId, scope } = request.params;
      const params = { entityType: 'DEVICE', entityId: deviceId, scope };
      return remove(reply, callerOf(request), params, queryKeys(request.query));
    },
  );

  app.delete(
    '/:entityType/:entityId/:scope',
    {
      schema: {
        operationId: 'deleteEntityAttributes',
        tags,
        summary: 'Delete attributes',
        params: EntityParams,
        querystring: KeysQuery,
        response: { 200: emptyResponse, ...telemetryRefusalResponses },
      },
    },
    (request, reply) => remove(reply, callerOf(request), request.params, queryKeys(request.query)),
  );
}
