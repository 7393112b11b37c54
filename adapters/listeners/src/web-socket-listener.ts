import type { Listener } from './listener.ts';
import { openPort } from './port-listener.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import { serveSecure } from './tls-listener.ts';
import { type UpgradeOptions, WebSocketUpgrade } from './web-socket-upgrade.ts';

export interface WebSocketListenerOptions extends UpgradeOptions {
  /** Null: without TLS. */
  readonly tls?: TlsAcceptor | null;
}

/** Opens a listener for MQTT over WebSocket, or over secure WebSocket. Rejects with `ListenError`. */
export function createWebSocketListener(options: WebSocketListenerOptions): Promise<Listener> {
  const { tls = null } = options;
  const upgrade = new WebSocketUpgrade(options);
  if (tls !== null) {
    const serve = serveSecure(options, tls, ({ socket }, tcp, via) => upgrade.serve(socket, tcp, via));
    return openPort(options, { serveHandle: null, serve });
  }
  return openPort(options, {
    serveHandle: null,
    serve: (tcp, via, released) => {
      tcp.once('close', released);
      upgrade.serve(tcp, tcp, via);
    },
  });
}
