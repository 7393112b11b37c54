import { CustomerIds, Dashboard, refTo, Uuid } from '@moorage/api-types';
import type { Dashboard as CoreDashboard, Result } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { dashboardJson } from '../entities/dashboard.ts';
import { IdParams, refusalResponses } from './operation.ts';

const tags = ['dashboard'];
const JSON_TYPE = 'application/json; charset=utf-8';

const DashboardParams = Type.Object({ dashboardId: Uuid });
const PairParams = Type.Object({ customerId: Uuid, dashboardId: Uuid });
// The answers are written by hand: the configuration in them is text.
const response = { 200: Type.Unsafe<string>(refTo(Dashboard)), ...refusalResponses };

/** Which customers see a dashboard. thingsboard-server.md, 2.7 */
export function registerDashboardCustomerRoutes(app: ApiServer, context: ApiContext): void {
  const { dashboards } = context.platform;

  const send = (reply: FastifyReply, result: Result<CoreDashboard>) => {
    if (!result.ok) return context.refusals.platform(reply, result);
    return reply.type(JSON_TYPE).send(dashboardJson(result.value));
  };

  app.post(
    '/customer/:customerId/dashboard/:dashboardId',
    {
      schema: {
        operationId: 'assignDashboardToCustomer',
        tags,
        summary: 'Let a customer see a dashboard',
        params: PairParams,
        response,
      },
    },
    async (request, reply) => {
      const { customerId, dashboardId } = request.params;
      return send(reply, await dashboards.changeCustomers(callerOf(request), dashboardId, 'add', [customerId]));
    },
  );

  app.delete(
    '/customer/:customerId/dashboard/:dashboardId',
    {
      schema: {
        operationId: 'unassignDashboardFromCustomer',
        tags,
        summary: 'Take a dashboard back from a customer',
        params: PairParams,
        response,
      },
    },
    async (request, reply) => {
      const { customerId, dashboardId } = request.params;
      return send(reply, await dashboards.changeCustomers(callerOf(request), dashboardId, 'remove', [customerId]));
    },
  );

  for (const [path, change, operationId, summary] of [
    ['customers', 'set', 'updateDashboardCustomers', 'Let these customers see a dashboard, and no others'],
    ['customers/add', 'add', 'addDashboardCustomers', 'Let these customers see a dashboard too'],
    ['customers/remove', 'remove', 'removeDashboardCustomers', 'Take a dashboard back from these customers'],
  ] as const) {
    app.post(
      `/dashboard/:id/${path}`,
      { schema: { operationId, tags, summary, params: IdParams, body: CustomerIds, response } },
      async (request, reply) => {
        const ids = request.body.map((id) => id.toLowerCase());
        return send(reply, await dashboards.changeCustomers(callerOf(request), request.params.id, change, ids));
      },
    );
  }

  app.post(
    '/customer/public/dashboard/:dashboardId',
    {
      schema: {
        operationId: 'assignDashboardToPublicCustomer',
        tags,
        summary: 'Let the public customer, which is made at first use, see a dashboard',
        params: DashboardParams,
        response,
      },
    },
    async (request, reply) =>
      send(reply, await dashboards.changePublic(callerOf(request), request.params.dashboardId, 'add')),
  );

  app.delete(
    '/customer/public/dashboard/:dashboardId',
    {
      schema: {
        operationId: 'unassignDashboardFromPublicCustomer',
        tags,
        summary: 'Take a dashboard back from the public customer',
        params: DashboardParams,
        response,
      },
    },
    async (request, reply) =>
      send(reply, await dashboards.changePublic(callerOf(request), request.params.dashboardId, 'remove')),
  );
}
