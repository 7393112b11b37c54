import { DEFAULT_PROFILE_SETTINGS } from '@moorage/core';
import { PlainDialect } from '@moorage/dialect-plain';
import type { HttpServerOptions } from '@moorage/http';
import { credentialLookup, FakeCrypto, TestBroker } from '@moorage/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../config/load-configuration.ts';
import { createBrokerDesk, serverFiguresFor, sysTopics } from './broker-desk.ts';

const TENANT = 'tenant';
const PAGE = { pageSize: 100, page: 0, textSearch: null };
const device = {
  id: 'd1',
  tenantId: TENANT,
  name: 'boiler',
  profileId: 'profile',
  gateway: false,
  settings: DEFAULT_PROFILE_SETTINGS,
};

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

/** A broker whose clients are all of one device, and the desk as the API gets it. */
async function setUp() {
  const test = await TestBroker.start();
  test.authenticator.answer = ({ clientId }, accepted) => ({
    ...accepted,
    sessionKey: `${TENANT}/plain/d1/${clientId}`,
    space: `${TENANT}/plain/`,
  });
  const faults: unknown[] = [];
  const desk = createBrokerDesk({
    broker: test.broker,
    host: { connectionsOf: () => [] },
    dialects: [
      new PlainDialect({
        anonymous: false,
        anonymousTenantId: TENANT,
        denySubscribe: [],
        randomBytes: () => new Uint8Array(22),
      }),
    ],
    registry: {
      deviceRef: (id) => (id === 'd1' ? device : undefined),
      applicationRef: () => undefined,
      credentials: credentialLookup({}),
    },
    runtime: { clock: test.time, scheduler: test.time, crypto: new FakeCrypto() },
    report: (error) => void faults.push(error),
  });
  ends.push(async () => {
    desk.close();
    await test.broker.close();
    expect(faults).toEqual([]);
    expect(test.time.timers).toBe(0);
  });
  const api: Required<HttpServerOptions>['broker'] = desk;
  return { test, api };
}

describe('the desk of a server', () => {
  it('traces packets of every version as they are, and no credentials', async () => {
    const { test, api } = await setUp();
    const secret = { username: 'name-at-connect', password: new TextEncoder().encode('secret-at-connect') };
    for (const level of [3, 4, 5] as const) {
      const clientId = `client-${level}`;
      test.connect(clientId, level, secret).lose();
      test.connect(clientId, level, { ...secret, cleanStart: false });
      const started = await api.startTrace(TENANT, { clientId }, 60_000);
      if (!started.ok) expect.unreachable(started.message);
      const client = test.connect(clientId, level, { ...secret, cleanStart: false });
      client.subscribe('a/#', { qos: 1 });
      client.publish('a/b', { qos: 1, payload: 'hello', retain: true });
      const read = api.trace(TENANT, started.value.id, PAGE);
      if (!read.ok) expect.unreachable();
      const { data } = read.value.packets;
      expect(data.map(({ direction, type }) => `${direction} ${type}`)).toEqual(
        expect.arrayContaining([
          'out CONNACK',
          'in SUBSCRIBE',
          'out SUBACK',
          'in PUBLISH',
          'out PUBLISH',
          'out PUBACK',
        ]),
      );
      expect(data.map(({ problem }) => problem).filter((problem) => problem !== null)).toEqual([]);
      expect(new Set(data.map((packet) => packet.clientId))).toEqual(new Set([clientId]));
      expect(data.find(({ type }) => type === 'PUBLISH')).toMatchObject({
        topicName: 'a/b',
        qos: 1,
        retain: true,
        payloadBytes: 5,
        payload: { text: 'hello' },
      });
      expect(JSON.stringify(data)).not.toMatch(/at-connect/);
    }
  });

  it('lists and publishes by the rules of the dialect', async () => {
    const { test, api } = await setUp();
    const client = test.connect('one', 5, { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    client.subscribe('plant/#', { qos: 1 });
    const target = { id: 'd1', tenantId: TENANT, dialect: 'plain' };
    const send = (topicName: string) =>
      api.publish(target, { topicName, payload: new Uint8Array(3), qos: 1, retain: true });
    expect(await send('plant/1')).toEqual({ kind: 'published', qos: 1, sessions: 1 });
    test.time.endTurn();
    expect(client.messages()).toMatchObject([{ topicName: 'plant/1' }]);
    for (const topicName of ['moorage/me/telemetry', 'moorage/devices/boiler/telemetry', '$SYS/broker/uptime']) {
      expect(await send(topicName), topicName).toMatchObject({ kind: 'refused', reason: 'badMessage' });
    }
    const sessions = await api.sessions(TENANT, PAGE);
    expect(sessions).toMatchObject({ ok: true, value: { data: [{ clientId: 'one', owner: { name: 'boiler' } }] } });
    const retained = await api.retained(TENANT, '#', PAGE);
    expect(retained).toMatchObject({ ok: true, value: { data: [{ topicName: 'plant/1', payloadBytes: 3 }] } });
  });
});

describe('figures of the server', () => {
  it('are published unless the settings say no, with the version', async () => {
    const load = async (environment: Record<string, string>) => {
      const loaded = await loadConfiguration({ flags: new Map(), environment, workingFolder: '/nowhere' });
      if (!loaded.ok) expect.unreachable();
      return loaded.configuration;
    };
    expect(sysTopics(await load({}), '1.2.3')).toEqual({ sys: { version: 'moorage 1.2.3' } });
    expect(sysTopics(await load({ MOORAGE_MQTT__SYS_TOPICS: 'off' }), '1.2.3')).toEqual({});
  });

  it('are for a tenant that is alone', () => {
    let count = 1;
    const figures = serverFiguresFor({ tenants: { count: () => count } });
    expect(figures()).toBe(true);
    count = 2;
    expect(figures()).toBe(false);
  });
});
