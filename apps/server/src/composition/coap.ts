import { createCoapServer } from '@moorage/coap';
import type { DeviceCoapRoute, DeviceDesk } from '@moorage/dialect-api';
import { coapPort } from '../config/listener-settings.ts';
import type { Configuration } from '../config/schema.ts';
import type { Runtime } from '../running-server.ts';
import { StartError } from '../start-error.ts';

export interface CoapOptions {
  readonly configuration: Configuration;
  /** Address to bind to. */
  readonly host: string;
  readonly routes: readonly DeviceCoapRoute[];
  readonly desk: DeviceDesk;
  readonly runtime: Runtime;
  readonly count: (event: string, amount: number) => void;
}

/** CoAP, listening. */
export interface OpenCoap {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens CoAP; null: it is switched off, or its usual port is taken and nobody asked for it. */
export async function openCoap(options: CoapOptions): Promise<OpenCoap | null> {
  const { configuration, host, routes, desk, runtime, count } = options;
  const { clock, scheduler, log } = runtime;
  const planned = coapPort(configuration);
  if (planned === null) return null;
  const server = createCoapServer({
    host,
    port: planned.port,
    routes,
    desk,
    clock,
    scheduler,
    observer: { count },
    log,
  });
  try {
    return { port: await server.start(), close: () => server.close() };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `UDP port ${planned.port} of CoAP cannot be opened: ${reason}`;
    if (!planned.optional) throw new StartError(message, { hint: 'set coap.port to another one, or to off', cause });
    log.warn(`${message}; the server runs without it (coap.port sets another port, or off)`);
    return null;
  }
}
