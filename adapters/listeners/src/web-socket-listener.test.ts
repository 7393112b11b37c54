import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { CERTIFICATES } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Listener } from './listener.ts';
import { Bench, closed } from './testing/listening.ts';
import { turns } from './testing/streams.ts';
import { createWebSocketListener } from './web-socket-listener.ts';

let bench = new Bench();
afterEach(async () => {
  await bench.close();
  bench = new Bench();
});

const open = (changes: { maxConnections?: number } = {}): Promise<Listener> =>
  bench.listen(createWebSocketListener({ ...bench.options, ...changes }));

function client(listener: Listener, protocols: string | string[] = 'mqtt', path = '/mqtt'): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}${path}`, protocols, { perMessageDeflate: true });
  socket.on('error', () => undefined);
  bench.later(() => socket.terminate());
  return socket;
}

/** A connection whose frames are made by hand; what came after the handshake is collected. */
async function raw(listener: Listener): Promise<{ socket: Socket; received: () => Buffer }> {
  const socket = await bench.connect(listener);
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 /);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  return { socket, received: () => Buffer.concat(chunks) };
}

/** A frame as a client sends it, with a mask of zeros. RFC 6455, 5.2 */
function frame(opcode: number, payload: Uint8Array, fin = true): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload]);
}

/** Status of an HTTP request that is no WebSocket handshake, or a wrong one. */
function status(listener: Listener, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: listener.port, path: '/any', headers, agent: false });
    call.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    call.on('error', reject);
    call.end();
  });
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

describe('WebSocket listener', () => {
  it.each([
    ['/', 'mqtt', 'mqtt'],
    ['/mqtt', 'mqttv3.1', 'mqttv3.1'],
    ['/any/path?with=query', ['mqttv3.1', 'mqtt'], 'mqttv3.1'],
    ['/mqtt', ['other', 'mqtt', 'mqttv3.1'], 'mqtt'],
  ] as const)('on %s answers %j with %s (O-34) [MQTT-6.0.0-4] [v3.1.1 MQTT-6.0.0-4]', async (path, offered, chosen) => {
    const listener = await open();
    const socket = client(listener, typeof offered === 'string' ? offered : [...offered], path);
    await once(socket, 'open');
    expect(socket.protocol).toBe(chosen);
    expect(socket.extensions).toBe('');
    const { via } = await bench.accepted();
    expect(via).toMatchObject({ transport: 'ws', remoteAddress: '127.0.0.1', serverName: null });
    expect(bench.limits.size).toBe(0);
  });

  it.each([
    [{}, 400],
    [{ 'sec-websocket-protocol': 'http, MQTT' }, 400],
    [{ 'sec-websocket-protocol': `${'x'.repeat(2000)}, mqtt` }, 400],
    [{ 'sec-websocket-protocol': 'mqtt', 'sec-websocket-version': '12' }, 400],
    [{ 'sec-websocket-protocol': 'mqtt', 'sec-websocket-key': 'short' }, 400],
  ])('answers %j with %d and counts it (B12) [MQTT-6.0.0-3]', async (headers, expected) => {
    const listener = await open();
    expect(await status(listener, { ...UPGRADE, ...headers })).toBe(expected);
    while (listener.connections > 0) await turns(1);
    expect(bench.counts.get('webSocket.handshake.failed')).toBe(1);
  });

  it('answers an ordinary request with 426, and one with too long a head with 431', async () => {
    const listener = await open();
    expect(await status(listener, {})).toBe(426);
    const socket = await bench.connect(listener);
    socket.write(`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    await closed(socket);
    while (listener.connections > 0) await turns(1);
    expect(bench.counts.get('webSocket.handshake.failed')).toBe(2);
  });

  it('closes a handshake that takes too long', async () => {
    const listener = await open();
    const socket = await bench.connect(listener);
    socket.write('GET / HTTP/1.1\r\nHost');
    while (bench.limits.size === 0) await turns(1);
    bench.expire();
    await closed(socket);
    while (listener.connections > 0) await turns(1);
    expect(bench.counts.get('webSocket.handshake.failed')).toBe(1);
  });

  it('keeps the bytes of frames in order: many packets in one, one packet in frames of one byte (K-61) [MQTT-6.0.0-2] [v3.1.1 MQTT-6.0.0-2]', async () => {
    const listener = await open();
    const socket = client(listener);
    await once(socket, 'open');
    const { seen } = await bench.recorded();
    const sent = Buffer.from(Uint8Array.from({ length: 500 }, (_, index) => index & 0xff));
    socket.send(sent.subarray(0, 300));
    for (const byte of sent.subarray(300, 400)) socket.send(Uint8Array.of(byte));
    // One message of WebSocket made of many frames.
    for (let at = 400; at < 499; at++) socket.send(sent.subarray(at, at + 1), { fin: false });
    socket.send(sent.subarray(499), { fin: true });
    await seen.gotBytes(500);
    expect(seen.bytes().equals(sent)).toBe(true);
  });

  it('sends one binary frame for each write', async () => {
    const listener = await open();
    const socket = client(listener);
    await once(socket, 'open');
    const { stream } = await bench.recorded();
    const frames: number[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer, isBinary) => {
        expect(isBinary).toBe(true);
        frames.push(data.length);
        if (frames.length === 3) resolve();
      });
    });
    for (const length of [1, 200, 70_000]) stream.write(new Uint8Array(length));
    await done;
    expect(frames).toEqual([1, 200, 70_000]);
  });

  it('closes a text frame with 1003 and hands nothing of it over [MQTT-6.0.0-1] [v3.1.1 MQTT-6.0.0-1]', async () => {
    const listener = await open();
    const socket = client(listener);
    await once(socket, 'open');
    const { seen } = await bench.recorded();
    socket.send('text');
    socket.send(Buffer.from('binary after it'));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1003);
    await seen.closed();
    expect(seen.received).toBe(0);
    expect(seen.closes[0]).toMatchObject({ name: 'WebSocketError', code: 'text-frame' });
    expect(bench.counts.get('webSocket.frame.text')).toBe(1);
    expect(listener.connections).toBe(0);
    expect(bench.limits.size).toBe(0);
  });

  it('bounds the first frame at 64 KiB and later ones at 2 MiB: 1009 (B12)', async () => {
    const listener = await open();
    const first = client(listener);
    await once(first, 'open');
    const early = await bench.recorded();
    first.send(new Uint8Array(65_537));
    expect(await once(first, 'close')).toMatchObject([1009, {}]);
    await early.seen.closed();
    expect(early.seen.closes[0]).toMatchObject({ code: 'invalid-frame' });
    const second = client(listener);
    await once(second, 'open');
    const late = await bench.recorded();
    second.send(new Uint8Array(65_536));
    second.send(new Uint8Array(2_097_152));
    await late.seen.gotBytes(65_536 + 2_097_152);
    second.send(new Uint8Array(2_097_153));
    expect(await once(second, 'close')).toMatchObject([1009, {}]);
    expect(bench.counts.get('webSocket.frame.invalid')).toBe(2);
  });

  it.each([
    ['a frame without mask', Buffer.from([0x82, 1, 0x10]), 1002],
    ['a reserved bit', Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), 1002],
    ['an unknown kind of frame', frame(0x3, Buffer.alloc(0)), 1002],
    ['a continuation of nothing', frame(0x0, Buffer.from('x')), 1002],
  ])('closes %s with its code (B12)', async (_name, bytes, code) => {
    const listener = await open();
    const { socket, received } = await raw(listener);
    const { seen } = await bench.recorded();
    socket.write(bytes);
    await closed(socket);
    await seen.closed();
    const answer = received();
    expect(answer[0]).toBe(0x88);
    expect(answer.readUInt16BE(2)).toBe(code);
    expect(bench.counts.get('webSocket.frame.invalid')).toBe(1);
  });

  it('answers pings, and cuts a flood of them (B12)', async () => {
    const listener = await open();
    const { socket, received } = await raw(listener);
    const { seen } = await bench.recorded();
    socket.write(frame(0x9, Buffer.from('hi')));
    while (received().length < 4) await turns(1);
    expect([...received()]).toEqual([0x8a, 2, 0x68, 0x69]);
    const ping = frame(0x9, Buffer.alloc(125));
    socket.write(Buffer.concat(Array.from({ length: 400 }, () => ping)));
    await closed(socket);
    await seen.closed();
    expect(received().length).toBeLessThan(100 * 130);
  });

  it('stops reading while paused and hands over the rest in order', async () => {
    const listener = await open();
    const socket = client(listener);
    await once(socket, 'open');
    const { stream } = await bench.accepted();
    const chunks: number[] = [];
    const both = new Promise<void>((resolve) => {
      stream.start({
        onData(chunk) {
          chunks.push(...chunk);
          if (chunks.length === 1) {
            stream.pause();
            setImmediate(() => stream.resume());
          }
          if (chunks.length === 4) resolve();
        },
        onDrain: () => undefined,
        onClose: () => undefined,
      });
    });
    for (const byte of [1, 2, 3, 4]) socket.send(Uint8Array.of(byte));
    await both;
    expect(chunks).toEqual([1, 2, 3, 4]);
  });

  it('tells drain when the last byte has left, and destroy resets a peer that does not read', async () => {
    const listener = await open();
    const { socket } = await raw(listener);
    const { stream, seen } = await bench.recorded();
    socket.pause();
    const block = new Uint8Array(65_536);
    while (stream.writableLength === 0) {
      stream.write(block);
      await turns(1);
    }
    expect(seen.drains).toBe(0);
    const drained = seen.drained();
    socket.resume();
    await drained;
    expect(stream.writableLength).toBe(0);
    expect(seen.drains).toBe(1);
    socket.pause();
    while (stream.writableLength === 0) {
      stream.write(block);
      await turns(1);
    }
    const failed = once(socket, 'error');
    stream.destroy();
    await seen.closed();
    socket.resume();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('ends with 1000 after what was written, and at the limit when the peer does not answer', async () => {
    const listener = await open();
    const socket = client(listener);
    await once(socket, 'open');
    const { stream, seen } = await bench.recorded();
    const got = once(socket, 'message');
    stream.write(Uint8Array.of(9));
    stream.end();
    stream.write(Uint8Array.of(10));
    expect([...((await got)[0] as Buffer)]).toEqual([9]);
    expect((await once(socket, 'close'))[0]).toBe(1000);
    await seen.closed();
    expect(seen.closes).toEqual([null]);
    const silent = await raw(listener);
    const second = await bench.recorded();
    second.stream.end();
    expect(bench.limits.size).toBe(1);
    bench.expire();
    await second.seen.closed();
    await closed(silent.socket);
    expect(listener.connections).toBe(0);
  });

  it('tells the close of a peer that goes, with and without a closing frame', async () => {
    const listener = await open();
    for (const leave of ['close', 'terminate'] as const) {
      const socket = client(listener);
      await once(socket, 'open');
      const { seen } = await bench.recorded();
      socket[leave]();
      await seen.closed();
      expect(seen.closes).toHaveLength(1);
    }
    while (listener.connections > 0) await turns(1);
  });

  it('counts connections in the handshake against the limit', async () => {
    const listener = await open({ maxConnections: 1 });
    await bench.connect(listener);
    await turns(3);
    await closed(await bench.connect(listener));
    expect(listener.refused).toBe(1);
  });
});

describe('secure WebSocket listener', () => {
  it('carries frames over TLS and tells server name and address', async () => {
    const tls = await bench.tls();
    const listener = await bench.listen(createWebSocketListener({ ...bench.options, tls }));
    const socket = new WebSocket(`wss://localhost:${listener.port}/x`, 'mqtt', {
      ca: CERTIFICATES.ca.certificate,
    });
    bench.later(() => socket.terminate());
    await once(socket, 'open');
    const { stream, seen, via } = await bench.recorded();
    expect(via).toMatchObject({ transport: 'wss', serverName: 'localhost', remoteAddress: '127.0.0.1' });
    socket.send(Buffer.from('hello'));
    await seen.gotBytes(5);
    const drained = seen.drained();
    stream.write(new Uint8Array(300_000));
    expect(stream.writableLength).toBeGreaterThan(0);
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.length).toBe(300_000);
    await drained;
    stream.end();
    await seen.closed();
  });

  it('closes what is no TLS', async () => {
    const tls = await bench.tls();
    const listener = await bench.listen(createWebSocketListener({ ...bench.options, tls }));
    const socket = await bench.connect(listener);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed(socket);
    expect(bench.counts.get('listener.firstByte.unknown')).toBe(1);
  });
});
