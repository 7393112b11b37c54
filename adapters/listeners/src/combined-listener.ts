import type { Socket } from 'node:net';
import { afterHandshake, HANDSHAKE_TIMEOUT_MS } from './first-bytes.ts';
import type { Listener } from './listener.ts';
import { nodeTimers } from './node-timers.ts';
import { peek } from './peek.ts';
import { openPort } from './port-listener.ts';
import { SocketStream } from './socket-stream.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import { type Secured, serveSecure } from './tls-listener.ts';
import { type UpgradeOptions, WebSocketUpgrade } from './web-socket-upgrade.ts';

export interface CombinedListenerOptions extends UpgradeOptions {
  readonly tls: TlsAcceptor;
  /** Takes a connection that speaks HTTP after its TLS handshake; its first bytes are still to be read. */
  readonly http: (socket: Socket) => void;
}

/**
 * Opens a listener for HTTPS, MQTT over secure WebSocket and MQTT over TLS on one port, told apart by the first bytes
 * after the handshake; a WebSocket that does not offer MQTT is HTTP's. Rejects with `ListenError`.
 */
export function createCombinedListener(options: CombinedListenerOptions): Promise<Listener> {
  return openPort(options, { serveHandle: null, serve: serveSecure(options, options.tls, tellApart(options)) });
}

function tellApart(options: CombinedListenerOptions): Secured {
  const { accept, count, http, scheduler = nodeTimers, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const upgrade = new WebSocketUpgrade(options);
  return ({ socket }, tcp, via) => {
    socket.on('error', ignore);
    peek(socket, {
      scheduler,
      timeoutMs: handshakeTimeoutMs,
      decide: afterHandshake,
      decided: (protocol, bytes) => {
        switch (protocol) {
          case 'mqtt':
            accept(new SocketStream(socket, scheduler, ignore, { tcp, first: new Uint8Array(bytes) }), via);
            return;
          case 'webSocket':
            socket.unshift(bytes);
            upgrade.serve(socket, tcp, via);
            return;
          case 'http':
            socket.unshift(bytes);
            http(socket);
            socket.resume();
            return;
          case 'unknown':
            count?.('listener.firstByte.unknown');
            socket.destroy();
        }
      },
      expired: () => count?.('listener.firstByte.timeout'),
    });
  };
}

function ignore(): void {}
