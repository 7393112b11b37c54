import { PacketType } from '@moorage/mqtt-codec';
import { DelayedSessionStore, FakeTime, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from './memory-session-store.ts';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;

async function settle(test: TestBroker): Promise<void> {
  for (let round = 0; round < 6; round++) await Promise.resolve();
  test.time.endTurn();
}

describe('Sessions', () => {
  it('are told by Session Present, never after Clean Start [MQTT-3.2.2-2] [MQTT-3.2.2-3] [K-43]', async () => {
    const test = await TestBroker.start();
    const present = (cleanStart: boolean, sessionExpiryInterval = 100) =>
      test.open().connect({ clientId: 'c', cleanStart, properties: { sessionExpiryInterval } }).sessionPresent;
    expect([present(false), present(false), present(true), present(false), present(false, 0)]).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(present(false)).toBe(false);
  });

  it('of 3.1 say nothing of it, the byte is reserved', async () => {
    const test = await TestBroker.start();
    for (let times = 0; times < 2; times++) {
      expect(test.open(3).connect({ clientId: 'c', cleanStart: false }).sessionPresent).toBe(false);
    }
    expect(test.open(4).connect({ clientId: 'c', cleanStart: false }).sessionPresent).toBe(true);
  });

  it('end when their time is over, counted from the end of the connection [MQTT-4.1.0-2] [U-15]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, PERSISTENT);
    client.subscribe('t', { qos: 1 });
    test.time.advance(1_000_000);
    client.lose();
    test.time.advance(99_000);
    expect(test.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 1 });
    test.time.advance(2_000);
    expect(test.broker.statistics()).toMatchObject({ sessions: 0, subscriptions: 0, spaces: 0 });
    expect(test.sessions.statistics().sessions).toBe(0);
  });

  it('end with the connection at Session Expiry 0 or Clean Session [MQTT-3.1.2-23] [v3.1.1 MQTT-3.1.2-6]', async () => {
    const test = await TestBroker.start();
    test.connect('a', 5).lose();
    test.connect('b', 4).lose();
    expect(test.broker.statistics().sessions).toBe(0);
    test.connect('b', 4, { cleanStart: false }).lose();
    expect(test.broker.statistics().sessions).toBe(1);
    test.time.advance(604_801_000);
    expect(test.broker.statistics().sessions).toBe(0);
  });

  it('never persist where the policy says so', async () => {
    const test = await TestBroker.start({ policy: { persistence: 'never' } });
    const { properties } = test.open().connect({ clientId: 'c', ...PERSISTENT });
    expect(properties?.sessionExpiryInterval).toBe(0);
    test.time.endTurn();
    const again = test.open().connect({ clientId: 'c', ...PERSISTENT });
    expect(again.sessionPresent).toBe(false);
  });

  it('may be shortened or lengthened in DISCONNECT within our limit, but not raised from 0 [U-11] [U-12] [K-44]', async () => {
    const test = await TestBroker.start({ policy: { maximumSessionExpiryInterval: 1_000 } });
    test.connect('c', 5, PERSISTENT).disconnect(0, { sessionExpiryInterval: 10 });
    test.time.advance(11_000);
    expect(test.broker.statistics().sessions).toBe(0);
    test.connect('c', 5, PERSISTENT).disconnect(0, { sessionExpiryInterval: 0xffffffff });
    test.time.advance(999_000);
    expect(test.broker.statistics().sessions).toBe(1);
    test.time.advance(2_000);
    expect(test.broker.statistics().sessions).toBe(0);
    const client = test.connect('d', 5);
    client.disconnect(0, { sessionExpiryInterval: 1 });
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x82 }]);
  });

  it('bring their subscriptions to the host of the new connection', async () => {
    const test = await TestBroker.start();
    test.connect('c', 5, PERSISTENT).subscribe('t', { qos: 1 });
    expect(test.handler.resumedWith).toBeNull();
    test.connect('c', 5, PERSISTENT);
    expect(test.handler.resumedWith).toMatchObject([{ topicFilter: 't', grantedQoS: 1, enter: ['t'] }]);
  });

  it('are not resumed in another space', async () => {
    const test = await TestBroker.start();
    test.connect('c', 5, { ...PERSISTENT, username: 'one' }).subscribe('t');
    expect(test.open().connect({ clientId: 'c', ...PERSISTENT, username: 'two' }).sessionPresent).toBe(false);
  });

  it('lose and double nothing under 1,000 take-overs in the middle of QoS 2, both ways [K-42]', async () => {
    const test = await TestBroker.start();
    let client = test.connect('c', 5, PERSISTENT);
    client.subscribe('out', { qos: 2 });
    const watcher = test.connect('w');
    watcher.subscribe('in', { qos: 0 });
    const publisher = test.connect('p');
    const gotOut: string[] = [];
    const seen = new Set<number>();
    const decoder = new TextDecoder();
    let random = 12_345;
    const chance = () => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      return random / 2_147_483_648 < 0.5;
    };
    const serve = (packets: ReturnType<typeof client.receive>) => {
      for (const packet of packets) {
        if (packet.type === PacketType.Publish) {
          if (!seen.has(packet.packetIdentifier)) gotOut.push(decoder.decode(packet.payload));
          seen.add(packet.packetIdentifier);
          if (chance()) client.acknowledge(5, packet.packetIdentifier);
        } else if (packet.type === PacketType.Pubrel) {
          seen.delete(packet.packetIdentifier);
          if (chance()) client.acknowledge(7, packet.packetIdentifier);
        }
      }
    };
    for (let round = 1; round <= 1_000; round++) {
      publisher.publish('out', { qos: 2, packetIdentifier: 1, payload: String(round) });
      publisher.acknowledge(6, 1);
      client.publish('in', { qos: 2, packetIdentifier: round, payload: String(round) });
      const released = chance();
      if (released) client.acknowledge(6, round);
      const older = client;
      const next = test.open();
      next.connect({ clientId: 'c', ...PERSISTENT });
      expect(older.stream.closed).toBe(true);
      client = next;
      // After PUBREL the same identifier would be a new message. [MQTT-4.3.3-12]
      if (!released) client.publish('in', { qos: 2, packetIdentifier: round, payload: String(round), dup: true });
      client.acknowledge(6, round);
      serve(client.behindConnack());
      await settle(test);
      for (let times = 0; times < 3; times++) serve(client.receive());
    }
    const numbers = Array.from({ length: 1_000 }, (_, index) => String(index + 1));
    expect(gotOut).toEqual(numbers);
    expect(watcher.texts()).toEqual(numbers.map((number) => `in=${number}`));
    expect(test.broker.statistics().connections).toBe(3);
  });
});

