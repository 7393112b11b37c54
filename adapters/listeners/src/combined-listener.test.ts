import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { CERTIFICATES } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createCombinedListener } from './combined-listener.ts';
import { afterHandshake, chooseSubProtocol } from './first-bytes.ts';
import type { Listener } from './listener.ts';
import { Bench, closed } from './testing/listening.ts';
import { turns } from './testing/streams.ts';

let bench = new Bench();
afterEach(async () => {
  await bench.close();
  bench = new Bench();
});

const CA = { ca: CERTIFICATES.ca.certificate, servername: 'localhost' };

async function open(): Promise<Listener> {
  const http = createServer((call, response) => {
    let length = 0;
    call.on('data', (chunk) => {
      length += chunk.length;
    });
    call.on('end', () => response.end(`${call.method} ${call.url} ${length}`));
  });
  bench.later(() => void http.closeAllConnections());
  const tls = await bench.tls();
  const serve = (socket: unknown): void => void http.emit('connection', socket);
  return bench.listen(createCombinedListener({ ...bench.options, tls, http: serve }));
}

function call(listener: Listener, method: string, path: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const out = request({ host: '127.0.0.1', port: listener.port, method, path, agent: false, ...CA }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    out.on('error', reject);
    out.end(body);
  });
}

describe('listener for everything', () => {
  it('takes MQTT over TLS, MQTT over secure WebSocket and HTTPS on one port', async () => {
    const listener = await open();
    const mqtt = await bench.connectTls(listener);
    mqtt.write(Uint8Array.of(0x10, 7));
    const first = await bench.recorded();
    expect(first.via.transport).toBe('tls');
    mqtt.write(Uint8Array.of(8));
    await first.seen.gotBytes(3);
    expect([...first.seen.bytes()]).toEqual([0x10, 7, 8]);

    const socket = new WebSocket(`wss://127.0.0.1:${listener.port}/mqtt`, ['mqtt'], CA);
    bench.later(() => socket.terminate());
    await once(socket, 'open');
    const second = await bench.recorded();
    expect(second.via.transport).toBe('wss');
    socket.send(Uint8Array.of(0x10, 9));
    await second.seen.gotBytes(2);

    expect(await call(listener, 'GET', '/console', Buffer.alloc(0))).toBe('GET /console 0');
    expect(await call(listener, 'POST', '/api', Buffer.alloc(300_000))).toBe('POST /api 300000');
  });

  it('waits for a request head that comes in pieces', async () => {
    const listener = await open();
    const socket = await bench.connectTls(listener);
    for (const piece of ['G', 'ET / HTTP/1.1\r\n', 'Host: x\r\n', 'Connection: close\r\n\r', '\n']) {
      socket.write(piece);
      await turns(3);
    }
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
  });

  it('closes other first bytes, and silence after the handshake', async () => {
    const listener = await open();
    const other = await bench.connectTls(listener);
    other.write(Uint8Array.of(0x30, 0));
    await closed(other);
    expect(bench.counts.get('listener.firstByte.unknown')).toBe(1);
    const silent = await bench.connectTls(listener);
    // The client is ready before the server is: the server's own limit for what follows begins a little later.
    await turns(20);
    bench.expire();
    await closed(silent);
    expect(bench.counts.get('listener.firstByte.timeout')).toBe(1);
    while (listener.connections > 0) await turns(1);
  });
});

describe('afterHandshake', () => {
  const head = (...lines: string[]) => Buffer.from(`GET /api/ws HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);

  it.each([
    [Buffer.alloc(0), null],
    [Buffer.from([0x10]), 'mqtt'],
    [Buffer.from([0x16, 3]), 'unknown'],
    [Buffer.from('get / '), 'unknown'],
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n'), null],
    [Buffer.from(`GET /${'x'.repeat(20_000)}`), 'http'],
    [head('Host: x'), 'http'],
    [head('UPGRADE:WebSocket', 'sec-websocket-protocol: mqttv3.1'), 'webSocket'],
    [head('Upgrade: websocket', 'Sec-WebSocket-Protocol: live'), 'http'],
    [head('Upgrade: websocket'), 'http'],
    [head('Sec-WebSocket-Protocol: mqtt'), 'http'],
  ])('takes %j for %s', (bytes, expected) => {
    expect(afterHandshake(bytes)).toBe(expected);
  });
});

describe('chooseSubProtocol', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['mqtt', 'mqtt'],
    [' mqttv3.1 ,mqtt', 'mqttv3.1'],
    ['mqttv5, mqtt', 'mqtt'],
    ['MQTT', null],
  ])('of %j chooses %j', (offered, expected) => {
    expect(chooseSubProtocol(offered)).toBe(expected);
  });
});
