import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ByteStream, ListenerInfo } from '@moorage/mqtt-broker';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenError } from './listen-error.ts';
import type { Listener } from './listener.ts';
import { createTcpListener } from './tcp-listener.ts';
import { BLOCK, fill, record, turns } from './testing/streams.ts';

const clean: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of clean.splice(0).reverse()) await step();
});

interface Accepted {
  readonly stream: ByteStream;
  readonly via: ListenerInfo;
}

/** A listener, and the accepted connections in order. */
async function open(settings: { ordinary: boolean; maxConnections?: number }) {
  const waiting: ((accepted: Accepted) => void)[] = [];
  const ready: Accepted[] = [];
  const limits: (() => void)[] = [];
  const listener = await createTcpListener({
    name: 'mqtt',
    host: '127.0.0.1',
    port: 0,
    pinnedDialect: null,
    maxConnections: settings.maxConnections ?? 100,
    ordinary: settings.ordinary,
    scheduler: {
      after(_delayMs, task) {
        limits.push(task);
        return () => void limits.splice(limits.indexOf(task), 1);
      },
    },
    accept(stream, via) {
      clean.push(() => stream.destroy());
      const next = waiting.shift();
      if (next === undefined) ready.push({ stream, via });
      else next({ stream, via });
    },
  });
  clean.push(() => listener.close());
  const accepted = (): Promise<Accepted> => {
    const first = ready.shift();
    return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
  };
  return { listener, accepted, limits };
}

