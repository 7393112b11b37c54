import type { Server } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { CLOSE } from './close-codes.ts';
import { LiveSessions } from './live-sessions.ts';
import { type WebSocketOptions, type WebSocketSettings, webSocketSettings } from './web-socket-options.ts';
import { WebSocketApi } from './web-socket-server.ts';

/** Long-lived connections of users, and what they are made with. */
export interface LiveApi {
  readonly sessions: LiveSessions;
  readonly settings: WebSocketSettings;
}

/** Without a log: nothing that can break here is worth ending the server. */
type Log = Pick<FastifyBaseLogger, 'error'> | false;

export function openLiveApi(options: WebSocketOptions, log: Log): LiveApi {
  const settings = webSocketSettings(options);
  const { maxSessions, scheduler } = settings;
  const sessions = new LiveSessions({ maxSessions, scheduler, signedOut: CLOSE.signedOut, fault: faultTo(log) });
  return { sessions, settings };
}

/** Lets an HTTP server take WebSockets for `/api/ws`. */
export function acceptWebSockets(server: Server, context: ApiContext, log: Log): void {
  const { settings, sessions } = context.live;
  const api = new WebSocketApi({ context, settings, sessions, fault: faultTo(log) });
  server.on('upgrade', (request, socket, head) => api.upgrade(request, socket, head));
}

/** Ends every long-lived connection, so that the server can close. */
export function closeLiveApi({ sessions }: LiveApi): void {
  sessions.close(CLOSE.goingAway);
}

function faultTo(log: Log): (error: unknown) => void {
  return (error) => {
    if (log !== false) log.error({ err: error }, 'something failed in a live session');
  };
}
