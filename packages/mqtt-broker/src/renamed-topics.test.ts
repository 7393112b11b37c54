import type { Will } from '@moorage/mqtt-codec';
import { FakeTime, type RawClient, TestBroker, type TestHandler } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { PublishVerdict, RestoredWill } from './ports.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const PUBACK = 4;

/** The host of a vendor whose clients write a secret first level, which is `~` in the space. */
function routedAs(topicName: string): PublishVerdict {
  return { route: true, routeAs: topicName.replace(/^[^/]*/, '~'), reasonCode: 0, close: null };
}

/** Clients say their own first level in the password, as text of one letter; filters enter with `~`. */
function serve(handler: TestHandler, secret: string): void {
  handler.onPublish = ({ topicName }) => routedAs(topicName);
  handler.onWill = ({ topicName }) => routedAs(topicName);
  handler.onSubscribe = (topicFilter, { qos }) => ({
    reasonCode: qos,
    enter: [topicFilter.replace(/^[^/]*/, '~')],
  });
  handler.deliveredAs = (topicName) => topicName.replace(/^~/, secret);
}

async function start(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const test = await TestBroker.start(options);
  test.authenticator.prepare = (handler, { clientId }) => {
    const [secret = ''] = clientId.split('-');
    if (secret !== 'plain') serve(handler, secret);
  };
  return test;
}

async function settle(test: TestBroker): Promise<void> {
  for (let round = 0; round < 4; round++) await Promise.resolve();
  test.time.endTurn();
}

describe('a message that is routed under another name', () => {
  it('reaches the subscribers of that name, and not those of the one it came with', async () => {
    const test = await start();
    const watcher = test.connect('plain-1');
    watcher.subscribe(['~/d/x', 'secret/#']);
    const publisher = test.connect('secret-1');
    for (let times = 0; times < 4; times++) publisher.publish('secret/d/x', { payload: String(times) });
    expect(watcher.texts()).toEqual(['~/d/x=0', '~/d/x=1', '~/d/x=2', '~/d/x=3']);
  });

  it('is retained under that name, and removed under it', async () => {
    const test = await start();
    const publisher = test.connect('secret-1');
    publisher.publish('secret/d/x', { payload: 'kept', retain: true, qos: 1 });
    const late = test.connect('other-1');
    late.subscribe('other/+/x', { qos: 1 });
    expect(late.messages()).toMatchObject([{ topicName: 'other/d/x', retain: true, qos: 1 }]);
    const plain = test.connect('plain-1');
    plain.subscribe('#');
    expect(plain.texts()).toEqual(['~/d/x=kept']);
    publisher.publish('secret/d/x', { retain: true });
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });

  it('is acknowledged, with every QoS', async () => {
    const test = await start();
    const watcher = test.connect('plain-1');
    watcher.subscribe('~/d', { qos: 2 });
    watcher.receive();
    const publisher = test.connect('secret-1');
    publisher.publish('secret/d', { qos: 1 });
    publisher.publish('secret/d', { qos: 2, packetIdentifier: 2 });
    expect(publisher.receive()).toMatchObject([
      { type: PUBACK, packetIdentifier: 1, reasonCode: 0 },
      { type: 5, packetIdentifier: 2, reasonCode: 0 },
    ]);
    expect(watcher.messages().map(({ topicName, qos }) => [topicName, qos])).toEqual([
      ['~/d', 1],
      ['~/d', 2],
    ]);
  });

  it('follows the host, whatever name it gives the same topic next, and a known route serves no other name', async () => {
    const test = await start();
    const watchers = ['a', 'b', 't'].map((name) => {
      const watcher = test.connect(`plain-${name}`);
      watcher.subscribe(name);
      watcher.receive();
      return watcher;
    });
    const publisher = test.connect('plain-2');
    const names = ['a', 'a', 'b', undefined, 'a', 't', undefined, 'b', 'b', undefined, undefined];
    for (const routeAs of names) {
      test.handler.onPublish = () => ({
        route: true,
        reasonCode: 0,
        close: null,
        ...(routeAs === undefined ? {} : { routeAs }),
      });
      publisher.publish('t');
      const name = routeAs ?? 't';
      const heard = watchers.map((watcher) => watcher.messages().map(({ topicName }) => topicName));
      expect(heard).toEqual(['a', 'b', 't'].map((own) => (own === name ? [name] : [])));
    }
  });

  it('is seen by subscriptions made and ended meanwhile', async () => {
    const test = await start();
    const publisher = test.connect('secret-1');
    const say = (payload: string) => publisher.publish('secret/d', { payload });
    for (const payload of ['0', '1']) say(payload);
    const exact = test.connect('plain-1');
    exact.subscribe('~/d');
    say('2');
    const wild = test.connect('plain-2');
    wild.subscribe('+/d');
    say('3');
    exact.unsubscribe('~/d');
    say('4');
    expect(wild.texts()).toEqual(['~/d=3', '~/d=4']);
    expect(exact.texts()).toEqual([]);
  });

  it('is refused where the host gives it a name that nobody may publish to', async () => {
    const test = await start();
    const watcher = test.connect('plain-1');
    watcher.subscribe(['#', '$x/#']);
    watcher.receive();
    const publisher = test.connect('plain-2');
    for (const routeAs of ['$x/y', 'a/#', '', 'x'.repeat(5_000)]) {
      test.handler.onPublish = () => ({ route: true, routeAs, reasonCode: 0, close: null });
      publisher.publish('t', { qos: 1, retain: true });
      expect(publisher.receive(), routeAs).toMatchObject([{ type: PUBACK, reasonCode: 0x87 }]);
    }
    expect(watcher.messages()).toEqual([]);
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });
});

