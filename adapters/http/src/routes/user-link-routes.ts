import {
  ActivateUserRequest,
  ResetPasswordByEmailRequest,
  ResetPasswordRequest,
  refTo,
  TokenPair,
  UserLink,
} from '@moorage/api-types';
import type { Result } from '@moorage/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type ApiContext, type ApiServer, callerOf } from '../api-context.ts';
import { guideHost } from './guide-host.ts';
import { emptyResponse, IdParams, PUBLIC, refusalResponses } from './operation.ts';

const BODY_LIMIT = 65_536;
const tags = ['user'];
/** Life of a new link, in milliseconds. */
const LINK_LIFE_MS = 86_400_000;

const text = { produces: ['text/plain'] };
const linkResponse = { 200: Type.String({ description: 'The link.' }), ...refusalResponses };
const token = Type.String({ maxLength: 255 });

/** Address of a path on this server as the caller reaches it. */
function linkTo(request: FastifyRequest, path: string): string {
  const host = guideHost(undefined, request.hostname) ?? 'localhost';
  const name = host.includes(':') ? `[${host}]` : host;
  const port = request.port === null || !Number.isInteger(request.port) ? '' : `:${request.port}`;
  return `${request.protocol === 'https' ? 'https' : 'http'}://${name}${port}${path}`;
}

/** Links by which users set a password; administrators fetch them, since no mail is sent. thingsboard-server.md, 1.6, 1.7 */
export function registerUserLinkRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals } = context;
  const { users } = context.platform;

  const activationLink = async (request: FastifyRequest, id: string): Promise<Result<string>> => {
    const result = await users.activationToken(callerOf(request), id);
    if (!result.ok) return result;
    return { ok: true, value: linkTo(request, `/api/noauth/activate?activateToken=${result.value}`) };
  };

  app.get(
    '/user/:id/activationLink',
    {
      schema: {
        operationId: 'getActivationLink',
        tags,
        summary: 'A new link by which a user sets its first password; the former one stops working',
        params: IdParams,
        ...text,
        response: linkResponse,
      },
    },
    async (request, reply) => {
      const link = await activationLink(request, request.params.id);
      return link.ok ? sendText(reply, link.value) : refusals.platform(reply, link);
    },
  );

  app.get(
    '/user/:id/activationLinkInfo',
    {
      schema: {
        operationId: 'getActivationLinkInfo',
        tags,
        summary: 'The same with its life',
        params: IdParams,
        response: { 200: refTo(UserLink), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const link = await activationLink(request, request.params.id);
      return link.ok ? { value: link.value, ttlMs: LINK_LIFE_MS } : refusals.platform(reply, link);
    },
  );

  app.post(
    '/user/:id/resetPasswordLink',
    {
      schema: {
        operationId: 'createResetPasswordLink',
        tags,
        summary: 'A new link by which a user sets another password; the former one stops working',
        params: IdParams,
        ...text,
        response: linkResponse,
      },
    },
    async (request, reply) => {
      const result = await users.resetToken(callerOf(request), request.params.id);
      if (!result.ok) return refusals.platform(reply, result);
      return sendText(reply, linkTo(request, `/api/noauth/resetPassword?resetToken=${result.value}`));
    },
  );
}

/** What the links lead to: calls without a token. thingsboard-server.md, 1.6 */
export function registerPublicUserRoutes(app: ApiServer, context: ApiContext): void {
  const { refusals, tokens } = context;
  const { users } = context.platform;

  /** To the page of the console with the token, as ThingsBoard does; 409 for a link that is not good any more. */
  const follow = (reply: FastifyReply, good: boolean, page: string) =>
    good ? reply.code(303).header('location', page).send() : reply.code(409).send();

  app.get(
    '/noauth/activate',
    {
      schema: {
        operationId: 'checkActivateToken',
        tags,
        summary: 'Follow an activation link',
        description: '303 to the page where the password is set; 409 if the link is unknown, used or too old.',
        security: PUBLIC,
        querystring: Type.Object({ activateToken: token }),
        response: { 200: emptyResponse, 303: emptyResponse, 409: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { activateToken } = request.query;
      const page = `/login/createPassword?activateToken=${encodeURIComponent(activateToken)}`;
      return follow(reply, await users.isToken(activateToken, 'activation'), page);
    },
  );

  app.post(
    '/noauth/activate',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'activateUser',
        tags,
        summary: 'Set the first password of a user, and sign in',
        security: PUBLIC,
        body: refTo(ActivateUserRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.activate(request.body.activateToken, request.body.password);
      return result.ok ? tokens.issue(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/noauth/resetPasswordByEmail',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'requestResetPasswordByEmail',
        tags,
        summary: 'Ask for a link to set another password',
        description:
          'Always 200, so that nobody learns who has an account. No mail is sent: an administrator makes the link.',
        security: PUBLIC,
        body: refTo(ResetPasswordByEmailRequest),
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (_request, reply) => reply.send(undefined),
  );

  app.get(
    '/noauth/resetPassword',
    {
      schema: {
        operationId: 'checkResetToken',
        tags,
        summary: 'Follow a link to set another password',
        description: '303 to the page where the password is set; 409 if the link is unknown, used or too old.',
        security: PUBLIC,
        querystring: Type.Object({ resetToken: token }),
        response: { 200: emptyResponse, 303: emptyResponse, 409: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { resetToken } = request.query;
      const page = `/login/resetPassword?resetToken=${encodeURIComponent(resetToken)}`;
      return follow(reply, await users.isToken(resetToken, 'reset'), page);
    },
  );

  app.post(
    '/noauth/resetPassword',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        operationId: 'resetPassword',
        tags,
        summary: 'Set another password, and sign in; tokens issued before stop working',
        security: PUBLIC,
        body: refTo(ResetPasswordRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await users.resetPassword(request.body.resetToken, request.body.password);
      return result.ok ? tokens.issue(result.value) : refusals.platform(reply, result);
    },
  );
}

function sendText(reply: FastifyReply, body: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(body);
}
