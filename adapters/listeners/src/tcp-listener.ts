import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { ListenerInfo, Scheduler } from '@moorage/mqtt-broker';
import { accelerateAccept } from './accelerated-accept.ts';
import { ListenError } from './listen-error.ts';
import type { Listener, ListenerOptions } from './listener.ts';
import { normaliseAddress } from './remote-address.ts';
import { SocketStream } from './socket-stream.ts';

const BACKLOG = 4096;
/** Two hours, for peers without Keep Alive; sooner would wake or drop sleeping modems. RFC 1122, 4.2.3.6 */
const KEEP_ALIVE_IDLE_SECONDS = 7200;

const nodeTimers: Pick<Scheduler, 'after'> = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Opens a TCP listener. Rejects with `ListenError`. `ordinary` leaves out the faster reading, for comparison. */
export async function createTcpListener(options: ListenerOptions & { readonly ordinary?: boolean }): Promise<Listener> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_IDLE_SECONDS * 1000,
    pauseOnConnect: true,
  });
  const listener = new TcpListener(server, options);
  await listener.open();
  return listener;
}

class TcpListener implements Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions & { readonly ordinary?: boolean };
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #released: () => void;
  #port = 0;
  #connections = 0;
  #refused = 0;

  constructor(server: Server, options: ListenerOptions & { readonly ordinary?: boolean }) {
    this.#server = server;
    this.#options = options;
    this.#scheduler = options.scheduler ?? nodeTimers;
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
    if (this.#options.ordinary !== true) {
      accelerateAccept(this.#server, {
        mayAccept: () => this.#mayAccept(),
        accepted: (socket) => this.#accepted(socket),
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
    const stream = new SocketStream(socket, this.#scheduler, this.#released);
    const via: ListenerInfo = {
      listener: this.#options.name,
      transport: 'tcp',
      remoteAddress: normaliseAddress(socket.remoteAddress ?? ''),
      remotePort: socket.remotePort ?? 0,
      pinnedDialect: this.#options.pinnedDialect,
      serverName: null,
      clientCertificates: null,
    };
    this.#options.accept(stream, via);
  }
}
