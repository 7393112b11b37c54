import { PacketType, type Properties, type SubscribePacket } from '@moorage/mqtt-codec';
import { TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 1_000 } } as const;

describe('SUBSCRIBE', () => {
  it('is answered filter by filter, in order, with granted QoS or failure [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [O-8]', async () => {
    const test = await TestBroker.start({ policy: { maximumGrantedQoS: 1 } });
    const expected = { 3: [1, 1, 0, 1], 4: [1, 0x80, 0x80, 1], 5: [1, 0x87, 0x8f, 1] };
    for (const level of [3, 4, 5] as const) {
      const client = test.connect(`c${level}`, level);
      test.handler.onSubscribe = (topicFilter, { qos }) => {
        const reasonCode = topicFilter === 'no' ? 0x87 : qos;
        return { reasonCode, enter: [topicFilter] };
      };
      const subscribe: SubscribePacket = {
        type: PacketType.Subscribe,
        packetIdentifier: 77,
        subscriptions: [
          { topicFilter: 'a', options: { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
          { topicFilter: 'no', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
          {
            topicFilter: 'x'.repeat(4_097),
            options: { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          },
          { topicFilter: 'b', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
        ],
        properties: null,
      };
      client.send(subscribe);
      expect(client.receive()).toMatchObject([
        { type: PacketType.Suback, packetIdentifier: 77, reasonCodes: expected[level] },
      ]);
      expect(test.handler.events).toContain('subscribed');
    }
    test.connect('p').publish('no');
    expect(test.broker.statistics().publishSent).toBe(0);
  });

  it('works when SUBACK is sent [K-52]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.send(
      {
        type: PacketType.Subscribe,
        packetIdentifier: 1,
        subscriptions: [
          { topicFilter: 't', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
        ],
        properties: null,
      },
      client.publishPacket('t'),
    );
    expect(client.receive().map((packet) => packet.type)).toEqual([PacketType.Suback, PacketType.Publish]);
  });

  it('replaces the subscription with an equal filter [MQTT-3.8.4-3] [K-53]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const publisher = test.connect('p');
    for (const qos of [0, 2, 1] as const) {
      client.subscribe('t', { qos }, qos + 1);
      client.receive();
      publisher.publish('t', { qos: 2, packetIdentifier: qos + 1 });
      expect(client.messages()).toMatchObject([{ qos, properties: { subscriptionIdentifiers: [qos + 1] } }]);
    }
    expect(test.broker.statistics().subscriptions).toBe(1);
    client.subscribe('t');
    client.receive();
    publisher.publish('t');
    expect(client.messages()).toMatchObject([{ properties: null }]);
  });

  it('is refused with 0x97 or 0x80 beyond the number of subscriptions, equal filters apart [O-14]', async () => {
    const test = await TestBroker.start({ policy: { maximumSubscriptions: 2 } });
    expect(test.connect('a').subscribe(['1', '2', '3', '1']).reasonCodes).toEqual([0, 0, 0x97, 0]);
    expect(test.connect('b', 4).subscribe(['1', '2', '3']).reasonCodes).toEqual([0, 0, 0x80]);
  });

  it('with No Local on a Shared Subscription is 0x82, and nothing of the packet is entered [MQTT-3.8.3-4] [K-50]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const options = { qos: 0, retainAsPublished: false, retainHandling: 0 } as const;
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { ...options, noLocal: true } },
        { topicFilter: '$share/g/t', options: { ...options, noLocal: true } },
      ],
      properties: null,
    });
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x82 }]);
    expect(test.broker.statistics()).toMatchObject({ subscriptions: 0, spaces: 0 });
  });

  it('with a bad filter among ten is refused as a whole [K-55] [O-9]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const good = Array.from({ length: 9 }, (_, index) => [0, 1, 0x61 + index, 0]).flat();
    client.bytes(0x82, 3 + good.length + 6, 0, 1, 0, ...good, 0, 3, 0x61, 0x23, 0x62, 0);
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x81 }]);
    expect(test.broker.statistics().subscriptions).toBe(0);
  });

  it('may be entered under other filters, or none for direct push only', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    test.handler.onSubscribe = (topicFilter) => ({
      reasonCode: 0,
      enter: topicFilter === 'push' ? [] : ['x/1', 'x/+'],
    });
    client.subscribe(['push', 'alias']);
    client.receive();
    const publisher = test.connect('p');
    for (const name of ['push', 'alias', 'x/1', 'x/2']) publisher.publish(name);
    expect(client.texts()).toEqual(['x/1=', 'x/2=']);
    expect(client.unsubscribe('x/+', 'alias', 'push')).toEqual([0x11, 0, 0]);
    publisher.publish('x/1');
    expect(client.texts()).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ subscriptions: 0, spaces: 0 });
  });
});

