import {
  FakeTime,
  MemoryStream,
  RawClient,
  readText,
  TEST_LISTENER,
  TestAuthenticator,
  TestObserver,
} from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { Broker } from './broker.ts';
import { MemoryRetainedStore } from './memory-retained-store.ts';
import { MemorySessionStore } from './memory-session-store.ts';

async function start() {
  const time = new FakeTime();
  const authenticator = new TestAuthenticator();
  const broker = new Broker({
    authenticator,
    sessions: new MemorySessionStore(() => time.now()),
    retained: new MemoryRetainedStore(),
    clock: time,
    scheduler: time,
    readText,
    observer: new TestObserver(),
    sys: { version: 'moorage 1.2.3' },
  });
  await broker.start();
  const connect = (clientId: string, username: string | null = null): RawClient => {
    const stream = new MemoryStream();
    broker.accept(stream, TEST_LISTENER);
    const client = new RawClient(stream, 5, () => time.endTurn());
    client.connect({ clientId, username });
    return client;
  };
  return { time, authenticator, broker, connect };
}

function figures(client: RawClient): Record<string, string> {
  return Object.fromEntries(client.texts().map((text) => text.split('=') as [string, string]));
}

describe('$SYS', () => {
  it('tells a new subscriber at once and then every ten seconds, not retained', async () => {
    const { time, connect } = await start();
    const client = connect('admin');
    client.subscribe('$SYS/broker/uptime');
    expect(client.messages()).toMatchObject([{ topicName: '$SYS/broker/uptime', qos: 0, retain: false }]);
    time.advance(9_000);
    expect(client.messages()).toEqual([]);
    time.advance(1_000);
    expect(figures(client)).toEqual({ '$SYS/broker/uptime': '10 seconds' });
    time.advance(20_000);
    expect(client.texts()).toEqual(['$SYS/broker/uptime=20 seconds', '$SYS/broker/uptime=30 seconds']);
  });

  it("has mosquitto's names and the broker's figures", async () => {
    const { time, connect, broker } = await start();
    const client = connect('admin');
    const other = connect('other');
    other.subscribe('t', { qos: 1 });
    connect('gone').lose();
    for (let index = 0; index < 3; index++) client.publish('t', { payload: 'x', retain: index === 0 });
    time.advance(9_999);
    client.subscribe('$SYS/#');
    client.messages();
    time.advance(1);
    const told = figures(client);
    expect(told).toMatchObject({
      '$SYS/broker/version': 'moorage 1.2.3',
      '$SYS/broker/uptime': '10 seconds',
      '$SYS/broker/clients/connected': '2',
      '$SYS/broker/clients/disconnected': '0',
      '$SYS/broker/clients/total': '2',
      '$SYS/broker/clients/maximum': '3',
      '$SYS/broker/publish/messages/received': '3',
      '$SYS/broker/subscriptions/count': '2',
      '$SYS/broker/retained messages/count': '1',
      '$SYS/broker/messages/received': '8',
    });
    const { bytesReceived } = broker.statistics();
    expect(told['$SYS/broker/bytes/received']).toBe(String(bytesReceived));
    expect(Number(told['$SYS/broker/load/publish/received/1min'])).toBeCloseTo(18 * (1 - Math.exp(-1 / 6)), 2);
    expect(told['$SYS/broker/load/connections/15min']).toBeDefined();
  });

  it('is not matched by wildcards at the first level [MQTT-4.7.2-1]', async () => {
    const { time, connect } = await start();
    const client = connect('c');
    client.subscribe(['#', '+/broker/uptime']);
    time.advance(30_000);
    expect(client.messages()).toEqual([]);
  });

  it('tells every space in which somebody subscribes, and a Shared Subscription, and stops when they leave', async () => {
    const { time, connect, broker } = await start();
    const one = connect('one', 'first');
    const two = connect('two', 'second');
    one.subscribe('$SYS/broker/clients/connected');
    two.subscribe('$share/g/$SYS/broker/clients/connected');
    time.advance(10_000);
    expect(one.texts().at(-1)).toBe('$SYS/broker/clients/connected=2');
    expect(two.texts().at(-1)).toBe('$SYS/broker/clients/connected=2');
    one.unsubscribe('$SYS/broker/clients/connected');
    two.lose();
    const { publishSent } = broker.statistics();
    time.advance(60_000);
    expect(broker.statistics().publishSent).toBe(publishSent);
    expect(broker.statistics().spaces).toBe(0);
  });

  it('goes only to those whom the host lets subscribe, and lets receive', async () => {
    const { time, authenticator, connect } = await start();
    authenticator.prepare = (handler, { clientId }) => {
      handler.receives = (topicName) => clientId === 'admin' || !topicName.startsWith('$SYS/');
      handler.onSubscribe = (topicFilter, { qos }) =>
        clientId === 'stranger' ? { reasonCode: 0x87, enter: [] } : { reasonCode: qos, enter: [topicFilter] };
    };
    const admin = connect('admin');
    const demoted = connect('demoted');
    const stranger = connect('stranger');
    for (const client of [admin, demoted, stranger]) client.subscribe('$SYS/broker/version');
    time.advance(10_000);
    expect(admin.messages().length).toBeGreaterThan(0);
    expect(demoted.messages()).toEqual([]);
    expect(stranger.messages()).toEqual([]);
  });

  it('is published by nobody else, and leaves no timer behind', async () => {
    const { time, broker, connect } = await start();
    const client = connect('c');
    client.subscribe('$SYS/broker/version');
    client.messages();
    client.publish('$SYS/broker/version', { qos: 1, payload: 'forged' });
    expect(client.texts()).toEqual([]);
    await broker.close();
    expect(time.timers).toBe(0);
  });
});
