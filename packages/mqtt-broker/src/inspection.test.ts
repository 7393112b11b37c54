import { TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { Broker } from './broker.ts';
import type { SessionQuery, SessionSummary } from './inspection.ts';
import { NO_RATE_LIMITS } from './limits.ts';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 1_000 } } as const;

function all(broker: Broker, query: Partial<SessionQuery> = {}): SessionSummary[] {
  const found: SessionSummary[] = [];
  let after: number | null = null;
  do {
    const page = broker.sessions({ limit: 7, ...query, after });
    expect(page.sessions.length).toBeLessThanOrEqual(query.limit ?? 7);
    found.push(...page.sessions);
    after = page.next;
  } while (after !== null);
  return found;
}

describe('the list of Sessions', () => {
  it('tells who is connected, from where and since when, and what waits', async () => {
    const test = await TestBroker.start();
    test.time.advance(5_000);
    const client = test.connect('c', 5, {
      ...PERSISTENT,
      properties: { sessionExpiryInterval: 60, receiveMaximum: 1 },
    });
    client.subscribe(['a', 'b/#'], { qos: 1 }, 7);
    const connectedAt = test.time.now();
    test.time.advance(3_000);
    const publisher = test.connect('p', 4);
    for (const payload of ['1', '2', '3']) publisher.publish('a', { qos: 1, payload });
    const summary = test.broker.session('c');
    expect(summary).toEqual({
      sessionKey: 'c',
      clientId: 'c',
      space: 'space',
      connected: true,
      address: '127.0.0.1',
      listener: 'test',
      level: 5,
      connectedAt,
      queued: 2,
      inFlight: 1,
      subscriptions: 2,
      expiryInterval: 60,
    });
    expect(all(test.broker)).toEqual([summary, test.broker.session('p')]);
    client.lose();
    expect(test.broker.session('c')).toMatchObject({
      connected: false,
      address: null,
      listener: null,
      level: null,
      connectedAt: null,
      queued: 2,
      inFlight: 1,
    });
    expect(test.broker.session('nobody')).toBeNull();
  });

  it('comes in pages that show every Session once, though others come and go meanwhile', async () => {
    const test = await TestBroker.start();
    for (let index = 0; index < 50; index++) test.connect(`stays-${index}`);
    const going = Array.from({ length: 20 }, (_, index) => test.connect(`goes-${index}`));
    const seen: string[] = [];
    let after: number | null = null;
    do {
      const page = test.broker.sessions({ limit: 4, after });
      seen.push(...page.sessions.map(({ clientId }) => clientId));
      after = page.next;
      going.pop()?.lose();
      test.connect(`comes-${seen.length}`);
    } while (after !== null && seen.length < 500);
    const staying = seen.filter((clientId) => clientId.startsWith('stays'));
    expect(staying.toSorted()).toEqual(Array.from({ length: 50 }, (_, index) => `stays-${index}`).toSorted());
  });

  it('is searched by identifier, key and address, by the beginning of the key, and by being connected', async () => {
    const test = await TestBroker.start();
    test.connect('Alpha');
    test.connect('beta', 5, PERSISTENT).lose();
    const far = test.open(5, { remoteAddress: '10.1.2.3' });
    far.connect({ clientId: 'gamma' });
    const names = (query: Partial<SessionQuery>) => all(test.broker, query).map(({ clientId }) => clientId);
    expect(names({ search: 'LPH' })).toEqual(['Alpha']);
    expect(names({ search: '10.1.' })).toEqual(['gamma']);
    expect(names({ keyPrefix: 'be' })).toEqual(['beta']);
    expect(names({ keyPrefix: 'BE' })).toEqual([]);
    expect(names({ connected: true })).toEqual(['Alpha', 'gamma']);
    expect(names({ connected: false })).toEqual(['beta']);
    expect(names({ search: 'x' })).toEqual([]);
  });

  it('looks at a bounded number of Sessions in one call', async () => {
    const test = await TestBroker.start();
    for (let index = 0; index < 2_500; index++) test.connect(`c${index}`);
    const first = test.broker.sessions({ limit: 10, search: 'c2499' });
    expect(first).toEqual({ sessions: [], next: 2_000 });
    expect(test.broker.sessions({ limit: 10, search: 'c2499', after: first.next })).toMatchObject({
      sessions: [{ clientId: 'c2499' }],
      next: null,
    });
    expect(test.broker.sessions({ limit: 1e9 }).sessions).toHaveLength(1_000);
  });

  it('counts Sessions of one connection too, and forgets what has ended', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = (_connect, accepted) => ({ ...accepted, sessionKey: null });
    const client = test.connect('c');
    expect(all(test.broker)).toMatchObject([{ sessionKey: null, clientId: 'c' }]);
    expect(test.broker.statistics().sessions).toBe(1);
    client.lose();
    expect(all(test.broker)).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ sessions: 0, sessionsConnected: 0, sessionsConnectedMost: 1 });
  });
});

