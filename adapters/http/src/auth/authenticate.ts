import { type Caller, PLATFORM_ERRORS, type PlatformError, type User } from '@moorage/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext, SignedIn } from '../api-context.ts';
import { ErrorCode } from '../refusals/refusals.ts';
import { type Authorization, readAuthorization } from './authorization-header.ts';
import { changesNothing } from './reading-calls.ts';
import type { TokenClaims, Verification } from './tokens.ts';

type Refused = { readonly errorCode: number; readonly message: string };

const AUTHENTICATION_FAILED: Refused = { errorCode: ErrorCode.authentication, message: 'Authentication failed' };
const TOKEN_EXPIRED: Refused = { errorCode: ErrorCode.tokenExpired, message: 'Token has expired' };
const NOT_ACTIVE: Refused = { errorCode: ErrorCode.authentication, message: 'User account is not active' };

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
  const { accounts } = context.platform;
  const found = await (claims.publicId === null ? accounts.user(claims.userId) : accounts.publicUser(claims.publicId));
  if (!found.ok) {
    return found.code === 'notFound' ? refuse(AUTHENTICATION_FAILED) : { outcome: 'failed', failure: found };
  }
  const user = found.value;
  if (!user.enabled) return refuse(NOT_ACTIVE);
  // Compared with the value at the time of issue, since `iat` has whole seconds only and clocks may jump.
  if (user.tokensValidFrom !== claims.validFrom) return refuse(TOKEN_EXPIRED);
  return { outcome: 'accepted', user, claims };
}

/** Whose rights a caller acts with; `claims` null: not those of a token. */
export type SignIn =
  | { readonly outcome: 'accepted'; readonly signedIn: SignedIn; readonly claims: TokenClaims | null }
  | Exclude<TokenUser, { readonly outcome: 'accepted' }>;

/**
 * Checks what a caller shows, in whichever way it came: a header, a query parameter, a message. Guesses of API keys are
 * counted by `remoteAddress`.
 */
export async function signIn(context: ApiContext, authorization: Authorization, remoteAddress = ''): Promise<SignIn> {
  if (authorization.scheme === 'apiKey') return signInWithKey(context, authorization.credential, remoteAddress);
  if (authorization.scheme !== 'bearer') return { outcome: 'refused', refused: AUTHENTICATION_FAILED };
  const found = await userOfToken(context, await context.tokens.verifyAccess(authorization.credential));
  if (found.outcome !== 'accepted') return found;
  const { user, claims } = found;
  const caller = claims.publicId === null ? callerFor(user) : { ...callerFor(user), isPublic: true };
  const signedIn = { caller, sessionId: claims.sessionId, userName: user.email };
  return { outcome: 'accepted', signedIn, claims };
}

async function signInWithKey(context: ApiContext, value: string, remoteAddress: string): Promise<SignIn> {
  const found = await context.platform.apiKeys.authenticate(value, remoteAddress);
  if (found.ok) {
    const { value: user } = found;
    const signedIn = { caller: callerFor(user), sessionId: null, userName: user.email };
    return { outcome: 'accepted', signedIn, claims: null };
  }
  const { httpStatus, errorCode } = PLATFORM_ERRORS[found.code];
  if (httpStatus !== 401) return { outcome: 'failed', failure: found };
  return { outcome: 'refused', refused: { errorCode, message: found.message } };
}

function callerFor({ id, authority, tenantId, customerId }: User): Caller {
  return { userId: id, authority, tenantId, customerId };
}

/** A hook that lets a request pass only with a good access token or API key. thingsboard-server.md, 1.3 and 1.5 */
export function authenticateWith(context: ApiContext) {
  const { refusals } = context;
  return async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const found = await signIn(context, readAuthorization(request.headers), request.ip);
    if (found.outcome === 'refused') {
      return reply.send(refusals.object(reply, 401, found.refused.errorCode, found.refused.message));
    }
    if (found.outcome === 'failed') return reply.send(refusals.platform(reply, found.failure));
    request.signedIn = found.signedIn;
    if (found.signedIn.caller.isPublic === true && !changesNothing(request)) {
      return reply.send(
        refusals.platform(reply, {
          ok: false,
          code: 'permissionDenied',
          message: PLATFORM_ERRORS.permissionDenied.text,
        }),
      );
    }
    return undefined;
  };
}
