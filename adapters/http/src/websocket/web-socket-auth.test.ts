import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { FakeTime, MemoryTelemetryStore, openTestRegistry } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveClient } from './testing/live-client.ts';
import { type LiveServer, openLiveServer } from './testing/live-server.ts';
import type { WebSocketOptions } from './web-socket-options.ts';

async function openServer(options: WebSocketOptions = {}): Promise<LiveServer> {
  const registry = await openTestRegistry();
  return openLiveServer({ time: new FakeTime(), registry, store: new MemoryTelemetryStore() }, options);
}

let t: LiveServer;
let device: string;

beforeEach(async () => {
  t = await openServer();
  device = await t.device();
});
afterEach(() => t.close());

const command = () => ({ type: 'TIMESERIES', cmdId: 1, entityType: 'DEVICE', entityId: device, keys: 't' });
const follow = (token: string = t.token) => ({ authCmd: { cmdId: 0, token }, cmds: [command()] });

/** Lets everything that is under way between client and server arrive. */
async function settled(client: LiveClient): Promise<void> {
  client.socket.ping();
  await once(client.socket, 'pong');
}

/** The status with which a request for a WebSocket is refused. */
async function refusedUpgrade(path: string): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${t.port}${path}`);
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  socket.terminate();
  return response.statusCode;
}

describe('who a session belongs to', () => {
  it('TBS-84 is said by the first message, with commands that run after it: a token or an API key', async () => {
    const client = await t.connect('/api/ws');
    expect(await client.ask(follow())).toMatchObject({ subscriptionId: 1, errorCode: 0 });
    await t.store(device, 5, { t: 1 });
    expect((await client.next()).data).toEqual({ t: [[5, '1']] });
    const { id } = (await t.call('GET', '/api/auth/user')).json().id;
    t.keys.set('tb_key', id);
    const withKey = await t.connect('/api/ws');
    const shown = { authCmd: { cmdId: 0, apiKey: 'tb_key' }, tsSubCmds: [command()] };
    expect(await withKey.ask(shown)).toMatchObject({ subscriptionId: 1, errorCode: 0, data: { t: [[5, '1']] } });
    t.keys.clear();
    t.time.advance(1000);
    expect((await withKey.closed).code).toBe(1008);
    expect(await client.rest()).toEqual([]);
  });

  it('is checked as a header would be: a refresh token, another kind of token or an unknown API key is none', async () => {
    for (const authCmd of [{ token: t.refreshToken }, { token: 'a.b.c' }, { token: 7 }, { apiKey: 'tb_x' }, {}]) {
      const client = await t.connect('/api/ws');
      client.send({ authCmd, cmds: [command()] });
      expect(await client.closed).toEqual({ code: 1007, reason: 'Authentication failed' });
    }
    expect(t.hub.counters().watches).toBe(0);
  });

  it('TBS-85 must be said within 10 s, and by the first message', async () => {
    const silent = await t.connect('/api/ws');
    t.time.advance(9_000);
    await settled(silent);
    t.time.advance(1_000);
    expect(await silent.closed).toEqual({ code: 1008, reason: 'Authentication timed out' });
    const hasty = await t.connect('/api/ws');
    hasty.send({ cmds: [command()] });
    expect(await hasty.closed).toEqual({ code: 1008, reason: 'Auth cmd is missing' });
    const broken = await t.connect('/api/ws');
    broken.send('{"authCmd":');
    expect(await broken.closed).toEqual({ code: 1007, reason: 'Failed to parse the payload' });
  });

  it('is said by the query parameter or never in the older form', async () => {
    for (const path of [
      '/api/ws/plugins/telemetry',
      '/api/ws/plugins/telemetry?token=',
      '/api/ws/plugins/telemetry?token=x',
      '/api/ws?token=x',
      `/api/ws?token=${t.refreshToken}`,
    ]) {
      expect((await (await t.connect(path)).closed).code, path).toBe(1011);
    }
    t.time.advance(9_001_000);
    expect((await (await t.connect()).closed).code).toBe(1011);
  });

  it('may be proved anew by the same user, not by another', async () => {
    const yard = await t.customer('Yard');
    const client = await t.connect('/api/ws');
    await client.ask(follow());
    expect(await client.ask(follow())).toMatchObject({ subscriptionId: 1, errorCode: 0 });
    client.send(follow(yard.token));
    expect((await client.closed).code).toBe(1007);
  });
});

describe('a session ends', () => {
  const ended = { code: 1008, reason: 'The session has ended' };

  it('when its token expires, at the next delivery or within a second', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [command()] });
    t.time.jump(9_000_000);
    await t.store(device, 5, { t: 1 });
    expect(await client.closed).toEqual(ended);
    expect(await Promise.race([client.next(), 'nothing'])).toBe('nothing');
  });

  it('when its user logs out', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [command()] });
    expect((await t.call('POST', '/api/auth/logout')).statusCode).toBe(200);
    t.time.advance(1000);
    expect(await client.closed).toEqual(ended);
    expect(t.hub.counters().watches).toBe(0);
  });

  it('when its user is disabled or deleted', async () => {
    for (const how of ['disable', 'delete'] as const) {
      const { token, userId } = await t.customer(how);
      const client = await t.connect(`/api/ws?token=${token}`);
      await settled(client);
      const path = `/api/user/${userId}`;
      if (how === 'delete') await t.call('DELETE', path);
      else await t.call('POST', `${path}/userCredentialsEnabled?userCredentialsEnabled=false`);
      t.time.advance(1000);
      expect(await client.closed).toEqual(ended);
    }
  });

  it('when it leaves pings unanswered for 30 s, and not while it answers', async () => {
    const client = await t.connect();
    let pings = 0;
    client.socket.on('ping', () => {
      pings += 1;
    });
    for (let second = 0; second < 60; second++) {
      t.time.advance(1000);
      await settled(client);
    }
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    const mute = new WebSocket(`ws://127.0.0.1:${t.port}/api/ws?token=${t.token}`, { autoPong: false });
    mute.on('ping', () => {
      pings += 1;
    });
    await once(mute, 'open');
    t.time.advance(39_000);
    const closed = once(mute, 'close');
    t.time.advance(1_000);
    expect((await closed)[0]).toBe(4500);
    expect(pings).toBeGreaterThanOrEqual(3);
  });

  it('when a message is larger than allowed', async () => {
    const client = await t.connect();
    client.send(`{"cmds":[]${' '.repeat(262_144 - 11)}}`);
    expect(await client.rest()).toEqual([]);
    client.send(' '.repeat(262_145));
    expect((await client.closed).code).toBe(1009);
  });

  it('when the server stops', async () => {
    const client = await t.connect();
    await client.ask({ tsSubCmds: [command()] });
    await t.server.close();
    expect((await client.closed).code).toBe(1001);
    expect(t.hub.counters().watches).toBe(0);
    expect(t.time.timers).toBe(0);
  });
});