describe('UNSUBSCRIBE', () => {
  it('deletes exactly equal filters and is answered one by one [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.11.3-1]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe(['a/+', 'a/b', '#']);
    test.handler.onUnsubscribe = (topicFilter) => (topicFilter === '#' ? 0x87 : null);
    expect(client.unsubscribe('a/b', 'a/c', '#')).toEqual([0, 0x11, 0x87]);
    test.connect('p').publish('a/b');
    expect(client.messages()).toHaveLength(1);
    expect(test.broker.statistics().subscriptions).toBe(2);
  });

  it('lets deliveries that have begun be finished [MQTT-3.10.4-3]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe('t', { qos: 2 });
    test.connect('p').publish('t', { qos: 2 });
    client.unsubscribe('t');
    client.acknowledge(5, 1);
    expect(client.receive()).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier: 1 }]);
  });

  it('tells a shared subscription from a plain one [K-48]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const publisher = test.connect('p');
    const copies = () => {
      publisher.publish('t');
      return client.messages().length;
    };
    client.subscribe(['t', '$share/g/t']);
    client.receive();
    expect(copies()).toBe(2);
    expect(client.unsubscribe('$share/g/t')).toEqual([0]);
    expect(copies()).toBe(1);
    client.subscribe('$share/g/t');
    client.unsubscribe('t');
    expect(copies()).toBe(1);
    client.unsubscribe('$share/g/t');
    expect(copies()).toBe(0);
  });
});

describe('overlapping subscriptions', () => {
  it('give one copy with the highest QoS and all identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4] [O-1]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe('a/#', { qos: 0 }, 3);
    client.subscribe('a/+', { qos: 2 }, 5);
    client.subscribe('a/b', { qos: 1 }, 3);
    client.subscribe('+/b', { qos: 1 });
    client.receive();
    test.connect('p').publish('a/b', { qos: 2 });
    const [message, ...more] = client.messages();
    expect(more).toEqual([]);
    expect(message?.qos).toBe(2);
    expect([...(message?.properties?.subscriptionIdentifiers ?? [])].sort()).toEqual([3, 3, 5]);
  });

  it('count shared ones apart [K-49]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    client.subscribe(['t', '$share/g1/t', '$share/g2/t']);
    client.receive();
    test.connect('p').publish('t');
    expect(client.messages()).toHaveLength(3);
  });

  it('decide No Local one by one [MQTT-3.8.3-3] [K-51]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, PERSISTENT);
    client.subscribe('t', { qos: 1, noLocal: true }, 1);
    client.receive();
    client.publish('t', { qos: 1 });
    expect(client.messages()).toEqual([]);
    client.subscribe('+', { qos: 0 }, 2);
    client.receive();
    client.publish('t', { qos: 1 });
    expect(client.messages()).toMatchObject([{ qos: 0, properties: { subscriptionIdentifiers: [2] } }]);
    test.connect('other').publish('t', { qos: 1 });
    expect(client.messages()).toMatchObject([{ qos: 1 }]);
  });

  it('keep RETAIN if one of them asks for it [MQTT-3.3.1-12] [MQTT-3.3.1-13]', async () => {
    const test = await TestBroker.start();
    const plain = test.connect('plain', 5);
    plain.subscribe('t');
    const asking = test.connect('asking', 5);
    asking.subscribe('t', { retainAsPublished: true });
    const old = test.connect('old', 4);
    old.subscribe('t');
    for (const client of [plain, asking, old]) client.receive();
    test.connect('p').publish('t', { retain: true, payload: 'x' });
    expect([plain, asking, old].map((client) => client.messages()[0]?.retain)).toEqual([false, true, false]);
  });
});

