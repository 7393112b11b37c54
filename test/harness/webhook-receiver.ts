import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A real HTTP server on 127.0.0.1 that keeps what it is sent. `answer` decides the status; a promise holds it back. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  answer: (request: Received) => number | Promise<number> = () => 200;
  #waiters: (() => void)[] = [];
  readonly #server = createServer((request, response) => this.#serve(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves as soon as enough was received, or something else holds of it. */
  async until(holds: (received: readonly Received[]) => boolean): Promise<void> {
    while (!holds(this.received)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers: Record<string, string> = {};
    const { rawHeaders } = request;
    for (let index = 0; index < rawHeaders.length; index += 2)
      headers[rawHeaders[index] ?? ''] = rawHeaders[index + 1] ?? '';
    const received = { headers, body: Buffer.concat(chunks).toString() };
    this.received.push(received);
    for (const wake of this.#waiters.splice(0)) wake();
    response.statusCode = await this.answer(received);
    response.end();
  }
}