describe('a restart', () => {
  async function restart(test: TestBroker): Promise<TestBroker> {
    const again = await TestBroker.start({
      sessions: test.sessions,
      retained: test.retained,
      time: new FakeTime(test.time.now()),
    });
    return again;
  }

  it('brings Sessions, subscriptions, queue and unfinished messages back [K-40] [K-45]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, PERSISTENT);
    client.subscribe(['t', '$share/g/s'], { qos: 2 });
    const publisher = test.connect('p');
    publisher.publish('t', { qos: 1, payload: 'one' });
    publisher.publish('t', { qos: 2, payload: 'two', packetIdentifier: 2 });
    client.acknowledge(5, 2);
    client.publish('in', { qos: 2, packetIdentifier: 40 });
    client.lose();
    publisher.publish('s', { qos: 1, payload: 'three' });
    const second = await restart(test);
    expect(second.broker.statistics()).toMatchObject({ sessions: 1, subscriptions: 2, storedMessages: 3 });
    second.connect('q').publish('t', { qos: 1, payload: 'four' });
    const again = second.open();
    again.send(again.connectPacket({ clientId: 'c', ...PERSISTENT }));
    await settle(second);
    await settle(second);
    expect(again.receive()).toMatchObject([
      { type: PacketType.Connack, sessionPresent: true },
      { type: PacketType.Publish, dup: true, packetIdentifier: 1 },
      { type: PacketType.Pubrel, packetIdentifier: 2 },
      { type: PacketType.Publish, dup: false, packetIdentifier: 3 },
      { type: PacketType.Publish, dup: false, packetIdentifier: 4 },
    ]);
    again.publish('in', { qos: 2, packetIdentifier: 40, dup: true });
    again.acknowledge(6, 40);
    expect(again.receive()).toMatchObject([{ type: PacketType.Pubrec }, { type: PacketType.Pubcomp, reasonCode: 0 }]);
    expect(second.handler.events).toEqual(['opened']);
  });

  it('lets the Session Expiry run through [U-15] [K-44]', async () => {
    const test = await TestBroker.start();
    test.connect('c', 5, PERSISTENT).lose();
    test.time.advance(50_000);
    const second = await restart(test);
    expect(second.broker.statistics().sessions).toBe(1);
    second.time.advance(49_000);
    expect(second.broker.statistics().sessions).toBe(1);
    second.time.advance(2_000);
    expect(second.broker.statistics().sessions).toBe(0);
    test.connect('d', 5, PERSISTENT).lose();
    test.time.advance(10);
    const third = await restart(test);
    third.time.jump(0);
    expect(third.broker.statistics().sessions).toBe(1);
  });
});

