import { ConnectionLogPage, refTo } from '@moorage/api-types';
import { NULL_ID, refuse } from '@moorage/core';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { MAX_PAGE_SIZE } from '../entities/pages.ts';
import type { LoggedConnection } from '../options.ts';
import { DeviceParams, emptyResponse, refusalResponses } from './operation.ts';

const tags = ['connection'];

const PageOfLog = Type.Object({
  pageSize: Type.Integer({ minimum: 1 }),
  page: Type.Integer({ minimum: 0 }),
});
type PageOfLog = { readonly pageSize: number; readonly page: number };

function toPage(entries: readonly LoggedConnection[], query: PageOfLog): ConnectionLogPage {
  const pageSize = Math.min(query.pageSize, MAX_PAGE_SIZE);
  const from = query.page * pageSize;
  return {
    data: entries.slice(from, from + pageSize).map(({ level, said, ...entry }) => ({
      ts: entry.ts,
      event: entry.event,
      dialect: entry.dialect,
      address: entry.address,
      listener: entry.listener,
      protocolLevel: level,
      clientId: entry.clientId,
      username: entry.username,
      code: entry.code,
      reason: entry.reason,
      row: entry.row,
      count: entry.count,
      looksLike: entry.looksLike,
      said: [...said],
    })),
    totalPages: Math.ceil(entries.length / pageSize),
    totalElements: entries.length,
    hasNext: from + pageSize < entries.length,
  };
}

/** Who connected, who was refused and why. api-additions.md, 3 */
export function registerConnectionRoutes(app: ApiServer, context: ApiContext): void {
  const { connections, refusals } = context;
  const { devices } = context.platform;

  app.get(
    '/device/:deviceId/connectionLog',
    {
      schema: {
        operationId: 'getDeviceConnectionLog',
        tags,
        summary: 'Connects, refusals and disconnects of a device with plain reasons, newest first',
        params: DeviceParams,
        querystring: PageOfLog,
        response: { 200: refTo(ConnectionLogPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const device = await devices.get(callerOf(request), request.params.deviceId);
      if (!device.ok) return refusals.platform(reply, device);
      return toPage(connections.logOf(device.value.id), request.query);
    },
  );

  app.get(
    '/connectionLog',
    {
      schema: {
        operationId: 'getConnectionLog',
        tags,
        summary: 'The newest connects, refusals and disconnects, also attempts that no dialect claimed',
        querystring: Type.Object({ ...PageOfLog.properties, refusedOnly: Type.Optional(Type.Boolean()) }),
        response: { 200: refTo(ConnectionLogPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { authority, tenantId } = callerOf(request);
      if (authority === 'CUSTOMER_USER') return refusals.platform(reply, refuse('permissionDenied'));
      const entries = connections.recent(tenantId === NULL_ID ? null : tenantId);
      const { refusedOnly = false } = request.query;
      return toPage(refusedOnly ? entries.filter((entry) => entry.event === 'refused') : entries, request.query);
    },
  );

  app.post(
    '/device/:deviceId/disconnect',
    {
      schema: {
        operationId: 'disconnectDevice',
        tags,
        summary: 'Close the connections of a device; it may come back',
        params: DeviceParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const device = await devices.get(callerOf(request), request.params.deviceId);
      if (!device.ok) return refusals.platform(reply, device);
      connections.disconnect(device.value.id);
      return reply.send(undefined);
    },
  );
}
