import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../harness/api-client.ts';
import { MoorageProcess } from '../harness/moorage-process.ts';
import { MosquittoSub } from '../harness/mosquitto-sub.ts';
import { RawClient } from '../harness/raw-client.ts';
import { run } from '../harness/real-clients.ts';
import { ThingsboardDevice } from '../harness/thingsboard-device.ts';

const TOKEN = 'BROKERAPITOKEN000001';
const BOILER = { username: 'broker-api-boiler', password: 'boiler-password' };
const VIEWER = { username: 'broker-api-viewer', password: 'viewer-password' };
const ADMINISTRATOR = { username: 'broker-api-admin', password: 'admin-password' };
const ALL = 'pageSize=100&page=0';

const server = new MoorageProcess();
const api = new ApiClient(server);
let boilerId = '';
let deviceId = '';

beforeAll(async () => {
  await server.start();
  await api.login();
  deviceId = await api.createDevice('broker device', TOKEN);
  boilerId = await api.createPlainDevice('broker boiler', BOILER.username, BOILER.password);
  await createApplication('viewer', VIEWER, {});
  await createApplication('administrator', ADMINISTRATOR, { sys: true });
});

afterAll(() => server.dispose());

async function createApplication(name: string, credentials: object, configuration: object): Promise<void> {
  const body = { name, dialect: 'plain', credentials: { ...credentials, clientIdPrefix: null }, configuration };
  const answer = await api.call('POST', '/api/application', body);
  expect(answer.status, answer.text).toBe(200);
}

/** What every mosquitto client needs. */
function as(user: { readonly username: string; readonly password: string }): string[] {
  return ['-h', '127.0.0.1', '-p', String(server.mqttPort), '-u', user.username, '-P', user.password];
}

