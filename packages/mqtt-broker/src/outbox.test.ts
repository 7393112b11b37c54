import { PacketType, type PublishPacket } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 1_000 } } as const;

function publishMany(client: RawClient, topicName: string, count: number, qos: 0 | 1 | 2, from = 1): void {
  for (let index = from; index < from + count; index++) {
    client.publish(topicName, { qos, packetIdentifier: index, payload: String(index) });
    if (qos === 2) client.acknowledge(6, index);
  }
  client.receive();
}

function identifiers(messages: readonly PublishPacket[]): number[] {
  return messages.map((message) => message.packetIdentifier);
}

describe('outgoing QoS 1 and 2', () => {
  it('count identifiers upwards from 1, per Session, DUP 0 [MQTT-2.2.1-4] [MQTT-4.3.2-2] [O-2]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    client.subscribe('t', { qos: 1 });
    client.receive();
    publishMany(test.connect('p'), 't', 3, 1);
    const messages = client.messages();
    expect(messages).toMatchObject([{ dup: false, qos: 1 }, { dup: false }, { dup: false }]);
    expect(identifiers(messages)).toEqual([1, 2, 3]);
  });

  it('are sent with the lower of published and granted QoS [MQTT-3.8.4-8]', async () => {
    const test = await TestBroker.start();
    const publisher = test.connect('p');
    for (const granted of [0, 1, 2] as const) {
      const client = test.connect(`c${granted}`, granted === 1 ? 4 : 5);
      client.subscribe('t', { qos: granted });
      client.receive();
      const qos: number[] = [];
      for (const published of [0, 1, 2] as const) {
        publishMany(publisher, 't', 1, published);
        qos.push(...client.messages().map((message) => message.qos));
      }
      expect(qos).toEqual([0, Math.min(1, granted), Math.min(2, granted)]);
    }
  });

  it("never exceed the client's Receive Maximum, which delays PUBLISH only [MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-2]", async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, { properties: { receiveMaximum: 2 } });
    client.subscribe('t', { qos: 2 });
    client.receive();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 5, 1);
    publishMany(publisher, 't', 1, 0, 9);
    expect(client.texts()).toEqual(['t=1', 't=2', 't=9']);
    client.ping();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
    client.acknowledge(4, 1);
    expect(client.texts()).toEqual(['t=3']);
    client.acknowledge(4, 3);
    client.acknowledge(4, 2);
    expect(client.texts()).toEqual(['t=4', 't=5']);
    expect(test.broker.statistics().queuedMessages).toBe(0);
  });

  it('flow one after the other with Receive Maximum 1 and QoS 2, counted until PUBCOMP [K-36] [K-37]', async () => {
    const test = await TestBroker.start();
    for (const fields of [
      { properties: { receiveMaximum: 1 } },
      { ...PERSISTENT, properties: { receiveMaximum: 1, sessionExpiryInterval: 9 } },
    ]) {
      const client = test.connect('c', 5, fields);
      client.subscribe('t', { qos: 2 });
      client.receive();
      const publisher = test.connect('p');
      publishMany(publisher, 't', 4, 2);
      for (let identifier = 1; identifier <= 3; identifier++) {
        expect(client.texts()).toEqual([`t=${identifier}`]);
        client.acknowledge(5, identifier);
        expect(client.receive()).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier: identifier }]);
        client.acknowledge(7, identifier);
      }
      expect(client.texts()).toEqual(['t=4']);
      client.acknowledge(5, 4, 0x80);
      publishMany(publisher, 't', 1, 2);
      expect(client.texts()).toEqual(['t=1']);
      client.acknowledge(5, 5);
      client.acknowledge(7, 5);
      client.disconnect();
    }
    expect(test.sessions.statistics().messages).toBe(0);
  });

  it('skip identifiers that are in use when they wrap round, and keep the order of first sending [K-29] [MQTT-4.6.0-1]', async () => {
    const test = await TestBroker.start({ limits: { outboundInFlight: 65_535 } });
    const client = test.connect('c', 4, { cleanStart: false });
    client.subscribe('t', { qos: 1 });
    client.receive();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1, 1);
    for (let round = 0; round < 13; round++) {
      const packets = Array.from({ length: 5_041 }, () =>
        publisher.publishPacket('t', { qos: 1, packetIdentifier: 1, payload: 'x' }),
      );
      publisher.send(...packets);
      const got = client.messages();
      client.send(
        ...got
          .filter((message) => message.packetIdentifier !== 1)
          .map(
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
    publishMany(publisher, 't', 2, 1, 500);
    const last = client.messages();
    expect(identifiers(last)).toEqual([65_535, 2]);
    client.lose();
    const again = test.open(4);
    again.connect({ clientId: 'c', cleanStart: false });
    again.ping();
    const resent = [...again.behindConnack(), ...again.receive()].filter(
      (packet) => packet.type === PacketType.Publish,
    );
    expect(identifiers(resent)).toEqual([1, 65_535, 2]);
    expect(resent.every((message) => message.dup)).toBe(true);
  });

  it('stop at 65,535 unanswered messages without reuse, and PINGREQ is still answered [K-30]', async () => {
    const test = await TestBroker.start({
      limits: { outboundInFlight: 65_535 },
      policy: { queue: { messages: 10, bytes: 1e6, ageMs: 1e9 } },
    });
    const client = test.connect('c', 5);
    client.subscribe('t', { qos: 1 });
    client.receive();
    for (let round = 0; round < 16; round++) {
      for (let index = 0; index < 4_100; index++) {
        test.broker.publish('space', { topicName: 't', payload: new Uint8Array(1), qos: 1, retain: false });
      }
      test.time.endTurn();
    }
    const seen = new Set(identifiers(client.messages()));
    expect(seen.size).toBe(65_535);
    expect(test.broker.statistics().queuedMessages).toBe(10);
    client.ping();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
  }, 20_000);

  it('are dropped, and give no place away, when larger than the client takes [MQTT-3.1.2-24] [MQTT-3.1.2-25] [K-34]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, { properties: { maximumPacketSize: 50, receiveMaximum: 1 } });
    client.subscribe('t', { qos: 1 });
    client.receive();
    const publisher = test.connect('p');
    const payload = (size: number) => ({ payload: new Uint8Array(size), qos: 1 as const });
    publisher.publish('t', payload(50 - 8 + 1));
    publisher.publish('t', payload(50 - 8));
    expect(client.messages().map((message) => message.payload.length)).toEqual([42]);
    publisher.publish('t', payload(43));
    publisher.publish('t', payload(1));
    client.acknowledge(4, 1);
    expect(client.messages().map((message) => message.payload.length)).toEqual([1]);
    expect(test.observer.of('delivery.tooLarge')).toBe(2);
  });
});

