import type { PlatformError, User } from '@moorage/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { ErrorCode } from '../refusals/refusals.ts';
import { readAuthorization } from './authorization-header.ts';
import type { TokenClaims, Verification } from './tokens.ts';

type Refused = { readonly errorCode: number; readonly message: string };

const AUTHENTICATION_FAILED: Refused = { errorCode: ErrorCode.authentication, message: 'Authentication failed' };
const TOKEN_EXPIRED: Refused = { errorCode: ErrorCode.tokenExpired, message: 'Token has expired' };
const NOT_ACTIVE: Refused = { errorCode: ErrorCode.authentication, message: 'User account is not active' };
const UNKNOWN_KEY: Refused = { errorCode: ErrorCode.authentication, message: 'Invalid username or password' };

export type TokenUser =
  | { readonly outcome: 'accepted'; readonly user: User; readonly claims: TokenClaims }
  | { readonly outcome: 'refused'; readonly refused: Refused }
  | { readonly outcome: 'failed'; readonly failure: PlatformError };

const refuse = (refused: Refused): TokenUser => ({ outcome: 'refused', refused });

/** The user of a token whose signature has been checked, if user and session still stand behind it. */
export async function userOfToken(context: ApiContext, verification: Verification): Promise<TokenUser> {
  if (verification.outcome === 'invalid') return refuse(AUTHENTICATION_FAILED);
  if (verification.outcome === 'expired') return refuse(TOKEN_EXPIRED);
  const { claims } = verification;
  if (context.revokedSessions.has(claims.sessionId)) return refuse(TOKEN_EXPIRED);
  const found = await context.platform.accounts.user(claims.userId);
  if (!found.ok) {
    return found.code === 'notFound' ? refuse(AUTHENTICATION_FAILED) : { outcome: 'failed', failure: found };
  }
  const user = found.value;
  if (!user.enabled) return refuse(NOT_ACTIVE);
  // Compared with the value at the time of issue, since `iat` has whole seconds only and clocks may jump.
  if (user.tokensValidFrom !== claims.validFrom) return refuse(TOKEN_EXPIRED);
  return { outcome: 'accepted', user, claims };
}

/** A hook that lets a request pass only with a good access token. thingsboard-server.md, 1.3 */
export function authenticateWith(context: ApiContext) {
  const { refusals, tokens } = context;
  return async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const authorization = readAuthorization(request.headers);
    if (authorization.scheme !== 'bearer') {
      const refused = authorization.scheme === 'apiKey' ? UNKNOWN_KEY : AUTHENTICATION_FAILED;
      return reply.send(refusals.object(reply, 401, refused.errorCode, refused.message));
    }
    const found = await userOfToken(context, await tokens.verifyAccess(authorization.credential));
    if (found.outcome === 'refused') {
      return reply.send(refusals.object(reply, 401, found.refused.errorCode, found.refused.message));
    }
    if (found.outcome === 'failed') return reply.send(refusals.platform(reply, found.failure));
    const { id, authority, tenantId, customerId } = found.user;
    request.signedIn = { caller: { userId: id, authority, tenantId, customerId }, sessionId: found.claims.sessionId };
    return undefined;
  };
}
