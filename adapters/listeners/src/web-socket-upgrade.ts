import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenerInfo } from '@moorage/mqtt-broker';
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { chooseSubProtocol, HANDSHAKE_TIMEOUT_MS, MAX_REQUEST_HEAD_BYTES } from './first-bytes.ts';
import type { ListenerEvent, ListenerOptions } from './listener.ts';
import { nodeTimers } from './node-timers.ts';
import { WebSocketStream } from './web-socket-stream.ts';

/** Bytes of the first frame, which holds CONNECT. reliability.md, section 8 */
const FIRST_FRAME_BYTES = 65_536;
/** Bytes of any later frame: twice the largest packet, for a frame may hold several. */
const FRAME_BYTES = 2_097_152;
/** Frames that one message may be made of, and chunks of the socket that one frame may come in. */
const MAX_FRAGMENTS = 2048;
const MAX_CHUNKS = 8192;
/** Milliseconds for the peer's closing frame. */
const CLOSE_TIMEOUT_MS = 1000;

export interface UpgradeOptions extends ListenerOptions {
  /** Bytes of a frame after the first one; default 2 MiB. */
  readonly maxFrameBytes?: number;
}

interface Visit {
  readonly tcp: Socket;
  readonly via: ListenerInfo;
  upgraded: boolean;
  cancelLimit: () => void;
}

/** Turns HTTP connections into WebSocket streams: any path, sub-protocol `mqtt` or `mqttv3.1`. [MQTT-6.0.0-3] */
export class WebSocketUpgrade {
  readonly #options: UpgradeOptions;
  readonly #http: Server;
  readonly #visits = new WeakMap<Duplex, Visit>();
  #frames: Promise<WebSocketServer> | null = null;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    this.#http = createServer({ maxHeaderSize: MAX_REQUEST_HEAD_BYTES, keepAlive: false });
    this.#http.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' });
      response.end('This port speaks MQTT over WebSocket.\n');
    });
    this.#http.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#http.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Serves a connection, plain or after its TLS handshake, from the first byte of HTTP on. */
  serve(socket: Socket, tcp: Socket, via: ListenerInfo): void {
    const { count, scheduler = nodeTimers, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = this.#options;
    const cancelLimit = scheduler.after(handshakeTimeoutMs, () => socket.destroy());
    const visit: Visit = { tcp, via, upgraded: false, cancelLimit };
    this.#visits.set(socket, visit);
    socket.on('error', ignore);
    socket.once('close', () => {
      cancelLimit();
      if (!visit.upgraded) count?.('webSocket.handshake.failed');
    });
    this.#http.emit('connection', socket);
    socket.resume();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const visit = this.#visits.get(socket);
    const subProtocol = chooseSubProtocol(request.headers['sec-websocket-protocol']);
    if (visit === undefined || subProtocol === null) {
      refuse(socket);
      return;
    }
    this.#frames ??= loadFrames();
    const frames = await this.#frames;
    if (socket.destroyed) return;
    frames.handleUpgrade(request, socket, head, (webSocket) => this.#upgraded(webSocket, socket, visit));
  }

  #upgraded(webSocket: WebSocket, socket: Duplex, visit: Visit): void {
    if (!(socket instanceof Socket)) {
      webSocket.terminate();
      return;
    }
    visit.upgraded = true;
    visit.cancelLimit();
    const { accept, count, scheduler = nodeTimers, maxFrameBytes = FRAME_BYTES } = this.#options;
    const stream = new WebSocketStream({
      webSocket,
      socket,
      tcp: visit.tcp,
      scheduler,
      count: (event: ListenerEvent) => count?.(event),
      firstFrame: () => allowFrames(webSocket, maxFrameBytes),
    });
    const transport = visit.via.transport === 'tls' ? 'wss' : 'ws';
    accept(stream, { ...visit.via, transport });
  }
}

/** Loads the WebSocket package, once there is somebody to speak it with. */
async function loadFrames(): Promise<WebSocketServer> {
  const { WebSocketServer: Frames } = await import('ws');
  // The types of the package do not know all of its options.
  const options: ServerOptions & Record<'maxFragments' | 'maxBufferedChunks' | 'closeTimeout', number> = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Text frames are refused whatever is in them.
    skipUTF8Validation: true,
    maxPayload: FIRST_FRAME_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered) => chooseSubProtocol([...offered].join(',')) ?? false,
  };
  return new Frames(options);
}

/** The limit of frames is fixed for all connections of a server; this one has shown that it is worth more. */
function allowFrames(webSocket: WebSocket, maxFrameBytes: number): void {
  const receiver: unknown = Reflect.get(webSocket, '_receiver');
  if (typeof receiver === 'object' && receiver !== null && Reflect.has(receiver, '_maxPayload')) {
    Reflect.set(receiver, '_maxPayload', maxFrameBytes);
  }
}

function refuse(socket: Duplex): void {
  const text = 'MQTT over WebSocket needs the sub-protocol mqtt or mqttv3.1.\n';
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}

function ignore(): void {}
