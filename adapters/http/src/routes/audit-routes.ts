import { AuditLogPage, AuditLogQuery, refTo, Uuid } from '@moorage/api-types';
import type { AuditScope } from '@moorage/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { toAuditLog, toAuditQuery } from '../entities/audit-log.ts';
import { mapPage } from '../entities/pages.ts';
import { refusalResponses } from './operation.ts';

const tags = ['audit log'];

/** thingsboard-server.md, 8.4 */
export function registerAuditRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { audit } = context.platform;

  const list = async (
    request: Pick<FastifyRequest, 'signedIn'> & { readonly query: AuditLogQuery },
    reply: FastifyReply,
    scope: AuditScope,
  ) => {
    const result = await audit.list(callerOf(request), scope, toAuditQuery(request.query));
    return result.ok ? mapPage(result.value, toAuditLog) : refusals.platform(reply, result);
  };
  const common = { querystring: AuditLogQuery, response: { 200: refTo(AuditLogPage), ...refusalResponses } };

  app.get(
    '/audit/logs',
    { schema: { operationId: 'getAuditLogs', tags, summary: 'What was done in the tenant, newest first', ...common } },
    (request, reply) => list(request, reply, { of: 'tenant' }),
  );

  app.get(
    '/audit/logs/customer/:customerId',
    {
      schema: {
        operationId: 'getAuditLogsByCustomerId',
        tags,
        summary: 'What users of a customer did',
        params: Type.Object({ customerId: Uuid }),
        ...common,
      },
    },
    (request, reply) => list(request, reply, { of: 'customer', customerId: request.params.customerId }),
  );

  app.get(
    '/audit/logs/user/:userId',
    {
      schema: {
        operationId: 'getAuditLogsByUserId',
        tags,
        summary: 'What a user did',
        params: Type.Object({ userId: Uuid }),
        ...common,
      },
    },
    (request, reply) => list(request, reply, { of: 'user', userId: request.params.userId }),
  );

  app.get(
    '/audit/logs/entity/:entityType/:entityId',
    {
      schema: {
        operationId: 'getAuditLogsByEntityId',
        tags,
        summary: 'What was done to an entity',
        params: Type.Object({ entityType: Type.String({ maxLength: 64 }), entityId: Uuid }),
        ...common,
      },
    },
    (request, reply) => {
      const { entityType, entityId } = request.params;
      return list(request, reply, { of: 'entity', entityType: entityType.toUpperCase(), entityId });
    },
  );
}
