import { PacketType } from '@moorage/mqtt-codec';
import { DelayedSessionStore, FakeTime, type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from './memory-session-store.ts';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;
const SHARED = '$share/g/t';

async function settle(test: TestBroker): Promise<void> {
  for (let round = 0; round < 40; round++) {
    await Promise.resolve();
    if (round % 4 === 3) test.time.endTurn();
  }
}

function member(test: TestBroker, clientId: string, qos: 0 | 1 | 2 = 1, fields = {}): RawClient {
  const client = test.connect(clientId, 5, fields);
  client.subscribe(SHARED, { qos });
  client.receive();
  return client;
}

function publish(publisher: RawClient, qos: 0 | 1 | 2, ...payloads: string[]): void {
  for (const payload of payloads) {
    publisher.publish('t', { qos, payload });
    if (qos === 2) publisher.acknowledge(6, 1);
  }
  publisher.receive();
}

describe('a Shared Subscription', () => {
  it('gives each message to one member, in turn, at the QoS granted to that member [MQTT-4.8.2-3] [O-10]', async () => {
    const test = await TestBroker.start();
    const members = ([0, 1, 2] as const).map((qos) => member(test, `m${qos}`, qos));
    publish(test.connect('p'), 2, '1', '2', '3', '4', '5', '6');
    const got = members.map((client) =>
      client.messages().map(({ payload, qos }) => [new TextDecoder().decode(payload), qos]),
    );
    expect(got.flat()).toHaveLength(6);
    expect(new Set(got.flat().map(([text]) => text)).size).toBe(6);
    expect(got.map((messages) => messages.map(([, qos]) => qos))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  it('prefers members with room in their windows, and queues for absent ones only if nobody is there [O-10]', async () => {
    const test = await TestBroker.start();
    const narrow = member(test, 'narrow', 1, { properties: { receiveMaximum: 1 } });
    const wide = member(test, 'wide', 1, PERSISTENT);
    const absent = member(test, 'absent', 1, PERSISTENT);
    absent.lose();
    const publisher = test.connect('p');
    publish(publisher, 1, '1', '2', '3', '4', '5');
    expect(narrow.messages()).toHaveLength(1);
    expect(wide.messages()).toHaveLength(4);
    narrow.disconnect();
    wide.lose();
    publish(publisher, 1, '6', '7');
    publish(publisher, 0, 'nobody keeps QoS 0');
    await settle(test);
    const counts = ['wide', 'absent'].map((clientId) => {
      const again = test.open(5);
      again.connect({ clientId, ...PERSISTENT });
      return again;
    });
    await settle(test);
    expect(counts.map((client) => client.messages().filter((message) => !message.dup).length)).toEqual([1, 1]);
  });

  it('adds its own identifier alone to its own copy [U-21] [MQTT-3.3.4-5]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe('t', { qos: 0 }, 3);
    client.subscribe('$share/a/t', { qos: 0 }, 4);
    client.subscribe('$share/b/+', { qos: 0 }, 5);
    const other = test.connect('other');
    other.subscribe('$share/c/t', { qos: 0 }, 6);
    for (const one of [client, other]) one.receive();
    publish(test.connect('p'), 0, 'x');
    const identifiers = (one: RawClient) =>
      one.messages().map((message) => message.properties?.subscriptionIdentifiers?.join());
    expect(identifiers(client).sort()).toEqual(['3', '4', '5']);
    expect(identifiers(other)).toEqual(['6']);
  });

  it('subscribed to again replaces its options and counts once [U-23]', async () => {
    const test = await TestBroker.start();
    const client = member(test, 'c', 0);
    client.subscribe(SHARED, { qos: 1 }, 7);
    client.receive();
    publish(test.connect('p'), 2, 'x');
    expect(client.messages()).toMatchObject([{ qos: 1, properties: { subscriptionIdentifiers: [7] } }]);
    expect(test.broker.statistics().subscriptions).toBe(1);
  });

  it('gives a message too large for one member to the next that can take it, else drops and counts it [O-30]', async () => {
    const test = await TestBroker.start();
    const small = member(test, 'small', 1, { properties: { maximumPacketSize: 60 } });
    const large = member(test, 'large', 1);
    const publisher = test.connect('p');
    const big = 'x'.repeat(100);
    publish(publisher, 1, big, big, big);
    expect([small.messages().length, large.messages().length]).toEqual([0, 3]);
    large.disconnect();
    publish(publisher, 1, big, 'fits');
    expect(small.texts()).toEqual(['t=fits']);
    expect(test.observer.of('delivery.tooLarge')).toBe(1);
  });

  it('gives a queued message too large for its member, when that is back, to another [O-30]', async () => {
    const test = await TestBroker.start();
    member(test, 'm', 1, PERSISTENT).lose();
    publish(test.connect('p'), 1, 'x'.repeat(100), 'fits');
    const other = member(test, 'other');
    const again = test.open(5);
    again.connect({
      clientId: 'm',
      cleanStart: false,
      properties: { sessionExpiryInterval: 9, maximumPacketSize: 60 },
    });
    await settle(test);
    expect(again.texts()).toEqual(['t=fits']);
    expect(other.messages().map((message) => message.payload.length)).toEqual([100]);
  });

  it('ends with its last member: what that left is deleted, a later one begins anew [U-24]', async () => {
    const test = await TestBroker.start();
    const first = member(test, 'first', 1, PERSISTENT);
    publish(test.connect('p'), 1, 'sent');
    first.lose();
    publish(test.connect('q'), 1, 'queued');
    test.time.advance(101_000);
    await settle(test);
    expect(test.broker.statistics()).toMatchObject({ sessions: 2, subscriptions: 0, storedMessages: 0 });
    const later = member(test, 'later');
    await settle(test);
    expect(later.messages()).toEqual([]);
    expect(test.observer.of('shared.undelivered')).toBe(2);
  });
});

describe('a member that does not acknowledge', () => {
  it.each([
    ['without a Session that outlives it', {}],
    ['with a Session that is kept', PERSISTENT],
  ] as const)(
    '%s keeps its QoS 1 messages until its Session ends; then they go to another, once, with DUP 0 [K-54]',
    async (_title, fields) => {
      const test = await TestBroker.start();
      const silent = member(test, 'silent', 1, { ...fields });
      const publisher = test.connect('p');
      publish(publisher, 1, '1', '2', '3');
      expect(silent.texts()).toEqual(['t=1', 't=2', 't=3']);
      silent.acknowledge(4, 2);
      const other = member(test, 'other', 1);
      test.time.advance(10_000);
      expect(other.messages()).toEqual([]);
      silent.lose();
      if (fields === PERSISTENT) {
        test.time.advance(99_000);
        await settle(test);
        expect(other.messages()).toEqual([]);
        test.time.advance(2_000);
      }
      await settle(test);
      const got = other.messages();
      expect(got.map(({ payload, dup, qos }) => [new TextDecoder().decode(payload), dup, qos])).toEqual([
        ['1', false, 1],
        ['3', false, 1],
      ]);
      expect(test.broker.statistics().sessions).toBe(2);
    },
  );

  it('leaves what was queued for it as well, behind what was sent [K-54]', async () => {
    for (const fields of [{ receiveMaximum: 1 }, { receiveMaximum: 1, sessionExpiryInterval: 100 }]) {
      const test = await TestBroker.start({ limits: { headMessages: 2 } });
      const silent = member(test, 'silent', 1, { properties: fields });
      publish(test.connect('p'), 1, '1', '2', '3', '4', '5');
      const other = member(test, 'other', 1);
      silent.lose();
      test.broker.dropSession('silent');
      await settle(test);
      expect(other.texts()).toEqual(['t=1', 't=2', 't=3', 't=4', 't=5']);
    }
  });

  it('leaves its messages to a Session that is absent if nobody else is there', async () => {
    const test = await TestBroker.start();
    const silent = member(test, 'silent', 1);
    publish(test.connect('p'), 1, 'x');
    member(test, 'absent', 1, PERSISTENT).lose();
    silent.lose();
    await settle(test);
    const again = test.open(5);
    again.connect({ clientId: 'absent', ...PERSISTENT });
    await settle(test);
    expect(again.texts()).toEqual(['t=x']);
  });

  it('leaves nothing that came by an ordinary subscription', async () => {
    const test = await TestBroker.start();
    const silent = test.connect('silent', 5, PERSISTENT);
    silent.subscribe(['t', SHARED], { qos: 1 });
    silent.receive();
    publish(test.connect('p'), 1, 'x');
    expect(silent.messages()).toHaveLength(2);
    const other = member(test, 'other', 1);
    silent.lose();
    test.time.advance(101_000);
    await settle(test);
    expect(other.messages()).toHaveLength(1);
  });

  it('leaves them also when the server was started anew meanwhile', async () => {
    const test = await TestBroker.start();
    const silent = member(test, 'silent', 1, {
      cleanStart: false,
      properties: { sessionExpiryInterval: 100, receiveMaximum: 1 },
    });
    publish(test.connect('p'), 1, 'sent', 'queued');
    silent.lose();
    const second = await TestBroker.start({ sessions: test.sessions, time: new FakeTime(test.time.now()) });
    const other = member(second, 'other', 1);
    second.time.advance(101_000);
    await settle(second);
    expect(other.texts()).toEqual(['t=sent', 't=queued']);
  });

  it('hands a long queue over in slices, and what a crash left after the next start: each message once [O-10]', async () => {
    const test = await TestBroker.start();
    const silent = test.connect('silent', 5, PERSISTENT);
    silent.subscribe([SHARED, 'own'], { qos: 1 });
    silent.lose();
    const publisher = test.connect('p');
    const texts = Array.from({ length: 700 }, (_, index) => String(index));
    for (const [index, payload] of texts.entries()) {
      publisher.publish('t', { qos: 1, payload });
      if (index % 100 === 0) publisher.publish('own', { qos: 1, payload });
    }
    member(test, 'heir', 1, PERSISTENT).lose();
    test.broker.dropSession('silent');
    for (let round = 0; round < 6; round++) await Promise.resolve();
    const handedOver = test.observer.of('shared.handedOver');
    expect(handedOver).toBeGreaterThan(0);
    expect(handedOver).toBeLessThanOrEqual(200);

    // From here on the first server does nothing more: it has crashed.
    const second = await TestBroker.start({ sessions: test.sessions, time: new FakeTime(test.time.now()) });
    await settle(second);
    expect(second.observer.of('shared.handedOver')).toBe(700 - handedOver);
    expect(test.sessions.statistics()).toMatchObject({ sessions: 1, messages: 700 });
    const heir = second.open(5);
    heir.send(heir.connectPacket({ clientId: 'heir', ...PERSISTENT }));
    await settle(second);
    expect(heir.texts()).toEqual(texts.map((text) => `t=${text}`));
  });

  it('gives the key of an ended Session to a new one at once, and still loses nothing [O-10]', async () => {
    const test = await TestBroker.start();
    member(test, 'silent', 1, PERSISTENT).lose();
    publish(test.connect('p'), 1, ...Array.from({ length: 5 }, (_, index) => String(index)));
    const other = member(test, 'other', 1);
    const anew = test.connect('silent', 5, { cleanStart: true, properties: { sessionExpiryInterval: 100 } });
    await settle(test);
    expect(other.texts()).toEqual(['t=0', 't=1', 't=2', 't=3', 't=4']);
    expect(anew.receive()).toEqual([]);
    expect(test.broker.statistics()).toMatchObject({ storedMessages: 0 });
  });

  it('drops from the store what nobody takes', async () => {
    const test = await TestBroker.start();
    member(test, 'silent', 1, PERSISTENT).lose();
    publish(test.connect('p'), 1, 'x', 'y');
    test.broker.dropSession('silent');
    await settle(test);
    expect(test.observer.of('shared.undelivered')).toBe(2);
    expect(test.sessions.statistics()).toMatchObject({ sessions: 0, messages: 0 });
  });

  it('loses nothing to a store that commits later', async () => {
    const time = new FakeTime();
    const store = new DelayedSessionStore(new MemorySessionStore(() => time.now()));
    const test = await TestBroker.start({ time, sessions: store });
    const silent = test.open(5);
    silent.send(silent.connectPacket({ clientId: 'silent', ...PERSISTENT }));
    store.commit();
    silent.send({
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [
        { topicFilter: SHARED, options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
      ],
      properties: null,
    });
    store.commit();
    publish(test.connect('p'), 1, 'x');
    silent.lose();
    const other = member(test, 'other', 1);
    time.advance(101_000);
    await settle(test);
    expect(other.texts()).toEqual(['t=x']);
  });
});

describe('QoS 2 by a Shared Subscription', () => {
  it('is finished with the same client when that comes back [MQTT-4.8.2-4]', async () => {
    const test = await TestBroker.start();
    const first = member(test, 'first', 2, PERSISTENT);
    const publisher = test.connect('p');
    publish(publisher, 2, '1');
    expect(first.texts()).toEqual(['t=1']);
    const other = member(test, 'other', 2);
    first.lose();
    await settle(test);
    expect(other.messages()).toEqual([]);
    const again = test.open(5);
    again.connect({ clientId: 'first', ...PERSISTENT });
    await settle(test);
    expect(again.behindConnack()).toMatchObject([{ type: PacketType.Publish, dup: true, qos: 2, packetIdentifier: 1 }]);
    again.acknowledge(5, 1);
    again.acknowledge(7, 1);
    expect(test.sessions.statistics().messages).toBe(0);
    expect(other.messages()).toEqual([]);
  });

  it.each([{}, PERSISTENT] as const)(
    'goes to nobody else when the Session of its client ends first [MQTT-4.8.2-5] [K-54]',
    async (fields) => {
      const test = await TestBroker.start();
      const first = member(test, 'first', 2, fields);
      publish(test.connect('p'), 2, '1', '2');
      first.acknowledge(5, 1);
      const other = member(test, 'other', 2);
      first.lose();
      test.time.advance(200_000);
      await settle(test);
      expect(other.messages()).toEqual([]);
      expect(test.broker.statistics()).toMatchObject({ sessions: 2, storedMessages: 0 });
    },
  );
});

describe('QoS 2 that was not sent yet', () => {
  it('goes to nobody else either, in memory or in the store [O-10]', async () => {
    for (const sessionExpiryInterval of [0, 100]) {
      const test = await TestBroker.start();
      const first = member(test, 'first', 2, { properties: { receiveMaximum: 1, sessionExpiryInterval } });
      publish(test.connect('p'), 2, '1', '2', '3');
      expect(first.texts()).toEqual(['t=1']);
      const other = member(test, 'other', 2);
      first.lose();
      test.time.advance(200_000);
      await settle(test);
      expect(other.messages()).toEqual([]);
    }
  });
});

describe('a refusal by a member', () => {
  it('of QoS 1 or 2 discards the message: no other member gets it [MQTT-4.8.2-6] [MQTT-4.4.0-2]', async () => {
    const test = await TestBroker.start();
    const refusing = member(test, 'refusing', 2, PERSISTENT);
    const publisher = test.connect('p');
    publish(publisher, 1, '1');
    publish(publisher, 2, '2');
    refusing.acknowledge(4, 1, 0x83);
    refusing.acknowledge(5, 2, 0x97);
    const other = member(test, 'other', 2);
    refusing.lose();
    test.time.advance(200_000);
    await settle(test);
    expect(other.messages()).toEqual([]);
    expect(test.sessions.statistics().messages).toBe(0);
  });
});
