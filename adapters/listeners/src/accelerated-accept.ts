import { type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { prepareHandle, SHARED_BUFFER } from './handle-stream.ts';
import { onRead } from './socket-stream.ts';
import { type ConnectionHandle, isConnectionHandle, type StreamBinding, streamBinding } from './stream-binding.ts';

/** The listening handle inside a server of Node. */
interface ListeningHandle {
  onconnection: (this: unknown, status: number, client: unknown) => void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, idleSeconds: number): number;
}

const onread: OnReadOpts = { buffer: SHARED_BUFFER, callback: onRead };

export interface AcceleratedAccept {
  /** False: the connection is closed at once. */
  mayAccept(): boolean;
  /** Nothing is read yet. */
  accepted(handle: ConnectionHandle, binding: StreamBinding): void;
  readonly keepAliveIdleSeconds: number;
}

/**
 * Takes the accept step of a listening server over, so that its connections are served at their handles: without the
 * `Socket` around each, and read into one shared buffer instead of a fresh 64 KiB each time. If Node's inner parts are
 * not as expected nothing is changed and false is returned; a connection that is not as expected goes Node's ordinary way.
 */
export function accelerateAccept(server: Server, accept: AcceleratedAccept): boolean {
  const listening: unknown = Reflect.get(server, '_handle');
  const binding = streamBinding;
  if (binding === null || !isListeningHandle(listening)) return false;
  const ordinary = listening.onconnection;
  const { keepAliveIdleSeconds } = accept;
  // Linux hands the settings of the listening socket down to those it accepts: five system calls less for each, NODELAY and keep-alive.
  const inherited =
    process.platform === 'linux' &&
    listening.setNoDelay(true) === 0 &&
    listening.setKeepAlive(true, keepAliveIdleSeconds) === 0;
  let known: object | null = null;
  listening.onconnection = (status, client) => {
    if (status !== 0 || !isKnown(client)) {
      ordinary.call(listening, status, client);
      return;
    }
    if (!accept.mayAccept()) {
      client.close();
      return;
    }
    if (!inherited) {
      client.setNoDelay(true);
      client.setKeepAlive(true, keepAliveIdleSeconds);
    }
    prepareHandle(client, binding);
    accept.accepted(client, binding);
  };
  /** All handles are of one class, which is looked at once. */
  function isKnown(client: unknown): client is ConnectionHandle {
    if (typeof client !== 'object' || client === null) return false;
    const kind: object | null = Object.getPrototypeOf(client);
    if (kind !== null && kind === known) return true;
    if (!isConnectionHandle(client)) return false;
    known = kind;
    return true;
  }
  return true;
}

/** An ordinary socket on a prepared handle that nobody reads. */
export function socketOn(handle: ConnectionHandle): Socket {
  const options: SocketConstructorOpts = { onread };
  // Known to Node, not to its documentation; `manualStart`: nothing is read before `resume`.
  Object.assign(options, { handle, manualStart: true });
  return new Socket(options);
}

function isListeningHandle(value: unknown): value is ListeningHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['onconnection', 'setNoDelay', 'setKeepAlive'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