describe('with a store that commits later', () => {
  async function delayed() {
    const time = new FakeTime();
    const store = new DelayedSessionStore(new MemorySessionStore(() => time.now()));
    const test = await TestBroker.start({ time, sessions: store });
    const commit = () => {
      store.commit();
      time.endTurn();
    };
    const open = (clientId: string) => {
      const client = test.open();
      client.send(client.connectPacket({ clientId, ...PERSISTENT }));
      return client;
    };
    return { test, store, commit, open };
  }

  it('CONNACK, SUBACK and UNSUBACK wait for the commit', async () => {
    const { test, commit, open } = await delayed();
    const client = open('c');
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0 }]);
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Suback }]);
    client.send({ type: PacketType.Unsubscribe, packetIdentifier: 2, topicFilters: ['t'], properties: null });
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Unsuback }]);
    expect(test.broker.statistics().subscriptions).toBe(0);
  });

  it('PUBACK waits for the queue of an absent subscriber; without one it does not', async () => {
    const { test, commit, open } = await delayed();
    const client = open('c');
    commit();
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    commit();
    client.lose();
    const publisher = test.connect('p');
    publisher.publish('other', { qos: 1, packetIdentifier: 1 });
    expect(publisher.receive()).toMatchObject([{ type: PacketType.Puback, packetIdentifier: 1 }]);
    publisher.publish('t', { qos: 1, packetIdentifier: 2 });
    publisher.publish('other', { qos: 1, packetIdentifier: 3 });
    expect(publisher.receive()).toEqual([]);
    commit();
    expect(publisher.receive()).toMatchObject([
      { type: PacketType.Puback, packetIdentifier: 2, reasonCode: 0 },
      { type: PacketType.Puback, packetIdentifier: 3 },
    ]);
  });

  it('outgoing QoS 2 is sent, and PUBREL follows, only after the commit; QoS 1 at once', async () => {
    const { test, commit, open } = await delayed();
    const client = open('c');
    commit();
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    commit();
    client.receive();
    const publisher = test.connect('p');
    publisher.publish('t', { qos: 1, packetIdentifier: 1, payload: '1' });
    publisher.publish('t', { qos: 2, packetIdentifier: 2, payload: '2' });
    expect(client.texts()).toEqual(['t=1']);
    commit();
    expect(client.texts()).toEqual(['t=2']);
    client.acknowledge(5, 2);
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier: 2 }]);
  });

  it('incoming QoS 2: PUBREC and PUBCOMP wait for the commit [MQTT-4.3.3-8] [MQTT-4.3.3-11]', async () => {
    const { commit, open } = await delayed();
    const client = open('c');
    commit();
    client.receive();
    client.publish('t', { qos: 2, packetIdentifier: 1 });
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pubrec, packetIdentifier: 1 }]);
    client.acknowledge(6, 1);
    expect(client.receive()).toEqual([]);
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pubcomp, packetIdentifier: 1, reasonCode: 0 }]);
  });

  it('a connection lost between reservation and commit of QoS 2 gets it later, with DUP 0', async () => {
    const { test, commit, open } = await delayed();
    const client = open('c');
    commit();
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    commit();
    test.connect('p').publish('t', { qos: 2, packetIdentifier: 2, payload: '2' });
    client.lose();
    commit();
    const again = open('c');
    commit();
    await settle(test);
    expect(again.messages()).toMatchObject([{ dup: false, qos: 2, packetIdentifier: 1 }]);
  });

  it("the publisher's own QoS 2 message follows its PUBREC, whatever else is acknowledged meanwhile [O-27]", async () => {
    for (const qos of [2, 1, 0] as const) {
      const { test, commit, open } = await delayed();
      const client = open('c');
      commit();
      client.send({
        type: PacketType.Subscribe,
        packetIdentifier: 1,
        subscriptions: [
          { topicFilter: 't', options: { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
          { topicFilter: 'other', options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
        ],
        properties: null,
      });
      commit();
      test.connect('p').publish('other', { qos: 1 });
      commit();
      expect(client.messages()).toMatchObject([{ topicName: 'other', packetIdentifier: 1 }]);
      client.publish('t', { qos: 2, packetIdentifier: 5, payload: 'x' });
      // An acknowledgement makes room, and the queue is looked at.
      client.acknowledge(4, 1);
      expect(client.receive()).toEqual([]);
      commit();
      commit();
      expect(client.receive().map((packet) => packet.type)).toEqual([PacketType.Pubrec, PacketType.Publish]);
    }
  });

  it('take-over waits its turn behind the claim under way [O-36]', async () => {
    const { test, commit, open } = await delayed();
    const first = open('c');
    const second = open('c');
    expect([first.receive(), second.receive()]).toEqual([[], []]);
    commit();
    expect(first.receive()).toMatchObject([
      { type: PacketType.Connack },
      { type: PacketType.Disconnect, reasonCode: 0x8e },
    ]);
    expect(second.receive()).toEqual([]);
    commit();
    expect(second.receive()).toMatchObject([{ type: PacketType.Connack, sessionPresent: true }]);
    expect(test.broker.statistics()).toMatchObject({ connections: 1, sessions: 1 });
  });

  it('a claim that fails is answered 0x88 and leaves no Session', async () => {
    const { test, store, commit, open } = await delayed();
    store.outcome = 'failed';
    const client = open('c');
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x88 }]);
    expect(test.broker.statistics()).toMatchObject({ connections: 0, sessions: 0 });
  });

  it('subscriptions that cannot be stored are refused and taken out again', async () => {
    const { test, store, commit, open } = await delayed();
    const client = open('c');
    commit();
    client.receive();
    store.outcome = 'full';
    client.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: 't', options: { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    commit();
    expect(client.receive()).toMatchObject([{ type: PacketType.Suback, reasonCodes: [0x97] }]);
    expect(test.broker.statistics().subscriptions).toBe(0);
  });
});