describe('a client that is shown other names than those of the space', () => {
  it('gets each message under its own name, whatever another subscriber is shown', async () => {
    const test = await start();
    const clients = ([3, 4, 5] as const).map((level) => test.connect(`own${level}-1`, level));
    const plain = test.connect('plain-1');
    for (const [index, client] of clients.entries()) client.subscribe(`own${index + 3}/#`, { qos: 1 });
    plain.subscribe('#', { qos: 1 });
    for (const client of [...clients, plain]) client.receive();
    const publisher = test.connect('secret-1');
    publisher.publish('secret/d', { payload: 'a' });
    publisher.publish('secret/d', { payload: 'b', qos: 1 });
    expect(clients.map((client) => client.texts())).toEqual([
      ['own3/d=a', 'own3/d=b'],
      ['own4/d=a', 'own4/d=b'],
      ['own5/d=a', 'own5/d=b'],
    ]);
    expect(plain.texts()).toEqual(['~/d=a', '~/d=b']);
  });

  it('is asked for its right with the name of the space', async () => {
    const test = await start();
    const client = test.connect('own-1');
    client.subscribe('own/#');
    client.receive();
    const asked: string[] = [];
    test.handler.receives = (topicName) => asked.push(topicName) > 0 && topicName !== '~/forbidden';
    const publisher = test.connect('secret-1');
    publisher.publish('secret/forbidden');
    publisher.publish('secret/free');
    expect(client.texts()).toEqual(['own/free=']);
    expect(asked).toEqual(['~/forbidden', '~/free']);
  });

  it('is told Topic Aliases for the names that it is shown, also where a push has the same name', async () => {
    const test = await start();
    const client = test.connect('own-1', 5, { properties: { topicAliasMaximum: 2 } });
    client.subscribe('own/#', { qos: 1 }, 7);
    client.receive();
    const { connection } = test.handler;
    const publisher = test.connect('secret-1');
    publisher.publish('secret/a');
    publisher.publish('secret/a');
    connection?.push('own/a', new Uint8Array(1), 0);
    connection?.push('~/a', new Uint8Array(1), 0);
    test.time.endTurn();
    publisher.publish('secret/a', { qos: 1 });
    expect(client.messages().map(({ topicName, properties }) => [topicName, properties?.topicAlias])).toEqual([
      ['own/a', 1],
      ['', 1],
      ['', 1],
      ['~/a', 2],
      ['', 1],
    ]);
  });

  it('is never sent a packet that its own name makes too large, and one that fits only so', async () => {
    const test = await start();
    const long = 'l'.repeat(20);
    const maximumPacketSize = 2 + 2 + 22 + 1 + 5;
    const client = test.connect(`${long}-1`, 5, { properties: { maximumPacketSize } });
    client.subscribe(`${long}/#`);
    client.receive();
    const publisher = test.connect('secret-1');
    publisher.publish('secret/d', { payload: '123456' });
    publisher.publish('secret/d', { payload: '12345' });
    expect(client.texts()).toEqual([`${long}/d=12345`]);
    expect(test.observer.of('delivery.tooLarge')).toBe(1);
  });

  it('finds the QoS 1 queue of its absence under the name it is shown when it returns', async () => {
    const test = await start();
    const client = test.connect('first-1', 4, { ...KEPT, properties: null });
    client.subscribe('first/#', { qos: 1 });
    client.lose();
    const publisher = test.connect('secret-1');
    for (const payload of ['1', '2']) publisher.publish('secret/d', { payload, qos: 1 });
    test.authenticator.prepare = (handler) => serve(handler, 'second');
    const back = test.open(4);
    back.connect({ clientId: 'first-1', cleanStart: false });
    await settle(test);
    const queued = [...back.behindConnack(), ...back.receive()];
    expect(queued.map((packet) => ('topicName' in packet ? packet.topicName : ''))).toEqual(['second/d', 'second/d']);
    // What was sent and not acknowledged is sent again, under the name of the day.
    back.lose();
    test.authenticator.prepare = (handler) => serve(handler, 'third');
    const again = test.open(4);
    again.connect({ clientId: 'first-1', cleanStart: false });
    await settle(test);
    expect([...again.behindConnack(), ...again.receive()]).toMatchObject([
      { topicName: 'third/d', dup: true },
      { topicName: 'third/d', dup: true },
    ]);
  });

  it('takes its turn in a Shared Subscription, and what it leaves goes to others under their names', async () => {
    const test = await start();
    const members = ['one', 'two'].map((name) => {
      const client = test.connect(`${name}-1`);
      test.handler.onSubscribe = (_filter, { qos }) => ({ reasonCode: qos, enter: ['$share/g/~/d'] });
      client.subscribe(`$share/g/${name}/d`, { qos: 1 });
      client.receive();
      return client;
    });
    const publisher = test.connect('secret-1');
    publisher.publish('secret/d', { payload: '1', qos: 1 });
    publisher.publish('secret/d', { payload: '2', qos: 1 });
    expect(members.map((client) => client.texts())).toEqual([['one/d=1'], ['two/d=2']]);
    members[0]?.lose();
    expect(members[1]?.texts()).toEqual(['two/d=1']);
  });
});