describe('an outgoing Session that is resumed', () => {
  function resume(test: TestBroker, level: 4 | 5 = 5, properties = {}) {
    const client = test.open(level);
    const connack = client.connect({
      clientId: 'c',
      cleanStart: false,
      properties: level === 5 ? { sessionExpiryInterval: 1_000, ...properties } : null,
    });
    return { client, connack };
  }

  async function withUnfinished() {
    const test = await TestBroker.start();
    const { client } = resume(test);
    client.subscribe('t', { qos: 2 });
    client.receive();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1, 1, 1);
    publishMany(publisher, 't', 1, 2, 2);
    publishMany(publisher, 't', 1, 2, 3);
    client.acknowledge(5, 2);
    client.receive();
    return { test, client, publisher };
  }

  it('sends what is unfinished again: PUBLISH with DUP 1, PUBREL as PUBREL, in order [MQTT-4.4.0-1] [K-25] [K-26]', async () => {
    const { test, client, publisher } = await withUnfinished();
    client.lose();
    publishMany(publisher, 't', 1, 1, 4);
    const { client: again, connack } = resume(test);
    expect(connack.sessionPresent).toBe(true);
    await Promise.resolve();
    await Promise.resolve();
    test.time.endTurn();
    expect([...again.behindConnack(), ...again.receive()]).toMatchObject([
      { type: PacketType.Publish, packetIdentifier: 1, dup: true, qos: 1 },
      { type: PacketType.Pubrel, packetIdentifier: 2 },
      { type: PacketType.Publish, packetIdentifier: 3, dup: true, qos: 2 },
      { type: PacketType.Publish, packetIdentifier: 4, dup: false, qos: 1 },
    ]);
    again.acknowledge(4, 1);
    again.acknowledge(7, 2);
    again.acknowledge(5, 3);
    again.acknowledge(7, 3);
    again.acknowledge(4, 4);
    expect(test.sessions.statistics().messages).toBe(0);
  });

  it('keeps to the Receive Maximum of the new connection at once [K-35] [U-19]', async () => {
    const { test, client } = await withUnfinished();
    client.lose();
    const { client: again } = resume(test, 5, { receiveMaximum: 1 });
    // A PUBREL takes no place.
    expect([...again.behindConnack(), ...again.receive()]).toMatchObject([
      { type: PacketType.Publish, packetIdentifier: 1 },
      { type: PacketType.Pubrel, packetIdentifier: 2 },
    ]);
    again.acknowledge(4, 1);
    expect(again.receive()).toMatchObject([{ type: PacketType.Publish, packetIdentifier: 3 }]);
  });

  it('keeps queue and subscriptions from 3.1.1 to 5.0 and back [K-47]', async () => {
    const test = await TestBroker.start();
    const first = resume(test, 4).client;
    first.subscribe('t', { qos: 1 });
    first.lose();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1, 1);
    const second = resume(test, 5);
    expect(second.connack.sessionPresent).toBe(true);
    await Promise.resolve();
    test.time.endTurn();
    expect(second.client.texts()).toEqual(['t=1']);
    second.client.lose();
    publishMany(publisher, 't', 1, 1, 2);
    const third = resume(test, 4);
    expect(third.connack.sessionPresent).toBe(true);
    await Promise.resolve();
    test.time.endTurn();
    third.client.ping();
    expect(
      [...third.client.behindConnack(), ...third.client.receive()].filter(
        (packet) => packet.type === PacketType.Publish,
      ),
    ).toMatchObject([
      { packetIdentifier: 1, dup: true },
      { packetIdentifier: 2, dup: false },
    ]);
  });

  it('gives thousands of queued messages in order, longer than what memory holds, while new ones come', async () => {
    const test = await TestBroker.start({ limits: { headMessages: 50 } });
    const { client } = resume(test);
    client.subscribe('t', { qos: 1 });
    client.lose();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1_500, 1);
    const { client: again } = resume(test, 5, { receiveMaximum: 20 });
    const got = [...again.behindConnack()].filter((packet) => packet.type === PacketType.Publish);
    for (let round = 0, next = 1_501; round < 300 && got.length < 1_600; round++) {
      await Promise.resolve();
      test.time.endTurn();
      const some = again.messages();
      got.push(...some);
      again.send(
        ...some.map(
          (message) =>
            ({
              type: PacketType.Puback,
              packetIdentifier: message.packetIdentifier,
              reasonCode: 0,
              properties: null,
            }) as const,
        ),
      );
      if (next <= 1_600) publishMany(publisher, 't', 1, 1, next++);
    }
    const decoder = new TextDecoder();
    expect(got.map((message) => Number(decoder.decode(message.payload)))).toEqual(
      Array.from({ length: 1_600 }, (_, index) => index + 1),
    );
    expect(test.sessions.statistics().messages).toBe(0);
  });

  it('skips a queued message that is too large for the new connection [K-33]', async () => {
    const test = await TestBroker.start();
    const { client } = resume(test);
    client.subscribe('t', { qos: 1 });
    client.lose();
    const publisher = test.connect('p');
    publisher.publish('t', { qos: 1, payload: 'x'.repeat(100) });
    publishMany(publisher, 't', 2, 1);
    const { client: again } = resume(test, 5, { maximumPacketSize: 60, receiveMaximum: 1 });
    await Promise.resolve();
    test.time.endTurn();
    expect(again.texts()).toEqual(['t=1']);
    again.acknowledge(4, 1);
    expect(again.texts()).toEqual(['t=2']);
  });

  it('does not let expired messages at the head stop those behind, and finishes what was sent [K-31] [K-32] [MQTT-3.3.2-5] [MQTT-4.3.3-7]', async () => {
    const test = await TestBroker.start();
    const { client } = resume(test);
    client.subscribe('t', { qos: 1 });
    const publisher = test.connect('p');
    publisher.publish('t', { qos: 1, payload: 'sent', properties: { messageExpiryInterval: 5 } });
    client.receive();
    client.lose();
    for (let index = 0; index < 5; index++)
      publisher.publish('t', { qos: 1, payload: 'late', properties: { messageExpiryInterval: 5 } });
    publisher.publish('t', { qos: 1, payload: 'good', properties: { messageExpiryInterval: 60 } });
    test.time.advance(10_500);
    const { client: again } = resume(test, 5, { receiveMaximum: 2 });
    await Promise.resolve();
    test.time.endTurn();
    const messages = [...again.behindConnack(), ...again.receive()].filter(
      (packet) => packet.type === PacketType.Publish,
    );
    expect(messages).toMatchObject([
      { dup: true, packetIdentifier: 1 },
      { dup: false, properties: { messageExpiryInterval: 50 } },
    ]);
    expect(test.observer.of('message.expired')).toBe(5);
  });

  it('drops the oldest queued message that is not in flight when the queue is full [O-11]', async () => {
    const test = await TestBroker.start({ policy: { queue: { messages: 3, bytes: 1e6, ageMs: 1e9 } } });
    const { client } = resume(test);
    client.subscribe('t', { qos: 1 });
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1, 1);
    client.receive();
    client.lose();
    publishMany(publisher, 't', 4, 1, 2);
    const { client: again } = resume(test);
    await Promise.resolve();
    test.time.endTurn();
    const messages = [...again.behindConnack(), ...again.receive()].filter(
      (packet) => packet.type === PacketType.Publish,
    );
    const decoder = new TextDecoder();
    expect(messages.map((message) => decoder.decode(message.payload))).toEqual(['1', '4', '5']);
    expect(test.observer.of('queue.full')).toBe(2);
  });

  it('does not deliver what the client may no longer receive [K-39]', async () => {
    const test = await TestBroker.start();
    const { client } = resume(test);
    client.subscribe('#', { qos: 1 });
    client.lose();
    const publisher = test.connect('p');
    publishMany(publisher, 'secret', 1, 1);
    publishMany(publisher, 't', 1, 1, 2);
    test.authenticator.prepare = (handler) => {
      handler.receives = (topicName) => topicName !== 'secret';
    };
    const { client: again } = resume(test);
    await Promise.resolve();
    test.time.endTurn();
    expect(again.texts()).toEqual(['t=2']);
    publishMany(publisher, 'secret', 1, 0);
    expect(again.texts()).toEqual([]);
    expect(test.observer.of('delivery.notAllowed')).toBe(2);
  });

  it('drops what has waited too long, in memory and in the store alike, and counts it', async () => {
    for (const fields of [{ receiveMaximum: 1 }, { receiveMaximum: 1, sessionExpiryInterval: 100_000 }]) {
      const test = await TestBroker.start({ policy: { queue: { messages: 100, bytes: 1e6, ageMs: 600_000 } } });
      const client = test.connect('c', 5, { properties: fields });
      client.subscribe('t', { qos: 1 });
      client.receive();
      const publisher = test.connect('p');
      publishMany(publisher, 't', 3, 1);
      test.time.advance(300_000);
      publishMany(publisher, 't', 1, 1, 4);
      test.time.advance(330_000);
      expect(test.observer.of('queue.tooOld')).toBe(2);
      expect(test.broker.statistics().queuedMessages).toBe(1);
      client.receive();
      client.acknowledge(4, 1);
      expect(client.texts()).toEqual(['t=4']);
    }
  });

  it('keeps no QoS 0 message for an absent client [O-12]', async () => {
    const test = await TestBroker.start();
    const { client } = resume(test);
    client.subscribe('t', { qos: 1 });
    client.lose();
    const publisher = test.connect('p');
    publishMany(publisher, 't', 1, 0);
    expect(test.sessions.statistics().messages).toBe(0);
  });
});

