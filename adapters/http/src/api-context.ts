import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Caller, Clock, Platform } from '@moorage/core';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { RevokedSessions } from './auth/revoked-sessions.ts';
import type { Tokens } from './auth/tokens.ts';
import type { BrokerDesk } from './broker-desk.ts';
import type { ConnectionDesk, ConnectionGuideProvider } from './options.ts';
import type { Refusals } from './refusals/refusals.ts';
import type { LiveApi } from './websocket/live-api.ts';

/** A server whose handlers are typed by their schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the routes work with. */
export interface ApiContext {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly revokedSessions: RevokedSessions;
  readonly refusals: Refusals;
  readonly version: string;
  readonly connectionGuide: ConnectionGuideProvider;
  readonly connections: ConnectionDesk;
  /** null: the calls for the broker are not offered. */
  readonly broker: BrokerDesk | null;
  readonly live: LiveApi;
}

/** Who sent the request and with which session. */
export interface SignedIn {
  readonly caller: Caller;
  /** null: an API key, which has no session to end. */
  readonly sessionId: string | null;
  /** E-mail. */
  readonly userName: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that needs a token. */
    signedIn: SignedIn | null;
  }
}

/** Who calls; for routes behind `authenticate` only. */
export function signedInOf(request: Pick<FastifyRequest, 'signedIn'>): SignedIn {
  if (request.signedIn === null) throw new TypeError('This route is not behind the token check');
  return request.signedIn;
}

export function callerOf(request: Pick<FastifyRequest, 'signedIn'>): Caller {
  return signedInOf(request).caller;
}