describe('what a Session holds', () => {
  it('lists its subscriptions in pages', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe(['a', 'b', '$share/g/c'], { qos: 1, retainAsPublished: true }, 9);
    const options = { qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 0 } as const;
    const share = { options, grantedQoS: 1, subscriptionIdentifier: 9 } as const;
    expect(test.broker.subscriptions('c', { limit: 2 })).toEqual({
      subscriptions: [
        { topicFilter: 'a', enter: ['a'], ...share },
        { topicFilter: 'b', enter: ['b'], ...share },
      ],
      next: 2,
    });
    expect(test.broker.subscriptions('c', { limit: 2, after: 2 })).toEqual({
      subscriptions: [{ topicFilter: '$share/g/c', enter: ['$share/g/c'], ...share }],
      next: null,
    });
    expect(test.broker.subscriptions('nobody')).toBeNull();
  });

  it('lists Retained Messages in pages, by filter, in byte order', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    for (const topicName of ['b', 'a/2', 'a', 'a/1', '\u{1f600}', '\u{fffd}']) {
      client.publish(topicName, { retain: true, payload: 'x' });
    }
    const list = async (filter: string, limit: number) => {
      const names: string[] = [];
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof test.broker.retained>> = await test.broker.retained('space', filter, {
          limit,
          after,
        });
        names.push(...page.messages.map(({ topicName }) => topicName));
        after = page.next;
      } while (after !== null);
      return names;
    };
    for (const limit of [1, 2, 3, 100]) {
      expect(await list('#', limit)).toEqual(['a', 'a/1', 'a/2', 'b', '\u{fffd}', '\u{1f600}']);
      expect(await list('a/#', limit)).toEqual(['a', 'a/1', 'a/2']);
      expect(await list('b', limit)).toEqual(['b']);
    }
    expect(await test.broker.retained('elsewhere', '#', { limit: 5 })).toEqual({ messages: [], next: null });
  });

  it('ends a page of Retained Messages behind 1 MiB', async () => {
    const test = await TestBroker.start();
    for (let index = 100; index < 250; index++) {
      const payload = new Uint8Array(30_000);
      test.broker.publish('space', { topicName: `t/${index}`, payload, qos: 0, retain: true });
    }
    const page = await test.broker.retained('space', '#', { limit: 1_000 });
    expect(page.messages).toHaveLength(50);
    expect(page.next).toBe('t/149');
  });
});

describe('a trace', () => {
  it('shows packets to everybody who watches, as long as they watch', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    const seen: string[] = [];
    const note = (who: string) => (_connection: unknown, direction: string, bytes: Uint8Array) => {
      seen.push(`${who} ${direction} ${bytes[0]}`);
    };
    const stopFirst = test.broker.watchPackets('c', note('first'));
    client.ping();
    expect(seen.splice(0)).toEqual(['first in 192', 'first out 208']);
    const stopSecond = test.broker.watchPackets('c', note('second'));
    client.ping();
    expect(seen.splice(0)).toEqual(['first in 192', 'second in 192', 'first out 208', 'second out 208']);
    stopFirst();
    client.ping();
    expect(seen.splice(0)).toEqual(['second in 192', 'second out 208']);
    expect(test.broker.traced()).toEqual(['c']);
    stopSecond();
    client.ping();
    expect(seen).toEqual([]);
    expect(test.broker.traced()).toEqual([]);
  });
});

describe('rates', () => {
  it('can be set while clients are connected, and lifted again', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    expect(test.broker.rates).toEqual(NO_RATE_LIMITS);
    test.broker.setRates({ ...NO_RATE_LIMITS, clientMessagesPerSecond: 2 });
    for (let index = 0; index < 5; index++) client.publish('t');
    expect(test.broker.statistics().publishReceived).toBe(3);
    expect(client.stream.paused).toBe(true);
    test.broker.setRates(NO_RATE_LIMITS);
    test.time.advance(2_000);
    expect(test.broker.statistics().publishReceived).toBe(5);
    for (let index = 0; index < 50; index++) client.publish('t');
    expect(test.broker.statistics().publishReceived).toBe(55);
    expect(client.stream.paused).toBe(false);
  });

  it('of CONNECTs too', async () => {
    const test = await TestBroker.start();
    test.connect('first');
    test.broker.setRates({ ...NO_RATE_LIMITS, connectsPerSecond: 1 });
    test.connect('second');
    const third = test.open(4);
    third.send(third.connectPacket({ clientId: 'third' }));
    expect(third.receive()).toEqual([]);
    test.broker.setRates(NO_RATE_LIMITS);
    test.time.endTurn();
    expect(third.receive()).toHaveLength(1);
  });
});
