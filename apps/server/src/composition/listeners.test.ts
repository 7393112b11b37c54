import { once } from 'node:events';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../config/load-configuration.ts';
import { NodeScheduler } from '../runtime/node-scheduler.ts';
import { openListeners } from './listeners.ts';

const clean: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of clean.splice(0).reverse()) await step();
});

async function open(environment: Record<string, string>) {
  const loaded = await loadConfiguration({ flags: new Map(), environment, workingFolder: '/nowhere' });
  if (!loaded.ok) expect.unreachable();
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const opening = openListeners({
    configuration: loaded.configuration,
    host: '127.0.0.1',
    dialects: ['thingsboard', 'plain'],
    accept: (stream) => stream.destroy(),
    http: (socket) => socket.destroy(),
    count: () => undefined,
    scheduler: new NodeScheduler(),
    log,
  });
  return { opening, log: () => lines.join('') };
}

/** A port that is in use. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  clean.push(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('openListeners', () => {
  it('opens MQTT and WebSocket on free ports, and further ports with a pin', async () => {
    const { opening } = await open({ MOORAGE_MQTT__PORT: '0', MOORAGE_WS__PINNED_PORTS: '0=plain' });
    const listeners = await opening;
    clean.push(() => listeners.close());
    const { mqtt, ws, pinned, ...rest } = listeners.ports;
    expect(mqtt).toBeGreaterThan(0);
    expect(ws).toBeGreaterThan(0);
    expect(pinned).toEqual([{ listener: 'ws', dialect: 'plain', port: expect.any(Number) }]);
    expect(rest).toEqual({});
    await listeners.reload();
  });

  it('fails where a port that was asked for is taken, and leaves nothing open', async () => {
    const port = await takenPort();
    const { opening } = await open({ MOORAGE_MQTT__PORT: '0', MOORAGE_WS__PORT: String(port) });
    await expect(opening).rejects.toMatchObject({ name: 'ListenError', code: 'EADDRINUSE', port });
  });

  it('says that a port for TLS waits for a certificate', async () => {
    const { opening, log } = await open({ MOORAGE_MQTT__PORT: '0', MOORAGE_WS__PORT: 'off', MOORAGE_MQTTS__PORT: '0' });
    const listeners = await opening;
    clean.push(() => listeners.close());
    expect(Object.keys(listeners.ports)).toEqual(['mqtt']);
    expect(log()).toContain('mqtts.port is not opened: there is no certificate');
  });

  it.each([
    [
      { MOORAGE_MQTT__PINNED_PORTS: '0=thingsbord' },
      'mqtt.pinnedPorts: there is no dialect thingsbord',
      /thingsboard\?/,
    ],
    [{ MOORAGE_WS__PINNED_PORTS: '0=fnord' }, 'ws.pinnedPorts: there is no dialect fnord', /thingsboard, plain/],
    [
      { MOORAGE_TLS__CERTIFICATE: '/nowhere/c', MOORAGE_TLS__KEY: '/nowhere/k' },
      '/nowhere/c cannot be read: ENOENT',
      /doctor/,
    ],
  ])('refuses %j', async (environment, message, hint) => {
    const { opening } = await open({ MOORAGE_MQTT__PORT: '0', ...environment } as Record<string, string>);
    await expect(opening).rejects.toMatchObject({ message, hint: expect.stringMatching(hint), exitCode: 78 });
  });
});