async function listOf(path: string): Promise<{ readonly [member: string]: unknown }[]> {
  const answer = await api.call('GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

/** The code of CONNACK, from which the connection has ended if it is not 0. */
async function connectBoiler(
  clientId: string,
): Promise<{ readonly code: number | undefined; readonly client: RawClient }> {
  const client = await RawClient.open(server.mqttPort, 5);
  const { username, password } = BOILER;
  return { client, code: await client.connect({ clientId, username, password: Buffer.from(password) }) };
}

describe('figures of the server (PL-41)', () => {
  it('reach mosquitto_sub of an application that may have them', async () => {
    const names = ['version', 'clients/connected', 'uptime'];
    const filters = names.flatMap((name) => ['-t', `$SYS/broker/${name}`]);
    const subscriber = new MosquittoSub([...as(ADMINISTRATOR), '-v', ...filters]);
    try {
      const lines = [await subscriber.line(), await subscriber.line(), await subscriber.line()];
      const told = new Map(lines.map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]));
      expect(told.get('$SYS/broker/version')).toMatch(/^moorage \d+\./);
      expect(Number(told.get('$SYS/broker/clients/connected'))).toBeGreaterThanOrEqual(1);
      expect(told.get('$SYS/broker/uptime')).toMatch(/^\d+ seconds$/);
    } finally {
      subscriber.stop();
    }
    const everything = new MosquittoSub([...as(ADMINISTRATOR), '-v', '-t', '$SYS/#']);
    try {
      expect(await everything.line()).toMatch(/^\$SYS\/broker\//);
    } finally {
      everything.stop();
    }
  });

  it.each([
    ['an application without the right', VIEWER],
    ['a device', BOILER],
  ])('are refused to mosquitto_sub of %s', async (_who, user) => {
    const answer = await run('mosquitto_sub', [
      ...as(user),
      '-d',
      '-V',
      'mqttv5',
      '-t',
      '$SYS/#',
      '-C',
      '1',
      '-W',
      '10',
    ]);
    expect(answer.stdout).toContain('Subscribed (mid: 1): 135');
    expect(answer.stdout + answer.stderr).toContain('All subscription requests were denied');
    expect(answer.stdout).not.toContain('PUBLISH');
  });
});

describe('the state of the broker', () => {
  it('shows Sessions, subscriptions and Retained Messages', async () => {
    const subscriber = new MosquittoSub([...as(VIEWER), '-i', 'state-viewer', '-q', '1', '-t', 'state/#']);
    try {
      await subscriber.subscribed();
      const sent = await run('mosquitto_pub', [...as(BOILER), '-q', '1', '-r', '-t', 'state/a', '-m', 'hello']);
      expect(sent.code, sent.stderr).toBe(0);
      expect(await subscriber.line()).toBe('hello');
      expect(await listOf(`/api/broker/sessions?${ALL}&textSearch=STATE-V`)).toMatchObject([
        {
          clientId: 'state-viewer',
          name: 'viewer',
          entityId: { entityType: 'APPLICATION' },
          dialect: 'plain',
          connected: true,
          address: '127.0.0.1',
          subscriptions: 1,
          queuedMessages: 0,
        },
      ]);
      expect(await listOf(`/api/broker/subscriptions?${ALL}&textSearch=state/`)).toMatchObject([
        { clientId: 'state-viewer', topicFilter: 'state/#', qos: 1 },
      ]);
      expect(await listOf(`/api/broker/retained?${ALL}&topicFilter=state/%2B`)).toMatchObject([
        { topic: 'state/a', payloadText: 'hello', payloadBytes: 5, dialect: 'plain' },
      ]);
    } finally {
      subscriber.stop();
    }
  });

  it('shows what waits for an absent client', async () => {
    const subscribe = await run('mosquitto_sub', [
      ...as(VIEWER),
      ...['-i', 'absent-viewer', '-c', '-q', '1', '-t', 'absent/#', '-E'],
    ]);
    expect(subscribe.code, subscribe.stderr).toBe(0);
    for (const payload of ['1', '2']) {
      await run('mosquitto_pub', [...as(BOILER), '-q', '1', '-t', 'absent/a', '-m', payload]);
    }
    expect(await listOf(`/api/broker/sessions?${ALL}&textSearch=absent-viewer`)).toMatchObject([
      { connected: false, address: null, connectedAt: null, queuedMessages: 2, subscriptions: 1 },
    ]);
  });

  it('shows the Session of a device that is not routed', async () => {
    const device = await ThingsboardDevice.connect(server, TOKEN);
    try {
      expect(await listOf(`/api/broker/sessions?${ALL}&textSearch=broker%20device`)).toMatchObject([
        { name: 'broker device', entityId: { entityType: 'DEVICE', id: deviceId }, dialect: 'thingsboard' },
      ]);
    } finally {
      device.client.close();
    }
  });
});

describe('a raw message to a device', () => {
  const publish = (id: string, body: object) => api.call('POST', `/api/device/${id}/publish`, body);

  it('is pushed to a ThingsBoard device as it stands', async () => {
    const message = { topic: 'v1/devices/me/raw', payload: '{"a":1}', qos: 1 };
    const away = await publish(deviceId, message);
    expect([away.status, away.body.message]).toEqual([409, expect.stringContaining('no MQTT connection')]);
    const device = await ThingsboardDevice.connect(server, TOKEN);
    try {
      const [received, answer] = await Promise.all([device.message('v1/devices/me/raw'), publish(deviceId, message)]);
      expect([received.text, received.qos]).toEqual(['{"a":1}', 1]);
      expect(answer.body).toEqual({ via: 'connection', qos: 1, result: 'acknowledged', sessions: null });
    } finally {
      device.client.close();
    }
  });

  it('is published in the space of a plain device', async () => {
    const subscriber = new MosquittoSub([...as(BOILER), '-q', '1', '-t', 'raw/#', '-F', '%t %x']);
    try {
      await subscriber.subscribed();
      const answer = await publish(boilerId, { topic: 'raw/a', payloadBase64: '/wA=', qos: 1 });
      expect(answer.body).toEqual({ via: 'space', qos: 1, result: null, sessions: 1 });
      expect(await subscriber.line()).toBe('raw/a ff00');
    } finally {
      subscriber.stop();
    }
  });

  it('has no way to the topics of the server', async () => {
    for (const topic of ['moorage/me/telemetry', 'moorage/devices/x/telemetry', '$SYS/broker/uptime', 'a/#']) {
      expect((await publish(boilerId, { topic, payload: '{}' })).status, topic).toBe(400);
    }
    expect((await publish('00000000-0000-4000-8000-00000000dead', { topic: 'a' })).status).toBe(404);
  });
});

describe('a trace', () => {
  it('shows the packets of a device both ways, and never a password', async () => {
    const first = await connectBoiler('traced');
    expect(first.code).toBe(0);
    const started = await api.call('POST', '/api/broker/trace', { clientId: 'traced', durationMs: 60_000 });
    expect(started.status, started.text).toBe(200);
    const { client, code } = await connectBoiler('traced');
    expect(code).toBe(0);
    client.write(client.publishPacket('trace/a', 'hello', 1, 1));
    await client.next(4);
    const { body, text } = await api.call('GET', `/api/broker/trace/${started.body.id}?${ALL}`);
    const packets: { direction: string; type: string }[] = body.data;
    expect(packets.map(({ direction, type }) => `${direction} ${type}`).slice(-3)).toEqual([
      'out CONNACK',
      'in PUBLISH',
      'out PUBACK',
    ]);
    expect(packets.at(-2)).toMatchObject({ topic: 'trace/a', payloadText: 'hello', clientId: 'traced' });
    expect(text).not.toContain(BOILER.password);
    client.close();
    expect((await api.call('DELETE', `/api/broker/trace/${started.body.id}`)).status).toBe(200);
    expect((await api.call('GET', `/api/broker/trace/${started.body.id}?${ALL}`)).status).toBe(404);
  });
});

describe('a ban', () => {
  it('closes the connection, keeps the client out, and is lifted', async () => {
    const { client } = await connectBoiler('banned');
    const made = await api.call('POST', '/api/broker/ban', { clientId: 'banned', durationMs: 600_000 });
    expect(made.body).toMatchObject([{ clientId: 'banned', name: 'broker boiler' }]);
    await client.untilClosed();
    const refused = await connectBoiler('banned');
    expect(refused.code).toBe(0x8a);
    refused.client.close();
    const [ban] = await listOf(`/api/broker/bans?${ALL}`);
    expect((await api.call('DELETE', `/api/broker/bans/${ban?.id}`)).status).toBe(200);
    const back = await connectBoiler('banned');
    expect(back.code).toBe(0);
    back.client.close();
  });
});
