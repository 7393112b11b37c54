import {
  Dashboard,
  DashboardInfo,
  DashboardInfoPage,
  DashboardInput,
  DashboardListQuery,
  HomeDashboard,
  HomeDashboardInfo,
  nullableRefTo,
  refTo,
  Uuid,
} from '@moorage/api-types';
import type { DashboardListQuery as CoreQuery } from '@moorage/core';
import { type TSchema, Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { dashboardJson, fromDashboardInput, toDashboardInfo, toHomeDashboardInfo } from '../entities/dashboard.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { acceptJsonTexts } from '../validation/json-texts.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['dashboard'];
const orEmpty = (schema: TSchema & { readonly $id: string }) =>
  nullableRefTo(schema, { description: 'An empty body if there is none.' });
const JSON_TYPE = 'application/json; charset=utf-8';
/** Points that widgets ask for at most. thingsboard-server.md, 2.9 */
const MAX_DATAPOINTS = 50_000;

/** An answer that is written by hand, documented as what it is. */
function writtenAs(schema: TSchema & { readonly $id: string }) {
  return Type.Unsafe<string>(Type.Ref(schema.$id));
}

function toListQuery(query: DashboardListQuery): CoreQuery {
  return { ...toPageQuery(query), mobile: query.mobile ?? false };
}

/** thingsboard-server.md, 2.9 */
export async function registerDashboardRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  registerListRoutes(app, context);
  registerSingleRoutes(app, context);
  registerHomeRoutes(app, context);
  await app.register(async (scope: ApiServer) => registerSaveRoute(scope, context));
}

/** Alone in its scope: it keeps the text of its bodies. */
function registerSaveRoute(app: ApiServer, context: ApiContext): void {
  const textOf = acceptJsonTexts(app);
  app.post(
    '/dashboard',
    {
      schema: {
        operationId: 'saveDashboard',
        tags,
        summary: 'Create a dashboard, or update it if the body has an id',
        body: refTo(DashboardInput),
        response: { 200: writtenAs(Dashboard), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const input = fromDashboardInput(request.body, textOf(request.body));
      const result = await context.platform.dashboards.save(callerOf(request), input);
      if (!result.ok) return context.refusals.platform(reply, result);
      return reply.type(JSON_TYPE).send(dashboardJson(result.value));
    },
  );
}

function registerSingleRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { dashboards } = context.platform;

  app.get(
    '/dashboard/:id',
    {
      schema: {
        operationId: 'getDashboard',
        tags,
        summary: 'A dashboard with what it shows',
        params: IdParams,
        response: { 200: writtenAs(Dashboard), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await dashboards.get(callerOf(request), request.params.id);
      if (!result.ok) return refusals.platform(reply, result);
      return reply.type(JSON_TYPE).send(dashboardJson(result.value));
    },
  );

  app.get(
    '/dashboard/info/:id',
    {
      schema: {
        operationId: 'getDashboardInfo',
        tags,
        summary: 'A dashboard without what it shows',
        params: IdParams,
        response: { 200: refTo(DashboardInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await dashboards.info(callerOf(request), request.params.id);
      return result.ok ? toDashboardInfo(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/dashboard/:id',
    {
      schema: {
        operationId: 'deleteDashboard',
        tags,
        summary: 'Delete a dashboard, its assignments and its relations',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await dashboards.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}

function registerListRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { dashboards } = context.platform;

  app.get(
    '/tenant/dashboards',
    {
      schema: {
        operationId: 'getTenantDashboards',
        tags,
        summary: 'Dashboards of the tenant',
        querystring: DashboardListQuery,
        response: { 200: refTo(DashboardInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await dashboards.list(callerOf(request), toListQuery(request.query));
      return result.ok ? mapPage(result.value, toDashboardInfo) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/dashboards',
    {
      schema: {
        operationId: 'getCustomerDashboards',
        tags,
        summary: 'Dashboards that a customer sees',
        params: Type.Object({ customerId: Uuid }),
        querystring: DashboardListQuery,
        response: { 200: refTo(DashboardInfoPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId } = request.params;
      const result = await dashboards.ofCustomer(callerOf(request), customerId, toListQuery(request.query));
      return result.ok ? mapPage(result.value, toDashboardInfo) : refusals.platform(reply, result);
    },
  );
}

function registerHomeRoutes(app: ApiServer, context: ApiContext): void {
  const { clock, refusals } = context;
  const { dashboards } = context.platform;

  app.get(
    '/dashboard/serverTime',
    {
      schema: {
        operationId: 'getServerTime',
        tags,
        summary: 'The time of the server in epoch milliseconds',
        response: { 200: Type.Integer(), ...refusalResponses },
      },
    },
    async () => clock.now(),
  );

  app.get(
    '/dashboard/maxDatapointsLimit',
    {
      schema: {
        operationId: 'getMaxDatapointsLimit',
        tags,
        summary: 'How many points a widget should ask for at most',
        response: { 200: Type.Integer(), ...refusalResponses },
      },
    },
    async () => MAX_DATAPOINTS,
  );

  app.get(
    '/dashboard/home',
    {
      schema: {
        operationId: 'getHomeDashboard',
        tags,
        summary: 'The dashboard that opens after sign-in; an empty body if there is none',
        response: { 200: Type.Unsafe<string | undefined>(orEmpty(HomeDashboard)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const home = await dashboards.home(caller);
      if (!home.ok) return refusals.platform(reply, home);
      if (home.value === null) return reply.send(undefined);
      const dashboard = await dashboards.get(caller, home.value.dashboardId);
      if (!dashboard.ok) return refusals.platform(reply, dashboard);
      const more = { hideDashboardToolbar: home.value.hideToolbar };
      return reply.type(JSON_TYPE).send(dashboardJson(dashboard.value, more));
    },
  );

  app.get(
    '/dashboard/home/info',
    {
      schema: {
        operationId: 'getHomeDashboardInfo',
        tags,
        summary: 'Which dashboard opens after sign-in; an empty body if none does',
        response: { 200: Type.Unsafe<HomeDashboardInfo | undefined>(orEmpty(HomeDashboardInfo)), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const home = await dashboards.home(callerOf(request));
      if (!home.ok) return refusals.platform(reply, home);
      return home.value === null ? reply.send(undefined) : toHomeDashboardInfo(home.value);
    },
  );
}
