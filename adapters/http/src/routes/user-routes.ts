import { PageLink, refTo, TokenPair, User, UserInput, UserPage, Uuid } from '@moorage/api-types';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { mapPage, toPageQuery } from '../entities/pages.ts';
import { fromUserInput, toGovernedUser, toUser } from '../entities/user.ts';
import { emptyResponse, IdParams, refusalResponses } from './operation.ts';

const tags = ['user'];

/** thingsboard-server.md, 1.7 */
export function registerUserRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals, tokens } = context;
  const { users } = context.platform;

  app.post(
    '/user',
    {
      schema: {
        operationId: 'saveUser',
        tags,
        summary: 'Create a user, or update it if the body has an id',
        description: 'No mail is sent: the administrator hands over the link of GET /api/user/{id}/activationLink.',
        querystring: Type.Object({
          sendActivationMail: Type.Optional(Type.Boolean({ description: 'Has no effect.' })),
        }),
        body: refTo(UserInput),
        response: { 200: refTo(User), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.save(callerOf(request), fromUserInput(request.body));
      return result.ok ? toUser(result.value) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/user/tokenAccessEnabled',
    {
      schema: {
        operationId: 'isUserTokenAccessEnabled',
        tags,
        summary: 'Whether administrators may have the tokens of users: always true',
        // JSON text that is sent as it is, so its type here is text.
        response: { 200: Type.Unsafe<string>(Type.Boolean()), ...refusalResponses },
      },
    },
    async (_request, reply) => reply.type('application/json; charset=utf-8').send('true'),
  );

  app.get(
    '/user/:id',
    {
      schema: {
        operationId: 'getUserById',
        tags,
        summary: 'A user',
        params: IdParams,
        response: { 200: refTo(User), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.get(callerOf(request), request.params.id);
      return result.ok ? toGovernedUser(result.value) : refusals.platform(reply, result);
    },
  );

  app.delete(
    '/user/:id',
    {
      schema: {
        operationId: 'deleteUser',
        tags,
        summary: 'Delete a user; its tokens stop working at once',
        params: IdParams,
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.remove(callerOf(request), request.params.id);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/users',
    {
      schema: {
        operationId: 'getUsers',
        tags,
        summary: 'Users of the tenant; a customer user sees those of its customer',
        querystring: PageLink,
        response: { 200: refTo(UserPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.list(callerOf(request), toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toUser) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/customer/:customerId/users',
    {
      schema: {
        operationId: 'getCustomerUsers',
        tags,
        summary: 'Users of a customer',
        params: Type.Object({ customerId: Uuid }),
        querystring: PageLink,
        response: { 200: refTo(UserPage), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { customerId } = request.params;
      const result = await users.ofCustomer(callerOf(request), customerId, toPageQuery(request.query));
      return result.ok ? mapPage(result.value, toUser) : refusals.platform(reply, result);
    },
  );

  app.get(
    '/user/:id/token',
    {
      schema: {
        operationId: 'getUserToken',
        tags,
        summary: 'A token pair of a user, for its administrator',
        params: IdParams,
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.actAs(callerOf(request), request.params.id);
      return result.ok ? tokens.issue(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/user/:id/userCredentialsEnabled',
    {
      schema: {
        operationId: 'setUserCredentialsEnabled',
        tags,
        summary: 'Let a user sign in, or keep it out; its tokens stop working at once',
        params: IdParams,
        querystring: Type.Object({
          userCredentialsEnabled: Type.Optional(Type.Boolean({ description: 'True if left out.' })),
        }),
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const enabled = request.query.userCredentialsEnabled ?? true;
      const result = await users.setEnabled(callerOf(request), request.params.id, enabled);
      return result.ok ? reply.send(undefined) : refusals.platform(reply, result);
    },
  );
}
