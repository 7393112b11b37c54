import { socketOn } from './accelerated-accept.ts';
import { awaitFirstBytes } from './first-byte-reader.ts';
import { FIRST_BYTE, HANDSHAKE_TIMEOUT_MS } from './first-bytes.ts';
import { HandleStream } from './handle-stream.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { nodeTimers } from './node-timers.ts';
import { peek } from './peek.ts';
import { openPort, type Serve, type ServeHandle } from './port-listener.ts';
import { SocketStream } from './socket-stream.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import { beginTls, streamOf } from './tls-listener.ts';

export interface TcpListenerOptions extends ListenerOptions {
  /** Takes connections that begin with a ClientHello; null: such a connection is like any other. */
  readonly tls?: TlsAcceptor | null;
  /** Leaves out the faster reading, for comparison. */
  readonly ordinary?: boolean;
}

/** Opens a TCP listener. Rejects with `ListenError`. */
export function createTcpListener(options: TcpListenerOptions): Promise<Listener> {
  const { tls = null, ordinary = false } = options;
  return openPort(options, {
    serve: tls === null ? servePlain(options) : serveEither(options, tls),
    serveHandle: ordinary ? null : tls === null ? servePlainHandle(options) : serveEitherHandle(options, tls),
  });
}

function servePlain({ accept, scheduler = nodeTimers }: TcpListenerOptions): Serve {
  return (socket, via, released) => accept(new SocketStream(socket, scheduler, released), via);
}

/** CONNECT or ClientHello, told by the first byte. recognition.md, section 2 */
function serveEither(options: TcpListenerOptions, tls: TlsAcceptor): Serve {
  const { accept, count, scheduler = nodeTimers, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const secured = streamOf(options);
  return (tcp, via, released) => {
    tcp.once('close', released);
    // Whatever fails before there is a stream closes the socket, and that is all there is to it.
    tcp.on('error', ignore);
    peek(tcp, {
      scheduler,
      timeoutMs: handshakeTimeoutMs,
      decide: ([first]) => first ?? null,
      decided: (first, bytes) => {
        if (first === FIRST_BYTE.connect) {
          // From here on the stream itself tells that it is gone.
          tcp.off('close', released);
          tcp.off('error', ignore);
          accept(new SocketStream(tcp, scheduler, released, { first: new Uint8Array(bytes) }), via);
        } else if (first === FIRST_BYTE.clientHello) {
          tcp.unshift(bytes);
          beginTls(options, tls, tcp, via, secured);
        } else {
          count?.('listener.firstByte.unknown');
          tcp.destroy();
        }
      },
      expired: () => count?.('listener.firstByte.timeout'),
    });
  };
}

function servePlainHandle({ accept, scheduler = nodeTimers }: TcpListenerOptions): ServeHandle {
  return (handle, binding, via, released) => accept(new HandleStream(handle, binding, scheduler, released), via);
}

/** The same as `serveEither`; only TLS gets a socket. */
function serveEitherHandle(options: TcpListenerOptions, tls: TlsAcceptor): ServeHandle {
  const { accept, count, scheduler = nodeTimers, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const secured = streamOf(options);
  return (handle, binding, via, released) => {
    const first = {
      came: (chunk: Uint8Array): void => {
        if (chunk[0] === FIRST_BYTE.connect) {
          const stream = new HandleStream(handle, binding, scheduler, released);
          accept(stream, via);
          stream.received(chunk);
        } else if (chunk[0] === FIRST_BYTE.clientHello) {
          const bytes = Buffer.from(chunk);
          handle.reading = false;
          handle.readStop();
          // Not inside the call of the handle, whose reader changes.
          queueMicrotask(() => {
            const tcp = socketOn(handle);
            tcp.once('close', released);
            // Whatever fails before there is a stream closes the socket, and that is all there is to it.
            tcp.on('error', ignore);
            tcp.unshift(bytes);
            beginTls(options, tls, tcp, via.plain(), secured);
          });
        } else {
          count?.('listener.firstByte.unknown');
          handle.close(released);
        }
      },
      gone: released,
    };
    awaitFirstBytes(handle, first, (expired) =>
      scheduler.after(handshakeTimeoutMs, () => {
        expired();
        count?.('listener.firstByte.timeout');
      }),
    );
  };
}

function ignore(): void {}
