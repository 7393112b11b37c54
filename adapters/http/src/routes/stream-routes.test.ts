import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { FakeTime, MemoryTelemetryStore, openTestRegistry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStream } from '../websocket/event-stream.ts';
import { SessionAuth } from '../websocket/session-auth.ts';
import { type LiveServer, openLiveServer } from '../websocket/testing/live-server.ts';
import type { WebSocketOptions } from '../websocket/web-socket-options.ts';

async function openServer(options: WebSocketOptions = {}): Promise<LiveServer> {
  const registry = await openTestRegistry();
  return openLiveServer({ time: new FakeTime(), registry, store: new MemoryTelemetryStore() }, options);
}

let t: LiveServer;
let device: string;

beforeEach(async () => {
  t = await openServer({ maxSessions: 2 });
  device = await t.device();
});
afterEach(() => t.close());

/** A client of the stream that reads event by event. */
class StreamClient {
  readonly response: IncomingMessage;
  #text = '';
  ended = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk) => {
      this.#text += chunk;
    });
    response.on('end', () => {
      this.ended = true;
    });
    response.on('error', () => undefined);
  }

  async next(): Promise<string> {
    while (!this.#text.includes('\n\n')) await once(this.response, 'data');
    const end = this.#text.indexOf('\n\n');
    const event = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return event;
  }
}

async function open(id = device, token = t.token): Promise<StreamClient> {
  const headers = { 'x-authorization': `Bearer ${token}` };
  const asked = request({ port: t.port, path: `/api/stream/devices/${id}`, headers, agent: false }).end();
  asked.on('error', () => undefined);
  const [response] = await once(asked, 'response');
  return new StreamClient(response);
}

describe('GET /api/stream/devices/{deviceId}', () => {
  it('tells telemetry, attributes and events as they happen', async () => {
    const client = await open();
    expect(client.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(await client.next()).toBe('retry: 2000');
    await t.store(device, 5, { t: 22.5, on: true, s: 'a\nb' });
    expect(await client.next()).toBe('event: telemetry\ndata: {"ts":5,"values":{"t":22.5,"on":true,"s":"a\\nb"}}');
    await t.storeAttributes(device, 'SHARED', { a: 1 });
    const now = t.time.now();
    expect(await client.next()).toBe(`event: attributes\ndata: {"scope":"shared","ts":${now},"values":{"a":1}}`);
    await t.removeAttributes(device, 'SHARED', ['a']);
    expect(await client.next()).toBe(`event: attributes\ndata: {"scope":"shared","ts":${now},"deleted":["a"]}`);
    t.hub.happened(device, { ts: 7, type: 'connected', detail: null });
    expect(await client.next()).toBe('event: connected\ndata: {"ts":7,"type":"connected"}');
    t.hub.happened(device, { ts: 8, type: 'alarm', detail: '{"severity":"MAJOR"}' });
    expect(await client.next()).toBe('event: alarm\ndata: {"ts":8,"type":"alarm","detail":{"severity":"MAJOR"}}');
    t.time.advance(15_000);
    expect(await client.next()).toBe(':');
    client.response.destroy();
  });

  it('refuses foreign and unknown devices, and more streams than allowed', async () => {
    const yard = await t.customer('Yard');
    expect((await open(device, yard.token)).response.statusCode).toBe(403);
    expect((await open('11111111-2222-4333-8444-555555555555')).response.statusCode).toBe(404);
    expect((await open('x')).response.statusCode).toBe(400);
    const streams = [await open(), await open()];
    expect((await open()).response.statusCode).toBe(429);
    for (const { response } of streams) response.destroy();
  });

  it('ends with the token, with the device, and with the server', async () => {
    const client = await open();
    await client.next();
    t.time.jump(9_000_000);
    t.time.advance(1000);
    if (!client.ended) await once(client.response, 'end');
    t.time.jump(-9_000_000);
    const second = await open();
    await second.next();
    await t.call('DELETE', `/api/device/${device}`);
    expect(await second.next()).toBe('event: ended\ndata: {"reason":"deleted"}');
    const third = await open(await t.device('T2'));
    await third.next();
    await t.server.close();
    if (!third.ended) await once(third.response, 'end');
    expect(t.hub.counters().watches).toBe(0);
    expect(t.time.timers).toBe(0);
  });

  it('forgets a client that went away', async () => {
    const client = await open();
    await client.next();
    client.response.destroy();
    while (t.hub.counters().watches > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(t.time.timers).toBe(0);
  });
});

describe('EventStream', () => {
  it('loses events of a client that does not read, says how many, and cuts it off after 30 s', async () => {
    const auth = Object.assign(Object.create(SessionAuth.prototype), {});
    Object.defineProperty(auth, 'holds', { value: true });
    const time = new FakeTime();
    const written: string[] = [];
    let destroyed = 0;
    let over = 0;
    const target = {
      writableLength: 0,
      write: (text: string) => written.push(text),
      end: () => undefined,
      destroy: () => {
        destroyed += 1;
      },
    };
    const stream = new EventStream({ target, auth, clock: time, highWaterBytes: 100, ended: () => (over += 1) });
    const event = { ts: 1, type: 'x', detail: null };
    target.writableLength = 100;
    for (let count = 0; count < 5; count++) stream.event('d', event);
    expect(written).toEqual([]);
    target.writableLength = 0;
    stream.drained();
    expect(written).toEqual(['event: lost\ndata: {"events":5}\n\n']);
    target.writableLength = 100;
    stream.event('d', event);
    time.advance(29_999);
    stream.tick();
    expect(destroyed).toBe(0);
    time.advance(1);
    stream.tick();
    stream.event('d', event);
    expect([destroyed, over, written.length]).toEqual([1, 1, 1]);
  });
});