describe('the door', () => {
  it('answers unknown plugins with 1007 and other paths with 404', async () => {
    expect((await (await t.connect('/api/ws/plugins/nonsense?token=x')).closed).code).toBe(1007);
    for (const path of ['/', '/api', '/api/wss', '/api/ws/plugins', '/api/ws/plugins/telemetry/x']) {
      expect(await refusedUpgrade(path), path).toBe(404);
    }
  });

  it('lets in so many sessions, and fewer that nobody knows', async () => {
    const local = await openServer({ maxSessions: 2, maxUnknown: 1 });
    const url = `ws://127.0.0.1:${local.port}/api/ws`;
    const status = async (path: string) => {
      const socket = new WebSocket(url + path);
      socket.on('error', () => undefined);
      const [, response] = await once(socket, 'unexpected-response');
      return response.statusCode;
    };
    const first = await local.connect('/api/ws');
    expect(await status('')).toBe(503);
    const second = await local.connect();
    expect(await status(`?token=${local.token}`)).toBe(503);
    first.terminate();
    second.terminate();
    await local.close();
  });

  it('answers an ordinary request for it with 426, and other upgrades as ordinary requests', async () => {
    expect((await t.call('GET', '/api/ws')).statusCode).toBe(426);
    expect((await t.send({ url: '/api/ws' })).statusCode).toBe(401);
    const asked = request({ port: t.port, path: '/healthz', headers: { connection: 'Upgrade', upgrade: 'h2c' } }).end();
    const [response] = await once(asked, 'response');
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it('survives handshakes that are not whole', async () => {
    for (const rest of ['Sec-WebSocket-Version: 13\r\n\r\n', 'Sec-WebSocket-Key: x\r\n\r\n', '\r\n']) {
      const socket = connect(t.port, '127.0.0.1');
      socket.write(`GET /api/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${rest}`);
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 4\d\d /);
      socket.destroy();
    }
    const client = await LiveClient.open(`ws://127.0.0.1:${t.port}/api/ws?token=${t.token}`);
    expect(await client.rest()).toEqual([]);
    client.terminate();
  });
});
