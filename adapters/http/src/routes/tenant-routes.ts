import { PageLink, refTo, Tenant, TenantInput, TenantPage, UserPage, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { fromTenantInput, toTenant } from '../entities/tenant.ts';
import { toUser } from '../entities/user.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['tenant'];

/** thingsboard-server.md, 0.6 */
export function registerTenantRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { tenants, users } = context.platform;

  app.post(
    '/tenant',
    {
      schema: {
        operationId: 'saveTenant',
        tags,
        summary: 'Create a tenant, or update it if the body has an id; for system administrators',
        description: 'Its administrators are made by POST /api/user with `authority` TENANT_ADMIN and its `tenantId`.',
        body: refTo(TenantInput),
        response: { 200: refTo(Tenant), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await tenants.save(callerOf(request), fromTenantInput(request.body));
      return result.ok ? toTenant(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/:id',
    {
      schema: {
        operationId: 'getTenantById',
        tags,
        summary: 'A tenant; for system administrators, and for administrators of that tenant',
        params: IdParams,
        response: { 200: refTo(Tenant), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await tenants.get(callerOf(request), request.params.id);
      return result.ok ? toTenant(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenants',
    {
      schema: {
        operationId: 'getTenants',
        tags,
        summary: 'All tenants; for system administrators',
        querystring: PageLink,
        response: { 200: refTo(TenantPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await tenants.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toTenant) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/tenant/:id',
    {
      schema: {
        operationId: 'deleteTenant',
        tags,
        summary: 'Delete a tenant with all that is its; for system administrators',
        description: 'The tenant and its users are gone at once; devices and data go in the background.',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await tenants.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/:tenantId/users',
    {
      schema: {
        operationId: 'getTenantAdmins',
        tags,
        summary: 'Administrators of a tenant',
        params: Type.Object({ tenantId: Uuid }),
        querystring: PageLink,
        response: { 200: refTo(UserPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { tenantId } = request.params;
      const result = await users.ofTenant(callerOf(request), tenantId, toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toUser) : refusals.platform(reply, result);
    },
  );
}
