import { FakeTime, MemoryTelemetryStore, openTestRegistry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLOSE, type CloseReason } from './close-codes.ts';
import { SocketChannel, type UpdateSource } from './socket-channel.ts';
import { LiveClient } from './testing/live-client.ts';
import { type LiveServer, openLiveServer } from './testing/live-server.ts';
import type { WebSocketOptions } from './web-socket-options.ts';

async function openServer(options: WebSocketOptions = {}): Promise<LiveServer> {
  const registry = await openTestRegistry();
  return openLiveServer({ time: new FakeTime(), registry, store: new MemoryTelemetryStore() }, options);
}

/** A socket that takes what the test lets it take. */
class FakeSocket {
  readonly sent: string[] = [];
  bufferedAmount = 0;
  stuck = false;
  #waiting: { readonly bytes: number; readonly done: () => void }[] = [];

  send(text: string, done: () => void): void {
    this.sent.push(text);
    if (!this.stuck) {
      done();
      return;
    }
    this.bufferedAmount += text.length;
    this.#waiting.push({ bytes: text.length, done });
  }

  cork(): void {}

  uncork(): void {}

  /** Takes everything that waits. */
  drain(): void {
    for (const { bytes, done } of this.#waiting.splice(0)) {
      this.bufferedAmount -= bytes;
      done();
    }
  }
}

function open() {
  const time = new FakeTime();
  const socket = new FakeSocket();
  const closed: CloseReason[] = [];
  const channel = new SocketChannel(socket, {
    scheduler: time,
    maxUnsent: 1000,
    highWaterBytes: 100,
    mayDeliver: () => true,
    close: (reason) => {
      closed.push(reason);
      channel.close();
    },
  });
  return { time, socket, closed, channel };
}

describe('SocketChannel', () => {
  it('sends what came in one turn together and in order', () => {
    const { time, socket, channel } = open();
    const news = ['b'];
    const source: UpdateSource = { take: () => news.shift() ?? null };
    channel.send('a');
    channel.offer(source);
    channel.offer(source);
    channel.send('c');
    expect(socket.sent).toEqual([]);
    time.endTurn();
    expect(socket.sent).toEqual(['a', 'b', 'c']);
  });

  it('asks a source for its news only when the client reads again', async () => {
    const { time, socket, channel } = open();
    socket.stuck = true;
    channel.send('x'.repeat(100));
    time.endTurn();
    expect(channel.blocked).toBe(true);
    let latest = 0;
    const source: UpdateSource = { take: () => String(latest) };
    for (let value = 1; value <= 900; value++) {
      latest = value;
      channel.offer(source);
    }
    const writable = channel.writable();
    time.endTurn();
    expect(socket.sent).toHaveLength(1);
    socket.stuck = false;
    socket.drain();
    await writable;
    time.endTurn();
    expect(socket.sent.slice(1)).toEqual(['900']);
  });

  it('TBS-95 closes with 1008 when more than 1000 messages wait', () => {
    const { time, socket, closed, channel } = open();
    socket.stuck = true;
    channel.send('x'.repeat(100));
    time.endTurn();
    const source: UpdateSource = { take: () => 'news' };
    for (let count = 0; count < 1000; count++) channel.offer(source);
    expect(closed).toEqual([]);
    channel.send('one more');
    expect(closed).toEqual([CLOSE.tooManyPending]);
    channel.send('after');
    time.endTurn();
    expect(socket.sent).toHaveLength(1);
  });

  it('counts anew after the client has read', () => {
    const { time, socket, closed, channel } = open();
    for (let round = 0; round < 3; round++) {
      socket.stuck = true;
      channel.send('x'.repeat(100));
      time.endTurn();
      for (let count = 0; count < 900; count++) channel.send('y');
      socket.stuck = false;
      socket.drain();
      time.endTurn();
    }
    expect(closed).toEqual([]);
    expect(socket.sent).toHaveLength(2703);
  });
});

describe('clients of one device', () => {
  let t: LiveServer;
  let device: string;

  beforeEach(async () => {
    t = await openServer({ highWaterBytes: 1024 });
    device = await t.device();
  });
  afterEach(() => t.close());

  const follow = (keys = 't') => ({
    cmds: [{ type: 'TIMESERIES', cmdId: 1, entityType: 'DEVICE', entityId: device, keys }],
  });

  it('TBS-95 one that does not read is closed with 1008 and slows nobody', async () => {
    const slow = await t.connect();
    await slow.ask(follow());
    const fast = await t.connect();
    await fast.ask(follow('n'));
    slow.socket.pause();
    // More than the system itself keeps for a connection; then a thousand messages and one more.
    const text = 'x'.repeat(500_000);
    let sent = 0;
    while (t.hub.counters().watches === 2 && sent < 1100) {
      sent += 1;
      await t.store(device, sent, sent <= 40 ? { t: text, n: sent } : { t: 'y', n: sent });
      expect((await fast.next()).data).toEqual({ n: [[sent, String(sent)]] });
    }
    expect(t.hub.counters().watches).toBe(1);
    expect(sent).toBeGreaterThan(1000);
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 1008, reason: 'Max pending updates limit reached!' });
  });

  it('one that reads late gets the latest value of each key', async () => {
    const slow = await t.connect();
    await slow.ask(follow('t,n,m'));
    slow.socket.pause();
    const text = 'x'.repeat(500_000);
    for (let at = 1; at <= 40; at++) await t.store(device, at, { t: text });
    for (let at = 41; at <= 400; at++) await t.store(device, at, at % 2 === 0 ? { n: at } : { m: at });
    slow.socket.resume();
    let last = await slow.next();
    let messages = 1;
    while (!Object.hasOwn(Object(last.data), 'n')) {
      last = await slow.next();
      messages += 1;
    }
    expect(last.data).toMatchObject({ n: [[400, '400']], m: [[399, '399']] });
    expect(messages).toBeLessThanOrEqual(41);
    expect(await slow.rest()).toEqual([]);
  });

  it('may be a thousand', async () => {
    const url = `ws://127.0.0.1:${t.port}/api/ws?token=${t.token}`;
    const clients: LiveClient[] = [];
    while (clients.length < 1000) {
      const batch = await Promise.all(Array.from({ length: 50 }, () => LiveClient.open(url)));
      await Promise.all(batch.map((client) => client.ask(follow())));
      clients.push(...batch);
    }
    expect(t.hub.counters()).toMatchObject({ watches: 1000, devices: 1 });
    await t.store(device, 7, { t: 7 });
    const told = await Promise.all(clients.map((client) => client.next()));
    for (const { data } of told) expect(data).toEqual({ t: [[7, '7']] });
    await Promise.all(
      clients.map((client) => {
        client.terminate();
        return client.closed;
      }),
    );
  });
});
