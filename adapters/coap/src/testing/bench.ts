import type { Clock, Scheduler } from '@moorage/core';
import type { DeviceCoapAnswer, DeviceCoapRoute, DeviceDesk, DeviceRequest } from '@moorage/dialect-api';
import { createCoapServer } from '../coap-server.ts';
import type { CoapEvent, CoapServer, CoapServerOptions } from '../options.ts';
import { RawClient } from './raw-client.ts';

export type Handle = (request: DeviceRequest) => Promise<DeviceCoapAnswer> | DeviceCoapAnswer;

export function route(
  method: DeviceCoapRoute['method'],
  path: string,
  handle: Handle,
  more: Partial<DeviceCoapRoute> = {},
): DeviceCoapRoute {
  return { method, path, bodyLimit: 4096, handle: async (request) => handle(request), ...more };
}

export const answer = (code: string, text?: string): DeviceCoapAnswer =>
  text === undefined
    ? { code, contentFormat: null, body: null }
    : { code, contentFormat: 0, body: new TextEncoder().encode(text) };

/** Servers and clients of a test; `close` leaves nothing open. */
export class Bench {
  readonly counts = new Map<CoapEvent, number>();
  readonly logged: unknown[] = [];
  readonly #time: Clock & Pick<Scheduler, 'after' | 'every'>;
  readonly #clean: (() => Promise<void>)[] = [];
  port = 0;

  constructor(time: Clock & Pick<Scheduler, 'after' | 'every'>) {
    this.#time = time;
  }

  async open(routes: readonly DeviceCoapRoute[], more: Partial<CoapServerOptions> = {}): Promise<CoapServer> {
    const server = createCoapServer({
      host: '127.0.0.1',
      port: 0,
      routes,
      // The server itself asks the desk for nothing.
      desk: {} as DeviceDesk,
      clock: this.#time,
      scheduler: this.#time,
      random: () => 0,
      observer: { count: (event, amount) => void this.counts.set(event, (this.counts.get(event) ?? 0) + amount) },
      log: { error: (fields) => void this.logged.push(fields) },
      ...more,
    });
    this.port = await server.start();
    this.#clean.push(() => server.close());
    return server;
  }

  async client(host = '127.0.0.1'): Promise<RawClient> {
    const client = await RawClient.open(this.port, host);
    this.#clean.push(() => client.close());
    return client;
  }

  async close(): Promise<void> {
    for (const step of this.#clean.splice(0).reverse()) await step();
  }
}