async function client(listener: Listener, allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen });
  socket.on('error', () => undefined);
  clean.push(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const numbered = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
describe.each([{ ordinary: false }, { ordinary: true }])('TCP listener (ordinary reading: $ordinary)', (settings) => {
  it('hands over every byte in order, whatever the chunks', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    const sent = numbered(300_000);
    for (let at = 0; at < sent.length; ) {
      const step = 1 + ((at * 7) % 50_000);
      socket.write(sent.subarray(at, at + step));
      at += step;
    }
    await seen.gotBytes(sent.length);
    expect(seen.bytes().equals(sent)).toBe(true);
  });

  it('reads nothing before start', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    socket.write('early');
    await turns(5);
    const seen = record();
    stream.start(seen.handler);
    await seen.gotBytes(5);
    expect(seen.bytes().toString()).toBe('early');
  });

  it('keeps the bytes of two connections apart', async () => {
    const { listener, accepted } = await open(settings);
    const records = [record(), record(), record()];
    const sockets: Socket[] = [];
    for (const seen of records) {
      sockets.push(await client(listener));
      (await accepted()).stream.start(seen.handler);
    }
    sockets.forEach((socket, index) => {
      socket.write(Buffer.alloc(100_000, index + 1));
    });
    await Promise.all(records.map((seen) => seen.gotBytes(100_000)));
    records.forEach((seen, index) => {
      expect(seen.bytes().equals(Buffer.alloc(100_000, index + 1))).toBe(true);
    });
  });

  it('tells where the connection came from', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { via } = await accepted();
    const { listener: name, transport, remoteAddress, remotePort, pinnedDialect, serverName, clientCertificates } = via;
    expect({
      listener: name,
      ...{ transport, remoteAddress, remotePort, pinnedDialect, serverName, clientCertificates },
    }).toEqual({
      listener: 'mqtt',
      transport: 'tcp',
      remoteAddress: '127.0.0.1',
      remotePort: socket.localPort,
      pinnedDialect: null,
      serverName: null,
      clientCertificates: null,
    });
  });

  it('holds bytes back from a reader that stops, and tells when the last has left', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    socket.pause();
    const written = await fill(stream);
    expect(stream.writableLength).toBeGreaterThan(0);
    expect(seen.drains).toBe(0);
    stream.write(Uint8Array.of(1, 2, 3));
    let read = 0;
    socket.on('data', (chunk) => {
      read += chunk.length;
    });
    const drained = seen.drained();
    socket.resume();
    await drained;
    expect(stream.writableLength).toBe(0);
    expect(seen.drains).toBe(1);
    stream.end();
    await once(socket, 'end');
    expect(read).toBe(written + 3);
  });

  it('tells no drain for what the kernel takes at once', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.write(Uint8Array.of(1));
    expect(stream.writableLength).toBe(0);
    await once(socket, 'data');
    expect(seen.drains).toBe(0);
  });

  it('hands over nothing while paused, and all of it afterwards', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.pause();
    stream.pause();
    socket.write(numbered(10_000));
    await turns(10);
    expect(seen.received).toBe(0);
    stream.resume();
    stream.resume();
    await seen.gotBytes(10_000);
    expect(seen.bytes().equals(numbered(10_000))).toBe(true);
  });

  it('loses nothing and keeps the order when resumed and paused within one tick', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.pause();
    const sent = numbered(200_000);
    for (let at = 0; at < sent.length; at += 20_000) {
      socket.write(sent.subarray(at, at + 20_000));
      const before = seen.received;
      stream.resume();
      stream.pause();
      await turns(3);
      expect(seen.received).toBe(before);
    }
    stream.resume();
    await seen.gotBytes(sent.length);
    expect(seen.bytes().equals(sent)).toBe(true);
  });

  it('hands over chunks whose slice is a copy', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start({
      ...seen.handler,
      onData(chunk) {
        const copy = chunk.slice();
        chunk.fill(0);
        seen.handler.onData(copy);
      },
    });
    socket.write('kept');
    await seen.gotBytes(4);
    expect(seen.bytes().toString()).toBe('kept');
  });

  it('stops a sender when paused for long', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.pause();
    for (let block = 0; block < 400; block++) socket.write(BLOCK);
    await turns(50);
    expect(socket.writableLength).toBeGreaterThan(0);
    stream.resume();
    await seen.gotBytes(400 * BLOCK.length);
  });

  it('may be paused inside onData', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start({
      ...seen.handler,
      onData(chunk) {
        seen.handler.onData(chunk);
        stream.pause();
      },
    });
    socket.write('one');
    await seen.gotBytes(3);
    socket.write('two');
    await turns(10);
    expect(seen.bytes().toString()).toBe('one');
    stream.resume();
    await seen.gotBytes(6);
    expect(seen.bytes().toString()).toBe('onetwo');
  });

  it('end sends what was written before it closes, although the peer goes on sending', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.pause();
    socket.write(numbered(50_000));
    await turns(5);
    let read = 0;
    socket.on('data', (chunk) => {
      read += chunk.length;
    });
    stream.write(numbered(200_000));
    stream.end();
    stream.write(Uint8Array.of(9));
    await Promise.all([once(socket, 'end'), seen.closed()]);
    expect(read).toBe(200_000);
    expect(seen.received).toBe(0);
    expect(seen.closes).toEqual([null]);
  });

  it('end closes after its limit when the peer neither reads nor closes', async () => {
    const { listener, accepted, limits } = await open(settings);
    const socket = await client(listener, true);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    socket.pause();
    await fill(stream);
    stream.end();
    await turns(10);
    expect(seen.closes).toEqual([]);
    expect(limits).toHaveLength(1);
    limits[0]?.();
    await seen.closed();
    expect(seen.closes).toEqual([null]);
    expect(limits).toHaveLength(0);
    expect(listener.connections).toBe(0);
  });

  it('end closes after its limit when the peer read everything but keeps its side open', async () => {
    const { listener, accepted, limits } = await open(settings);
    const socket = await client(listener, true);
    socket.resume();
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    stream.write(Uint8Array.of(1));
    stream.end();
    await once(socket, 'end');
    expect(seen.closes).toEqual([]);
    limits[0]?.();
    await seen.closed();
    expect(seen.closes).toEqual([null]);
  });

  it('a peer that half-closes still gets what was written', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener, true);
    const { stream } = await accepted();
    const seen = record();
    stream.start({
      ...seen.handler,
      onData(chunk) {
        seen.handler.onData(chunk);
        stream.write(chunk.slice());
      },
    });
    let echoed = '';
    socket.on('data', (chunk) => {
      echoed += chunk.toString();
    });
    socket.end('last words');
    await Promise.all([once(socket, 'end'), seen.closed()]);
    expect(echoed).toBe('last words');
    expect(seen.closes).toEqual([null]);
  });

  it('reports a reset once, with its error', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    socket.resetAndDestroy();
    await seen.closed();
    stream.write(Uint8Array.of(1));
    stream.end();
    stream.destroy();
    await turns(3);
    expect(seen.closes).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
    expect(listener.connections).toBe(0);
  });

  it('destroy closes at once, reported once', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    const ended = once(socket, 'close');
    socket.resume();
    stream.destroy();
    stream.destroy();
    await Promise.all([ended, seen.closed()]);
    await turns(3);
    expect(seen.closes).toEqual([null]);
  });

  it('destroy resets a peer that does not read', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    socket.pause();
    await fill(stream);
    const failed = once(socket, 'error');
    stream.destroy();
    await seen.closed();
    expect(seen.closes).toEqual([null]);
    expect(listener.connections).toBe(0);
    socket.resume();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('tells the close also when the peer was gone before start', async () => {
    const { listener, accepted } = await open(settings);
    await client(listener);
    const { stream } = await accepted();
    stream.destroy();
    await turns(5);
    const seen = record();
    stream.start(seen.handler);
    await seen.closed();
    expect(seen.closes).toEqual([null]);
  });

  it('closes connections above the limit at once, counts them, and accepts again afterwards', async () => {
    const { listener, accepted } = await open({ ...settings, maxConnections: 2 });
    const first = await client(listener);
    const seen = record();
    (await accepted()).stream.start(seen.handler);
    await client(listener);
    await accepted();
    const third = await client(listener);
    third.resume();
    await once(third, 'close');
    expect(listener.connections).toBe(2);
    expect(listener.refused).toBe(1);
    first.destroy();
    await seen.closed();
    await client(listener);
    await accepted();
    expect(listener.connections).toBe(2);
    expect(listener.refused).toBe(1);
  });

  it('close frees the port and leaves open connections alone', async () => {
    const { listener, accepted } = await open(settings);
    const socket = await client(listener);
    const { stream } = await accepted();
    const seen = record();
    stream.start(seen.handler);
    await listener.close();
    await listener.close();
    const again = await createTcpListener({
      name: 'again',
      host: '127.0.0.1',
      port: listener.port,
      pinnedDialect: null,
      maxConnections: 1,
      accept: (late) => late.destroy(),
    });
    clean.push(() => again.close());
    socket.write('still here');
    await seen.gotBytes(10);
    expect(listener.connections).toBe(1);
  });
});

describe('TCP listener', () => {
  it('reads all connections into one buffer', async () => {
    const { listener, accepted } = await open({ ordinary: false });
    const buffers = new Set<ArrayBufferLike>();
    for (let index = 0; index < 3; index++) {
      const socket = await client(listener);
      const { stream } = await accepted();
      const read = new Promise<void>((resolve) => {
        stream.start({
          onData(chunk) {
            buffers.add(chunk.buffer);
            resolve();
          },
          onDrain: () => undefined,
          onClose: () => undefined,
        });
      });
      socket.write('x');
      await read;
    }
    expect(buffers.size).toBe(1);
  });

  it('says in words that a port is in use', async () => {
    const { listener } = await open({ ordinary: false });
    const attempt = createTcpListener({
      name: 'second',
      host: '127.0.0.1',
      port: listener.port,
      pinnedDialect: null,
      maxConnections: 1,
      accept: (stream) => stream.destroy(),
    });
    const error = await attempt.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1, port ${listener.port} (second): the port is in use by another process`,
    });
  });
});
