import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CERTIFICATES } from '@moorage/testkit';

export interface Received {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they were written. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** An HTTP server on a free port of 127.0.0.1. */
export class Receiver {
  readonly received: Received[] = [];
  /** Connections so far, and now. */
  connections = 0;
  open = 0;
  mostOpen = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.connections += 1;
      this.open += 1;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      socket.on('close', () => {
        this.open -= 1;
      });
    });
  }

  /** By default every request is kept and answered with 200. */
  static async listen(answer?: RequestListener, options: { readonly tls?: boolean } = {}): Promise<Receiver> {
    const { certificate: cert, key } = CERTIFICATES.server;
    const handle: RequestListener = (request, response) => {
      void bodyOf(request).then((body) => {
        receiver.received.push({
          method: request.method ?? '',
          url: request.url ?? '',
          rawHeaders: request.rawHeaders,
          body,
        });
        if (answer === undefined) response.end('fine');
        else answer(request, response);
      });
    };
    const server = options.tls === true ? createHttps({ cert, key }, handle) : createHttp(handle);
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/', host = '127.0.0.1', scheme = 'http'): string {
    return `${scheme}://${host}:${this.port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