describe('a Will that the host takes as a message', () => {
  const will: Will = {
    topicName: 'secret/will',
    payload: new TextEncoder().encode('gone'),
    qos: 1,
    retain: true,
    properties: null,
  };

  function watch(test: TestBroker): RawClient {
    const watcher = test.connect('plain-watcher');
    watcher.subscribe('#', { qos: 1 });
    watcher.receive();
    return watcher;
  }

  it('is routed and retained as the host says', async () => {
    const test = await start();
    const watcher = watch(test);
    test.connect('secret-1', 4, { will }).lose();
    expect(watcher.texts()).toEqual(['~/will=gone']);
    const late = test.connect('late-1');
    late.subscribe('late/will');
    expect(late.messages()).toMatchObject([{ topicName: 'late/will', retain: true }]);
  });

  it('is heard by the host as it was left, once it may be published, and goes nowhere if the host says so', async () => {
    const test = await start();
    const watcher = watch(test);
    const heard: string[] = [];
    for (const verdict of [
      { route: false, reasonCode: 0, close: null },
      { route: true, reasonCode: 0x87, close: null },
      { route: true, reasonCode: 0, close: { reasonCode: 0x99, reason: 'no' } },
    ] as const) {
      const client = test.connect('secret-1', 5, { will });
      test.handler.onWill = ({ topicName, payload, qos, retain }) => {
        heard.push(`${topicName} ${payload.length} ${qos} ${retain}`);
        return verdict;
      };
      client.lose();
    }
    const client = test.connect('secret-1', 5, { will });
    test.handler.publishesWill = () => false;
    client.lose();
    expect(heard).toEqual(Array(3).fill('secret/will 4 1 true'));
    expect(watcher.texts()).toEqual([]);
    expect(test.observer.of('will.refused')).toBe(2);
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });

  it('is not retained where the policy ignores that', async () => {
    const test = await start({ policy: { retained: 'ignored' } });
    const watcher = watch(test);
    test.connect('secret-1', 5, { will }).lose();
    expect(watcher.texts()).toEqual(['~/will=gone']);
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });

  it('goes that way when its delay is over and its client still away, and counts what the stores could not keep', async () => {
    const test = await start();
    const watcher = watch(test);
    const client = test.connect('secret-1', 5, { ...KEPT, will: { ...will, properties: { willDelayInterval: 10 } } });
    const { handler } = test;
    handler.onWill = ({ topicName }, token) => {
      token.hold();
      token.release('failed');
      return routedAs(topicName);
    };
    client.lose();
    expect(handler.events.at(-1)).toBe('closed');
    test.time.advance(9_000);
    expect(watcher.texts()).toEqual([]);
    test.time.advance(1_500);
    expect(watcher.texts()).toEqual(['~/will=gone']);
    expect(test.observer.of('will.notStored')).toBe(1);
  });

  it('does not keep a connection from ending when the host fails at it', async () => {
    const test = await start();
    const client = test.connect('secret-1', 5, { will });
    const { handler } = test;
    handler.onWill = () => {
      throw new TypeError('broken');
    };
    client.lose();
    expect(handler.events.at(-1)).toBe('closed');
    expect(test.observer.faults).toHaveLength(1);
    expect(test.broker.statistics().connections).toBe(0);
  });

  it('that outlived the server is handed to the host by its key [O-21]', async () => {
    const first = await start();
    first.connect('secret-1', 5, { ...KEPT, will });
    const asked: RestoredWill[] = [];
    const second = await TestBroker.start({
      sessions: first.sessions,
      retained: first.retained,
      time: new FakeTime(first.time.now()),
      restoredWills: () => true,
      restoredMessages: (restored, { topicName, retain }) => {
        asked.push(restored);
        return retain ? routedAs(topicName) : { route: false, reasonCode: 0, close: null };
      },
    });
    expect(asked).toEqual([{ sessionKey: 'secret-1', space: 'space', clientId: 'secret-1', topicName: 'secret/will' }]);
    const late = second.connect('plain-1');
    late.subscribe('#');
    expect(late.texts()).toEqual(['~/will=gone']);
  });
});
