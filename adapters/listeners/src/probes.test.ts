import { existsSync, readFileSync } from 'node:fs';
import { CERTIFICATES } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Listener } from './listener.ts';
import { createTcpListener } from './tcp-listener.ts';
import { Bench } from './testing/listening.ts';
import { createTlsListener } from './tls-listener.ts';
import { createWebSocketListener } from './web-socket-listener.ts';

const TABLE = '/proc/net/tcp';
/** Jiffies as the kernel shows them. */
const PER_SECOND = 100;
const KEEP_ALIVE_TIMER = 2;

let bench = new Bench();
afterEach(async () => {
  await bench.close();
  bench = new Bench();
});

/** Seconds until the kernel asks for the peer of the server's side of a connection; null: it does not. proc(5) */
function probeIn(listener: Listener): number | null {
  for (const line of readFileSync(TABLE, 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', , , timer = ''] = line.trim().split(/\s+/);
    if (!local.endsWith(`:${listener.port.toString(16).toUpperCase().padStart(4, '0')}`)) continue;
    if (remote.endsWith(':0000')) continue;
    const [kind = '0', when = '0'] = timer.split(':');
    return Number.parseInt(kind, 16) === KEEP_ALIVE_TIMER ? Number.parseInt(when, 16) / PER_SECOND : null;
  }
  return null;
}

const LISTENERS = {
  TCP: async () => {
    const listener = await bench.listen(createTcpListener(bench.options));
    await bench.connect(listener);
    return listener;
  },
  'TCP without the fast way': async () => {
    const listener = await bench.listen(createTcpListener({ ...bench.options, ordinary: true }));
    await bench.connect(listener);
    return listener;
  },
  TLS: async () => {
    const options = { ...bench.options, tls: await bench.tls(), pinnedServerNames: new Map<string, string>() };
    const listener = await bench.listen(createTlsListener(options));
    await bench.connectTls(listener);
    return listener;
  },
  WebSocket: async () => {
    const listener = await bench.listen(createWebSocketListener(bench.options));
    const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/mqtt`, 'mqtt');
    socket.on('error', () => undefined);
    bench.later(() => socket.terminate());
    return listener;
  },
  'WebSocket over TLS': async () => {
    const listener = await bench.listen(createWebSocketListener({ ...bench.options, tls: await bench.tls() }));
    const options = { ca: CERTIFICATES.ca.certificate, servername: 'localhost' };
    const socket = new WebSocket(`wss://127.0.0.1:${listener.port}/mqtt`, 'mqtt', options);
    socket.on('error', () => undefined);
    bench.later(() => socket.terminate());
    return listener;
  },
};

describe.skipIf(!existsSync(TABLE))('the kernel asks for a peer that is silent', () => {
  it.each(Object.entries(LISTENERS))(
    'WS-11 over %s: after two hours, or as soon as the stream is told',
    async (_, open) => {
      const listener = await open();
      const { stream } = await bench.recorded();
      // What the two sides said to begin with has been acknowledged by then.
      await expect.poll(() => probeIn(listener)).toBeGreaterThan(7_000);
      stream.probe?.(60);
      expect(probeIn(listener)).toBeGreaterThan(55);
      expect(probeIn(listener)).toBeLessThanOrEqual(60);
    },
  );
});
