import { Customer, CustomerInput, CustomerPage, CustomerShortInfo, PageLink, refTo } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { fromCustomerInput, toCustomer } from '../entities/customer.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['customer'];

/** thingsboard-server.md, 2.6 */
export function registerCustomerRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { customers } = context.platform;

  app.post(
    '/customer',
    {
      schema: {
        operationId: 'saveCustomer',
        tags,
        summary: 'Create a customer, or update it if the body has an id',
        body: refTo(CustomerInput),
        response: { 200: refTo(Customer), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.save(callerOf(request), fromCustomerInput(request.body));
      return result.ok ? toCustomer(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:id',
    {
      schema: {
        operationId: 'getCustomer',
        tags,
        summary: 'A customer',
        params: IdParams,
        response: { 200: refTo(Customer), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.get(callerOf(request), request.params.id);
      return result.ok ? toCustomer(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:id/shortInfo',
    {
      schema: {
        operationId: 'getCustomerShortInfo',
        tags,
        summary: 'Title of a customer, and whether it is the public one',
        params: IdParams,
        response: { 200: refTo(CustomerShortInfo), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.get(callerOf(request), request.params.id);
      if (!result.ok) return refusals.platform(reply, result);
      return { title: result.value.title, isPublic: result.value.isPublic };
    },
  );

  app.get(
    '/customer/:id/title',
    {
      schema: {
        operationId: 'getCustomerTitle',
        tags,
        summary: 'Title of a customer as plain text',
        params: IdParams,
        produces: ['text/plain'],
        response: { 200: Type.String(), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.get(callerOf(request), request.params.id);
      if (!result.ok) return refusals.platform(reply, result);
      return reply.type('text/plain; charset=utf-8').send(result.value.title);
    },
  );

  app.delete(
    '/customer/:id',
    {
      schema: {
        operationId: 'deleteCustomer',
        tags,
        summary: 'Delete a customer with its users; its devices are taken back',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customers',
    {
      schema: {
        operationId: 'getCustomers',
        tags,
        summary: 'Customers of the tenant',
        querystring: PageLink,
        response: { 200: refTo(CustomerPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toCustomer) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/tenant/customers',
    {
      schema: {
        operationId: 'getTenantCustomer',
        tags,
        summary: 'The customer of a title',
        querystring: Type.Object({ customerTitle: Type.String({ minLength: 1, maxLength: 255 }) }),
        response: { 200: refTo(Customer), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await customers.byTitle(callerOf(request), request.query.customerTitle);
      return result.ok ? toCustomer(result.value) : refusals.platform(reply, result);
    },
  );
}
