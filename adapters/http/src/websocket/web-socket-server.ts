import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { ApiContext } from '../api-context.ts';
import { CLOSE, type CloseReason } from './close-codes.ts';
import type { LiveSessions } from './live-sessions.ts';
import { SessionAuth } from './session-auth.ts';
import type { WebSocketSettings } from './web-socket-options.ts';
import { type SessionSocket, WebSocketSession } from './web-socket-session.ts';

export interface WebSocketServerOptions {
  readonly context: ApiContext;
  readonly settings: WebSocketSettings;
  readonly sessions: LiveSessions;
  /** Something broke on our side. */
  readonly fault: (error: unknown) => void;
}

/** Where a request for a WebSocket wants to go. */
interface Target {
  readonly kind: 'general' | 'telemetry' | 'unknownPlugin';
  readonly token: string | null;
  /** Where the connection comes from; a proxy in between is not looked through. */
  readonly remoteAddress: string;
}

const CLOSE_TIMEOUT_MS = 5_000;
/** Fragments that one message may be made of, and chunks of the socket that one frame may come in. */
const MAX_FRAGMENTS = 256;
const MAX_CHUNKS = 4096;
const PATH = '/api/ws';

/** True for requests that ask for a WebSocket; other upgrades are not offered, and such requests are ordinary ones. */
export function isWebSocketRequest(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** Turns requests for `/api/ws` into sessions. thingsboard-server.md, 7.1 */
export class WebSocketApi {
  readonly #options: WebSocketServerOptions;
  readonly #unknown = new Set<WebSocketSession>();
  #frames: Promise<WebSocketServer> | null = null;

  constructor(options: WebSocketServerOptions) {
    this.#options = options;
  }

  /** For the event `upgrade` of an HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      this.#options.fault(error);
      socket.destroy();
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const target = targetOf(request);
    if (target === null) {
      refuse(socket, '404 Not Found');
      return;
    }
    const { sessions, settings } = this.#options;
    const unknownOnes = target.token === null && this.#unknown.size >= settings.maxUnknown;
    if (sessions.full || unknownOnes) {
      refuse(socket, '503 Service Unavailable');
      return;
    }
    this.#frames ??= loadFrames(settings.maxMessageBytes);
    const frames = await this.#frames;
    const auth =
      target.token === null ? undefined : await this.#authenticate('bearer', target.token, target.remoteAddress);
    if (socket.destroyed) return;
    frames.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, socket, target, auth ?? null));
  }

  #opened(webSocket: WebSocket, socket: Duplex, target: Target, auth: SessionAuth | null): void {
    webSocket.on('error', () => undefined);
    const refusal = this.#refusal(target, auth);
    if (refusal !== null) {
      webSocket.close(refusal.code, refusal.reason);
      return;
    }
    const { context, settings, sessions, fault } = this.#options;
    const session = new WebSocketSession(
      {
        socket: sessionSocket(webSocket, socket),
        settings,
        platform: context.platform,
        clock: context.clock,
        authenticate: async ({ scheme, credential }) => {
          const found = await this.#authenticate(scheme, credential, target.remoteAddress);
          if (found !== undefined) this.#unknown.delete(session);
          return found;
        },
        fault,
        ended: (ended) => {
          sessions.delete(ended);
          this.#unknown.delete(ended);
        },
      },
      auth,
    );
    sessions.add(session);
    if (auth === null) this.#unknown.add(session);
    webSocket.on('message', (data, isBinary) => session.receive(isBinary ? null : String(data)));
    webSocket.on('pong', () => session.heard());
    webSocket.on('close', () => session.gone());
  }

  #refusal({ kind, token }: Target, auth: SessionAuth | null): CloseReason | null {
    if (kind === 'unknownPlugin') return CLOSE.unknownPlugin;
    // Sessions of the older form show their token when they connect or never.
    if (auth === null && (token !== null || kind === 'telemetry')) return CLOSE.badQueryToken;
    return this.#options.sessions.full ? CLOSE.goingAway : null;
  }

  #authenticate(
    scheme: 'bearer' | 'apiKey',
    credential: string,
    remoteAddress: string,
  ): Promise<SessionAuth | undefined> {
    return SessionAuth.of(this.#options.context, { scheme, credential }, remoteAddress);
  }
}

/** null: not here. */
function targetOf({ url = '', socket }: IncomingMessage): Target | null {
  const [path = '', query = ''] = url.split('?', 2);
  if (path !== PATH && !path.startsWith(`${PATH}/`)) return null;
  const token = new URLSearchParams(query).get('token');
  const remoteAddress = socket.remoteAddress ?? '';
  if (path === PATH) return { kind: 'general', token, remoteAddress };
  const [, plugins, name, ...rest] = path.slice(PATH.length).split('/');
  if (plugins !== 'plugins' || name === undefined || name === '' || rest.length > 0) return null;
  return { kind: name === 'telemetry' ? 'telemetry' : 'unknownPlugin', token, remoteAddress };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function sessionSocket(webSocket: WebSocket, socket: Duplex): SessionSocket {
  return {
    get bufferedAmount() {
      return webSocket.bufferedAmount;
    },
    send: (text, sent) => webSocket.send(text, { compress: false }, sent),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    ping: () => webSocket.ping(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close({ code, reason }) {
      webSocket.close(code, reason);
      // The peer's closing frame is waited for, and what comes before it goes nowhere.
      webSocket.resume();
    },
  };
}

/** Loads the WebSocket package, once there is somebody to speak it with. */
async function loadFrames(maxPayload: number): Promise<WebSocketServer> {
  const { WebSocketServer: Frames } = await import('ws');
  // The types of the package do not know all of its options.
  const options: ServerOptions & Record<'maxFragments' | 'maxBufferedChunks' | 'closeTimeout', number> = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  return new Frames(options);
}
