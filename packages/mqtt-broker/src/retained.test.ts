import { PacketType } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

async function withRetained(...topics: string[]): Promise<{ test: TestBroker; publisher: RawClient }> {
  const test = await TestBroker.start();
  const publisher = test.connect('p');
  for (const [index, topicName] of topics.entries()) retain(publisher, topicName, String(index));
  return { test, publisher };
}

function retain(publisher: RawClient, topicName: string, payload: string, qos: 0 | 1 | 2 = 0): void {
  publisher.publish(topicName, { retain: true, payload, qos });
  if (qos === 2) publisher.acknowledge(6, 1);
}

describe('Retained Messages', () => {
  it('follow SUBACK in byte order of their topics, with RETAIN 1 [MQTT-3.3.1-9] [O-19]', async () => {
    const { test } = await withRetained('b', 'a/z', '\u{1f600}', 'a', '\u{ff5e}', 'B');
    const client = test.connect('c');
    client.subscribe('#');
    const packets = client.receive();
    expect(packets[0]?.type).toBe(PacketType.Suback);
    const names = packets
      .slice(1)
      .map((packet) => (packet.type === PacketType.Publish ? [packet.topicName, packet.retain] : null));
    expect(names).toEqual(['B', 'a', 'a/z', 'b', '\u{ff5e}', '\u{1f600}'].map((name) => [name, true]));
  });

  it('are replaced, and removed by an empty payload, which live subscribers get [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] [K-21]', async () => {
    const { test, publisher } = await withRetained('t');
    const live = test.connect('live');
    live.subscribe('t', { retainAsPublished: true });
    live.receive();
    retain(publisher, 't', 'new', 2);
    publisher.publish('t', { payload: 'not retained' });
    const second = test.connect('second');
    second.subscribe('t', { qos: 1 });
    expect(second.messages()).toMatchObject([{ retain: true, qos: 1, payload: new TextEncoder().encode('new') }]);
    retain(publisher, 't', '');
    expect(live.messages().map((message) => [message.payload.length, message.retain])).toEqual([
      [3, true],
      [12, false],
      [0, true],
    ]);
    const third = test.connect('third');
    third.subscribe('t');
    expect(third.messages()).toEqual([]);
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });

  it('are replaced at once by QoS 2, before PUBREL and without any subscriber [K-16]', async () => {
    const { test, publisher } = await withRetained('t');
    publisher.publish('t', { retain: true, qos: 2, payload: 'two' });
    const client = test.connect('c');
    client.subscribe('t');
    expect(client.texts()).toEqual(['t=two']);
  });

  it('obey Retain Handling; 3.1.1 gets them always [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] [K-19]', async () => {
    const { test } = await withRetained('t');
    const client = test.connect('c');
    const count = (retainHandling: 0 | 1 | 2) => {
      client.subscribe('t', { retainHandling });
      return client.messages().length;
    };
    expect([count(1), count(1), count(0), count(2), count(0)]).toEqual([1, 0, 1, 0, 1]);
    client.unsubscribe('t');
    expect([count(2), count(1)]).toEqual([0, 0]);
    client.unsubscribe('t');
    expect(count(1)).toBe(1);
    const old = test.connect('old', 4);
    for (let times = 0; times < 2; times++) {
      old.subscribe('t');
      expect(old.messages()).toHaveLength(1);
    }
  });

  it('belong to each of two overlapping filters, live messages do not [K-20] [K-18]', async () => {
    const { test, publisher } = await withRetained('a/b');
    const client = test.connect('c');
    client.subscribe(['a/+', '+/b'], {}, 9);
    expect(client.messages()).toMatchObject([
      { properties: { subscriptionIdentifiers: [9] } },
      { properties: { subscriptionIdentifiers: [9] } },
    ]);
    publisher.publish('a/b');
    expect(client.messages()).toMatchObject([{ properties: { subscriptionIdentifiers: [9, 9] } }]);
  });

  it('are not sent for a Shared Subscription [U-17] [K-15]', async () => {
    const { test } = await withRetained('t');
    const client = test.connect('c');
    client.subscribe('$share/g/t');
    expect(client.messages()).toEqual([]);
  });

  it('are sent to their own publisher in spite of No Local [K-51]', async () => {
    const { publisher } = await withRetained('t');
    publisher.subscribe('t', { noLocal: true });
    expect(publisher.messages()).toHaveLength(1);
  });

  it('are not sent when a Session resumes [U-17] [K-14]', async () => {
    const { test, publisher } = await withRetained('t');
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    test.connect('c', 5, fields).subscribe('t', { qos: 1 });
    retain(publisher, 't', 'again');
    const again = test.connect('c', 5, fields);
    again.ping();
    expect([...again.behindConnack(), ...again.messages()]).toEqual([]);
  });

  it('go through the ordinary window, all of them, before live messages of the subscription [O-19] [K-13]', async () => {
    const topics = Array.from({ length: 1_000 }, (_, index) => `r/${String(index).padStart(4, '0')}`);
    const test = await TestBroker.start();
    const publisher = test.connect('p');
    for (const topicName of topics) retain(publisher, topicName, 'x', 1);
    const client = test.connect('c', 5, { properties: { receiveMaximum: 10 } });
    client.subscribe('r/#', { qos: 1 });
    const names: string[] = [];
    for (let round = 0; round < 200 && names.length < 1_001; round++) {
      if (round === 3) publisher.publish('r/0000', { qos: 1, payload: 'live' });
      const messages = client.messages();
      expect(messages.length).toBeLessThanOrEqual(10);
      names.push(...messages.map((message) => `${message.topicName}${message.retain ? '' : ' live'}`));
      client.send(
        ...messages.map(
          (message) =>
            ({
              type: PacketType.Puback,
              packetIdentifier: message.packetIdentifier,
              reasonCode: 0,
              properties: null,
            }) as const,
        ),
      );
    }
    expect(names).toEqual([...topics, 'r/0000 live']);
  });

  it('come in slices, so that others have their turn', async () => {
    const topics = Array.from({ length: 500 }, (_, index) => `r/${index}`);
    const { test } = await withRetained(...topics);
    const client = test.connect('c', 4);
    client.stream.send(
      client.encode({
        type: PacketType.Subscribe,
        packetIdentifier: 1,
        subscriptions: [
          { topicFilter: '#', options: { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
        ],
        properties: null,
      }),
    );
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      test.time.endOneTurn();
      counts.push(client.messages().length);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(Math.max(...counts)).toBeLessThanOrEqual(400);
  });

  it('are acknowledged like any other and survive a lost connection [K-17]', async () => {
    const { test } = await withRetained();
    retain(test.connect('q'), 't', 'x', 1);
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const client = test.connect('c', 5, fields);
    client.subscribe('t', { qos: 1 });
    expect(client.messages()).toMatchObject([{ qos: 1, packetIdentifier: 1 }]);
    client.lose();
    const again = test.connect('c', 5, fields);
    expect(again.behindConnack()).toMatchObject([{ dup: true, retain: true, packetIdentifier: 1 }]);
    again.acknowledge(4, 1);
    expect(test.sessions.statistics().messages).toBe(0);
  });

  it('expire, and tell what is left of their interval, rounded up [MQTT-3.3.2-6] [K-11] [O-20]', async () => {
    const { test, publisher } = await withRetained();
    publisher.publish('t', { retain: true, payload: 'x', properties: { messageExpiryInterval: 10 } });
    publisher.publish('zero', { retain: true, payload: 'x' });
    publisher.publish('zero', { retain: true, payload: 'x', properties: { messageExpiryInterval: 0 } });
    test.time.advance(3_500);
    const client = test.connect('c');
    client.subscribe('#');
    expect(client.messages()).toMatchObject([{ topicName: 't', properties: { messageExpiryInterval: 7 } }]);
    test.time.advance(6_500);
    client.subscribe('#');
    expect(client.messages()).toEqual([]);
    test.time.advance(61_000);
    expect(test.broker.statistics().retainedMessages).toBe(0);
  });

  it('are not sent to a client that may not receive them', async () => {
    const { test } = await withRetained('a', 'secret');
    const client = test.connect('c');
    test.handler.receives = (topicName) => topicName !== 'secret';
    client.subscribe('#');
    expect(client.texts()).toEqual(['a=0']);
  });

  it('are ignored where the policy says so: the flag means nothing', async () => {
    const test = await TestBroker.start({ policy: { retained: 'ignored' } });
    const client = test.connect('c');
    client.subscribe('t', { retainAsPublished: true });
    client.receive();
    client.publish('t', { retain: true, payload: 'x' });
    expect(client.messages()).toMatchObject([{ retain: false }]);
    client.subscribe('t');
    expect(client.messages()).toEqual([]);
  });

  it('beyond the bounds of the store are refused with 0x97', async () => {
    const { MemoryRetainedStore } = await import('./memory-retained-store.ts');
    const retained = new MemoryRetainedStore(() => ({ messages: 1, bytes: 1_000, payloadBytes: 10 }));
    const test = await TestBroker.start({ retained });
    const client = test.connect('c');
    client.publish('a', { retain: true, payload: 'x', qos: 1, packetIdentifier: 1 });
    client.publish('b', { retain: true, payload: 'x', qos: 1, packetIdentifier: 2 });
    client.publish('a', { retain: true, payload: 'y'.repeat(11), qos: 1, packetIdentifier: 3 });
    client.publish('a', { retain: true, payload: '', qos: 1, packetIdentifier: 4 });
    client.publish('b', { retain: true, payload: 'x', qos: 1, packetIdentifier: 5 });
    expect(client.receive().map((packet) => ('reasonCode' in packet ? packet.reasonCode : null))).toEqual([
      0x10, 0x97, 0x97, 0x10, 0x10,
    ]);
  });

  it('with $ are not sent to a filter that begins with a wildcard [MQTT-4.7.2-1] [K-12]', async () => {
    const test = await TestBroker.start();
    test.broker.publish('space', { topicName: '$SYS/x', payload: Uint8Array.from([1]), qos: 0, retain: true });
    const client = test.connect('c');
    client.subscribe(['#', '+/x']);
    expect(client.messages()).toEqual([]);
    client.subscribe('$SYS/#');
    expect(client.messages()).toHaveLength(1);
  });
});