describe('a message between versions', () => {
  const all: Properties = {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 60,
    contentType: 'text/plain',
    responseTopic: 'answer',
    correlationData: Uint8Array.from([1, 2]),
    userProperties: [
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
    ],
  };

  it.each([0, 1, 2] as const)(
    'arrives whole from 5.0 and from 3.x, QoS %i [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-17] [K-59] [K-64]',
    async (qos) => {
      const test = await TestBroker.start();
      const clients = ([3, 4, 5] as const).map((level) => {
        const client = test.connect(`c${level}`, level);
        client.subscribe('t', { qos: 2 });
        client.receive();
        return client;
      });
      test.connect('p5', 5).publish('t', { qos, payload: 'x', properties: all });
      const texts = clients.map((client) => client.messages());
      expect(texts.map(([message]) => message?.properties)).toEqual([null, null, all]);
      expect(texts.map(([message]) => message?.payload)).toEqual(clients.map(() => Uint8Array.from([0x78])));
      test.connect('p3', 3).publish('t', { qos, payload: 'y' });
      const back = clients.map((client) => client.messages());
      expect(back.map(([message]) => message?.properties)).toEqual([null, null, null]);
      expect(back.map(([message]) => message?.payload)).toEqual(clients.map(() => Uint8Array.from([0x79])));
    },
  );

  it('with an over-long Remaining Length from 3.x is sent on in the shortest form [MQTT-1.5.5-1]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w', 4);
    watcher.subscribe('t');
    const { writes } = watcher.stream;
    test.connect('p', 4).bytes(0x30, 0x84, 0x00, 0, 1, 0x74, 0x78);
    expect(writes.at(-1)).toEqual(Uint8Array.from([0x30, 4, 0, 1, 0x74, 0x78]));
  });

  it("never hands the sender's DUP or RETAIN on [MQTT-3.3.1-3] [v3.1.1 MQTT-3.3.1-3]", async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w', 4);
    watcher.subscribe('t', { qos: 1 });
    watcher.receive();
    test.connect('p', 4).publish('t', { qos: 1, dup: true, retain: true, payload: 'x' });
    expect(watcher.messages()).toMatchObject([{ dup: false, retain: false, qos: 1 }]);
  });
});

describe('spaces', () => {
  it('never route across their border, be it by #, retained or Will', async () => {
    const test = await TestBroker.start();
    const will = { topicName: 'will', payload: new Uint8Array(1), qos: 0, retain: true, properties: null } as const;
    const watcher = test.connect('w', 5, { username: 'one' });
    watcher.subscribe('#', { qos: 1 });
    watcher.receive();
    const other = test.connect('o', 5, { username: 'two', will });
    other.publish('t', { retain: true, payload: 'x' });
    other.lose();
    expect(watcher.messages()).toEqual([]);
    watcher.subscribe('#');
    expect(watcher.messages()).toEqual([]);
    test.connect('p', 5, { username: 'one' }).publish('t');
    expect(watcher.messages()).toHaveLength(1);
  });

  it('null never routes nor retains', async () => {
    const test = await TestBroker.start();
    test.authenticator.answer = (_connect, accepted) => ({ ...accepted, space: null });
    const client = test.connect('c');
    expect(client.subscribe('#').reasonCodes).toEqual([0]);
    client.receive();
    client.publish('t', { retain: true, payload: 'x' });
    expect(client.messages()).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ retainedMessages: 0, spaces: 0 });
    client.disconnect();
    expect(test.broker.statistics().subscriptions).toBe(0);
  });

  it('are published into by the server, and asked whether anybody listens', async () => {
    const test = await TestBroker.start();
    expect(test.broker.hasSubscribers('space', 'n/1')).toBe(false);
    const client = test.connect('c');
    client.subscribe('n/+', { qos: 1 });
    client.receive();
    expect(test.broker.hasSubscribers('space', 'n/1')).toBe(true);
    expect(test.broker.hasSubscribers('space', 'm')).toBe(false);
    expect(test.broker.hasSubscribers('other', 'n/1')).toBe(false);
    const message = { topicName: 'n/1', payload: Uint8Array.from([1]), qos: 1, retain: true } as const;
    expect(test.broker.publish('space', message)).toBe(1);
    expect(test.broker.publish('other', message)).toBe(0);
    test.time.endTurn();
    expect(client.messages()).toMatchObject([{ topicName: 'n/1', qos: 1, payload: Uint8Array.from([1]) }]);
    expect(test.broker.statistics().retainedMessages).toBe(2);
  });
});