describe('direct push', () => {
  it('takes its place in identifiers, order and Receive Maximum, subscribed or not, and reports how it ended', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, { properties: { receiveMaximum: 1 } });
    const { connection } = test.handler;
    client.subscribe('t', { qos: 1 });
    client.receive();
    const told: string[] = [];
    const push = (name: string, qos: 0 | 1 | 2) => {
      connection?.push(name, new TextEncoder().encode(name), qos, (outcome) => told.push(`${name} ${outcome}`));
    };
    push('a', 1);
    push('zero', 0);
    publishMany(test.connect('p'), 't', 1, 1);
    push('b', 2);
    push('c', 1);
    test.time.endTurn();
    expect(client.texts()).toEqual(['a=a', 'zero=zero']);
    expect(told).toEqual(['zero written']);
    client.acknowledge(4, 1);
    expect(client.texts()).toEqual(['t=1']);
    client.acknowledge(4, 2);
    expect(client.messages()).toMatchObject([{ topicName: 'b', packetIdentifier: 3, qos: 2 }]);
    client.acknowledge(5, 3);
    client.acknowledge(7, 3);
    expect(client.texts()).toEqual(['c=c']);
    push('d', 1);
    client.lose();
    push('e', 0);
    expect(told).toEqual(['zero written', 'a acknowledged', 'b acknowledged', 'c lost', 'd lost', 'e lost']);
  });

  it('is lost when larger than the client takes, or not written when the connection ends', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, { properties: { maximumPacketSize: 20 } });
    const told: string[] = [];
    test.handler.connection?.push('t', new Uint8Array(20), 0, (outcome) => told.push(outcome));
    expect(told).toEqual(['lost']);
    client.stream.stalled = true;
    test.handler.connection?.push('t', new Uint8Array(1), 0, (outcome) => told.push(outcome));
    test.time.endTurn();
    expect(told).toEqual(['lost']);
    client.lose();
    expect(told).toEqual(['lost', 'lost']);
  });

  it('is not asked about rights, and is not sent again to a resumed Session', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, PERSISTENT);
    test.handler.receives = () => false;
    test.handler.connection?.push('t', new Uint8Array(1), 1);
    test.time.endTurn();
    expect(client.messages()).toHaveLength(1);
    client.lose();
    const again = test.connect('c', 5, PERSISTENT);
    again.ping();
    expect(again.behindConnack()).toEqual([]);
    expect(again.messages()).toEqual([]);
  });

  it('works from within opened, behind CONNACK', async () => {
    const test = await TestBroker.start();
    test.authenticator.prepare = (handler) => {
      handler.onOpened = (connection) => connection.push('hello', new Uint8Array(0), 1);
    };
    const client = test.open();
    client.connect();
    expect(client.behindConnack()).toMatchObject([{ type: PacketType.Publish, topicName: 'hello' }]);
  });
});
