import type { Socket } from 'node:net';
import type { ListenerInfo } from '@moorage/mqtt-broker';
import { FIRST_BYTE, HANDSHAKE_TIMEOUT_MS } from './first-bytes.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { nodeTimers } from './node-timers.ts';
import { peek } from './peek.ts';
import { openPort, type Serve } from './port-listener.ts';
import { SocketStream } from './socket-stream.ts';
import type { SecureConnection, TlsAcceptor } from './tls-acceptor.ts';

export interface TlsListenerOptions extends ListenerOptions {
  readonly tls: TlsAcceptor;
}

/** Opens a listener for MQTT over TLS. Rejects with `ListenError`. */
export function createTlsListener(options: TlsListenerOptions): Promise<Listener> {
  const serve = serveSecure(options, options.tls, streamOf(options));
  return openPort(options, { serveHandle: null, serve });
}

/** What becomes of a connection after its handshake. */
export type Secured = (connection: SecureConnection, tcp: Socket, via: ListenerInfo) => void;

/** Waits for a ClientHello before TLS is given anything, so that a silent connection costs no more than a TCP one. */
export function serveSecure(options: ListenerOptions, tls: TlsAcceptor, secured: Secured): Serve {
  const { count, scheduler = nodeTimers, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  return (tcp, via, released) => {
    tcp.once('close', released);
    tcp.on('error', ignore);
    peek(tcp, {
      scheduler,
      timeoutMs: handshakeTimeoutMs,
      decide: ([first]) => first ?? null,
      decided: (first, bytes) => {
        if (first !== FIRST_BYTE.clientHello) {
          count?.('listener.firstByte.unknown');
          tcp.destroy();
          return;
        }
        tcp.unshift(bytes);
        beginTls(options, tls, tcp, via, secured);
      },
      expired: () => count?.('listener.firstByte.timeout'),
    });
  };
}

/** The handshake on a socket whose ClientHello has been seen and given back. */
export function beginTls(
  options: ListenerOptions,
  tls: TlsAcceptor,
  tcp: Socket,
  via: ListenerInfo,
  secured: Secured,
): void {
  tls.accept(tcp, (connection) => {
    const { serverName, clientCertificates } = connection;
    const pinnedByName = serverName === null ? null : options.pinnedServerNames?.get(serverName.toLowerCase());
    const pinnedDialect = via.pinnedDialect ?? pinnedByName ?? null;
    secured(connection, tcp, { ...via, transport: 'tls', serverName, clientCertificates, pinnedDialect });
  });
}

/** MQTT right behind the handshake. */
export function streamOf({ accept, scheduler = nodeTimers }: ListenerOptions): Secured {
  return ({ socket }, tcp, via) => accept(new SocketStream(socket, scheduler, ignore, { tcp }), via);
}

function ignore(): void {}
