import {
  ChangePasswordRequest,
  LoginRequest,
  PasswordPolicy,
  PublicLoginRequest,
  RefreshRequest,
  refTo,
  TokenPair,
  User,
} from '@moorage/api-types';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from '@moorage/core';
import type { FastifyReply } from 'fastify';
import { type ApiContext, type ApiServer, callerOf, signedInOf } from '../api-context.ts';
import { userOfToken } from '../auth/authenticate.ts';
import { toUser } from '../entities/user.ts';
import { toFailure } from '../refusals/failure.ts';
import { ErrorCode } from '../refusals/refusals.ts';
import { emptyResponse, PUBLIC, refusalResponses } from './operation.ts';

const AUTH_BODY_LIMIT = 65_536;
const tags = ['auth'];

const PASSWORD_POLICY: PasswordPolicy = {
  minimumLength: MIN_PASSWORD_LENGTH,
  maximumLength: MAX_PASSWORD_LENGTH,
  minimumUppercaseLetters: null,
  minimumLowercaseLetters: null,
  minimumDigits: null,
  minimumSpecialCharacters: null,
  allowWhitespaces: true,
  forceUserToResetPasswordIfNotValid: false,
  passwordExpirationPeriodDays: null,
  passwordReuseFrequencyDays: null,
};

/** Log in and refresh: the calls that need no token. thingsboard-server.md, 1.1 and 1.4 */
export function registerPublicAuthRoutes(app: ApiServer, context: ApiContext): void {
  const { platform, refusals, tokens } = context;

  const authenticationFailed = (reply: FastifyReply) =>
    refusals.object(reply, 401, ErrorCode.authentication, 'Authentication failed');
  /** A body that cannot be read is a failed log-in. */
  const unreadable = (error: unknown, reply: FastifyReply): void => {
    const failure = toFailure(error);
    if (failure.internal) throw error;
    const { status, errorCode, message } = failure;
    reply.send(status === 413 ? refusals.object(reply, status, errorCode, message) : authenticationFailed(reply));
  };

  app.post(
    '/auth/login',
    {
      bodyLimit: AUTH_BODY_LIMIT,
      errorHandler: (error, _request, reply) => unreadable(error, reply),
      schema: {
        operationId: 'login',
        tags,
        summary: 'Log in with e-mail address and password',
        security: PUBLIC,
        body: refTo(LoginRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      if (username.trim() === '' || password === '') {
        return refusals.object(reply, 401, ErrorCode.authentication, 'Authentication failed');
      }
      const result = await platform.accounts.login(username, password, request.ip);
      return result.ok ? tokens.issue(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/auth/login/public',
    {
      bodyLimit: AUTH_BODY_LIMIT,
      errorHandler: (error, _request, reply) => unreadable(error, reply),
      schema: {
        operationId: 'loginPublic',
        tags,
        summary: 'Tokens for anybody who knows the id of a public customer: its devices can be seen, nothing changed',
        security: PUBLIC,
        body: refTo(PublicLoginRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const result = await platform.accounts.loginPublic(request.body.publicId.toLowerCase(), request.ip);
      return result.ok ? tokens.issuePublic(result.value) : refusals.platform(reply, result);
    },
  );

  app.route({
    method: ['GET', 'PUT', 'PATCH', 'DELETE'],
    url: '/auth/login',
    schema: { hide: true },
    handler: async (_request, reply) => authenticationFailed(reply),
  });

  app.post(
    '/auth/token',
    {
      bodyLimit: AUTH_BODY_LIMIT,
      errorHandler: (error, _request, reply) => unreadable(error, reply),
      schema: {
        operationId: 'refreshToken',
        tags,
        summary: 'Exchange a refresh token for a new pair',
        security: PUBLIC,
        body: refTo(RefreshRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const found = await userOfToken(context, await tokens.verifyRefresh(request.body.refreshToken));
      if (found.outcome === 'failed') return refusals.platform(reply, found.failure);
      if (found.outcome === 'refused') {
        return refusals.object(reply, 401, found.refused.errorCode, found.refused.message);
      }
      return tokens.issue(found.user, found.claims);
    },
  );

  app.get(
    '/noauth/userPasswordPolicy',
    {
      schema: {
        operationId: 'getUserPasswordPolicy',
        tags,
        summary: 'What a new password must have',
        security: PUBLIC,
        response: { 200: refTo(PasswordPolicy), ...refusalResponses },
      },
    },
    async () => PASSWORD_POLICY,
  );
}

/** The account of the caller. thingsboard-server.md, 1.6 */
export function registerAuthRoutes(app: ApiServer, context: ApiContext): void {
  const { platform, refusals, tokens } = context;

  app.get(
    '/auth/user',
    {
      schema: {
        operationId: 'getUser',
        tags,
        summary: 'The caller',
        response: { 200: refTo(User), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { userId, customerId, isPublic } = callerOf(request);
      const { accounts } = platform;
      const result = await (isPublic === true ? accounts.publicUser(customerId) : accounts.user(userId));
      return result.ok ? toUser(result.value) : refusals.platform(reply, result);
    },
  );

  app.post(
    '/auth/logout',
    {
      bodyLimit: AUTH_BODY_LIMIT,
      schema: {
        operationId: 'logout',
        tags,
        summary: 'End the session: its tokens stop working',
        description: 'Has no effect with an API key.',
        response: { 200: emptyResponse, ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { sessionId } = signedInOf(request);
      const ended = sessionId === null ? null : await context.revokedSessions.add(sessionId, tokens.sessionEnd());
      return ended === null || ended.ok ? reply.send(undefined) : refusals.platform(reply, ended);
    },
  );

  app.post(
    '/auth/changePassword',
    {
      bodyLimit: AUTH_BODY_LIMIT,
      schema: {
        operationId: 'changePassword',
        tags,
        summary: 'Change the own password: all tokens issued before stop working',
        body: refTo(ChangePasswordRequest),
        response: { 200: refTo(TokenPair), ...refusalResponses },
      },
    },
    async (request, reply) => {
      const { currentPassword, newPassword } = request.body;
      const result = await platform.accounts.changePassword(callerOf(request).userId, currentPassword, newPassword);
      if (result.ok) return tokens.issue(result.value);
      if (result.code === 'badCredentials' || result.code === 'authentication') {
        return refusals.badRequest(reply, "Current password doesn't match!");
      }
      return refusals.platform(reply, result);
    },
  );
}
