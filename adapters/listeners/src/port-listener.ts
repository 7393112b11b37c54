import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { ListenerInfo } from '@moorage/mqtt-broker';
import { accelerateAccept } from './accelerated-accept.ts';
import { AcceptedFrom } from './accepted-from.ts';
import { ListenError } from './listen-error.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { normaliseAddress } from './remote-address.ts';
import type { ConnectionHandle, StreamBinding } from './stream-binding.ts';

const BACKLOG = 4096;
/** Two hours, for peers without Keep Alive; sooner would wake or drop sleeping modems. RFC 1122, 4.2.3.6 */
const KEEP_ALIVE_IDLE_SECONDS = 7200;

/** What becomes of an accepted TCP connection. `released` is to be called once when it is gone. */
export type Serve = (socket: Socket, via: ListenerInfo, released: () => void) => void;

/** The same for a connection at its handle, which is prepared and not read yet. */
export type ServeHandle = (
  handle: ConnectionHandle,
  binding: StreamBinding,
  via: AcceptedFrom,
  released: () => void,
) => void;

/** How a port is opened besides its options. */
export interface PortSettings {
  readonly serve: Serve;
  /** The faster way, where Node offers it; null: never, for HTTP needs sockets. */
  readonly serveHandle: ServeHandle | null;
}

/** Opens a port. Rejects with `ListenError`. */
export async function openPort(options: ListenerOptions, settings: PortSettings): Promise<Listener> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_IDLE_SECONDS * 1000,
    pauseOnConnect: true,
  });
  const listener = new PortListener(server, options, settings);
  await listener.open();
  return listener;
}

class PortListener implements Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #settings: PortSettings;
  readonly #released: () => void;
  #port = 0;
  #connections = 0;
  #refused = 0;

  constructor(server: Server, options: ListenerOptions, settings: PortSettings) {
    this.#server = server;
    this.#options = options;
    this.#settings = settings;
    this.#released = () => {
      this.#connections--;
    };
  }

  get name(): string {
    return this.#options.name;
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#connections;
  }

  get refused(): number {
    return this.#refused;
  }

  async open(): Promise<void> {
    const { name, host, port, backlog = BACKLOG } = this.#options;
    this.#server.on('connection', (socket) => {
      if (this.#mayAccept()) this.#accepted(socket);
      else socket.destroy();
    });
    this.#server.listen({ host, port, backlog });
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      if (error instanceof Error) throw new ListenError(name, host, port, error);
      throw error;
    }
    this.#server.on('error', (error) => this.#options.acceptFailed?.(error));
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    const { serveHandle } = this.#settings;
    if (serveHandle !== null) {
      accelerateAccept(this.#server, {
        mayAccept: () => this.#mayAccept(),
        accepted: (handle, binding) => {
          this.#connections++;
          serveHandle(handle, binding, new AcceptedFrom(this.#options, handle), this.#released);
        },
        keepAliveIdleSeconds: KEEP_ALIVE_IDLE_SECONDS,
      });
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    // Not awaited: its 'close' event may wait for the connections, which belong to whoever accepted them.
    this.#server.close();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #mayAccept(): boolean {
    if (this.#connections < this.#options.maxConnections) return true;
    this.#refused++;
    return false;
  }

  #accepted(socket: Socket): void {
    this.#connections++;
    const via: ListenerInfo = {
      listener: this.#options.name,
      transport: 'tcp',
      remoteAddress: normaliseAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      pinnedDialect: this.#options.pinnedDialect,
      serverName: null,
      clientCertificates: null,
    };
    this.#settings.serve(socket, via, this.#released);
  }
}
