import { PacketType, type ProtocolLevel, type SubscriptionOptions } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const LEVELS = [4, 5] as const;
const OPTIONS: SubscriptionOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };

function subscribe(client: RawClient, packetIdentifier: number, ...filters: (readonly [string, 0 | 1 | 2])[]): void {
  const subscriptions = filters.map(([topicFilter, qos]) => ({ topicFilter, options: { ...OPTIONS, qos } }));
  client.send({ type: PacketType.Subscribe, packetIdentifier, subscriptions, properties: null });
}

function unsubscribe(client: RawClient, packetIdentifier: number, ...topicFilters: string[]): void {
  client.send({ type: PacketType.Unsubscribe, packetIdentifier, topicFilters, properties: null });
}

async function refuses(level: ProtocolLevel, bytes: readonly number[], code: number): Promise<void> {
  const test = await TestBroker.start();
  const client = test.connect('c', level);
  client.bytes(...bytes);
  expect(client.receive()).toMatchObject(level === 5 ? [{ type: PacketType.Disconnect, reasonCode: code }] : []);
  expect(client.stream.closed).toBe(true);
  expect(test.broker.statistics().subscriptions).toBe(0);
}

describe('SUBSCRIBE', () => {
  it.each(LEVELS)(
    'is answered once, with its identifier and a code per filter, granted or failed, in order, level %i [MQTT-2.2.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] [v3.1.1 MQTT-2.3.1-7] [v3.1.1 MQTT-3.8.4-1] [v3.1.1 MQTT-3.8.4-2] [v3.1.1 MQTT-3.8.4-4] [v3.1.1 MQTT-3.8.4-5] [v3.1.1 MQTT-3.9.3-1] [v3.1.1 MQTT-3.9.3-2]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      test.handler.onSubscribe = (topicFilter, { qos }) => ({
        reasonCode: topicFilter === 'no' ? 0x8f : qos,
        enter: [topicFilter],
      });
      subscribe(client, 0xfedc, ['a', 2], ['no', 1], ['b', 0], ['c', 1]);
      expect(client.receive()).toMatchObject([
        {
          type: PacketType.Suback,
          packetIdentifier: 0xfedc,
          reasonCodes: [2, level === 5 ? 0x8f : 0x80, 0, 1],
        },
      ]);
      const publisher = test.connect('p');
      for (const name of ['a', 'no', 'b', 'c']) {
        publisher.publish(name, { qos: 2 });
        publisher.acknowledge(6, 1);
      }
      expect(client.messages().map((message) => [message.topicName, message.qos])).toEqual([
        ['a', 2],
        ['b', 0],
        ['c', 1],
      ]);
    },
  );

  it.each([3, 4, 5] as const)(
    'asking for any QoS is taken where less is granted, level %i [MQTT-3.2.2-10] [MQTT-3.8.4-8] [v3.1.1 MQTT-3.8.4-6]',
    async (level) => {
      const test = await TestBroker.start({ policy: { maximumGrantedQoS: 0 } });
      const client = test.connect('c', level);
      subscribe(client, 1, ['a', 2], ['b', 1], ['c', 0]);
      expect(client.receive()).toMatchObject([{ reasonCodes: [0, 0, 0] }]);
      test.connect('p').publish('a', { qos: 2 });
      expect(client.messages()).toMatchObject([{ qos: 0 }]);
    },
  );

  it.each(LEVELS)(
    'delivers at the lower of published and granted QoS, at the highest among overlapping filters, level %i [MQTT-3.8.4-8] [MQTT-3.3.4-2] [v3.1.1 MQTT-3.8.4-6] [v3.1.1 MQTT-3.3.5-1]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      subscribe(client, 1, ['x/#', 0], ['x/+', 1], ['x/2', 2]);
      client.receive();
      const publisher = test.connect('p');
      const got: number[][] = [];
      for (const qos of [0, 1, 2] as const) {
        for (const name of ['x/y/z', 'x/1', 'x/2']) {
          publisher.publish(name, { qos });
          publisher.acknowledge(6, 1);
          got.push(client.messages().map((message) => message.qos));
        }
      }
      expect(got).toEqual([[0], [0], [0], [0], [1], [1], [0], [1], [2]]);
    },
  );

  it.each(LEVELS)(
    'with a filter that is there replaces it: retained ones again, live ones without loss or doubling, level %i [MQTT-3.8.4-3] [MQTT-3.8.4-4] [v3.1.1 MQTT-3.8.4-3]',
    async (level) => {
      const test = await TestBroker.start();
      const publisher = test.connect('p');
      publisher.publish('r', { retain: true, payload: 'kept' });
      const client = test.connect('c', level);
      const live: string[] = [];
      for (let index = 0; index < 30; index++) {
        client.stream.send(client.encode(client.publishPacket('l', { payload: String(index) })));
        subscribe(client, 1 + index, ['#', (index % 3) as 0 | 1 | 2]);
        client.publish('l', { payload: `after ${index}` });
        live.push(...client.texts().filter((text) => text.startsWith('l=')));
      }
      expect(live).toHaveLength(59);
      expect(new Set(live).size).toBe(59);
      subscribe(client, 99, ['#', 0]);
      expect(client.texts()).toEqual(['r=kept']);
      expect(test.broker.statistics().subscriptions).toBe(1);
    },
  );

  it('with reserved bits, QoS 3 or Retain Handling 3 in its options is refused [MQTT-3.8.3-5] [U-9] [v3.1.1 MQTT-3.8.3-4]', async () => {
    for (const options of [0x40, 0x80, 0xc0]) await refuses(5, [0x82, 7, 0, 1, 0, 0, 1, 0x74, options], 0x81);
    for (const options of [0x03, 0x30]) await refuses(5, [0x82, 7, 0, 1, 0, 0, 1, 0x74, options], 0x82);
    for (const options of [0x03, 0x04, 0x80]) await refuses(4, [0x82, 6, 0, 1, 0, 1, 0x74, options], 0);
  });

  it('without a filter is 0x82, cut off within one 0x81, and so is UNSUBSCRIBE [U-10] [MQTT-3.8.3-2] [MQTT-3.10.3-2] [v3.1.1 MQTT-4.8.0-1]', async () => {
    await refuses(5, [0x82, 3, 0, 1, 0], 0x82);
    await refuses(5, [0xa2, 3, 0, 1, 0], 0x82);
    await refuses(5, [0x82, 6, 0, 1, 0, 0, 5, 0x74], 0x81);
    await refuses(5, [0xa2, 6, 0, 1, 0, 0, 5, 0x74], 0x81);
    await refuses(4, [0x82, 2, 0, 1], 0);
    await refuses(4, [0xa2, 2, 0, 1], 0);
  });

  it.each(LEVELS)(
    'without an identifier, or with an ill-formed filter, is refused, level %i [MQTT-2.2.1-3] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2] [O-9] [v3.1.1 MQTT-2.3.1-1] [v3.1.1 MQTT-4.7.3-1] [v3.1.1 MQTT-4.7.3-2]',
    async (level) => {
      const head = level === 5 ? [0, 1, 0] : [0, 1];
      for (const filter of [
        '',
        'a/#/b',
        'a#',
        'a+',
        '+a/b',
        '\u0000',
        '$share/g',
        '$share//x',
        '$share/a+/x',
        '$share/g/',
      ]) {
        const text = [...new TextEncoder().encode(filter)];
        await refuses(level, [0x82, head.length + 2 + text.length + 1, ...head, 0, text.length, ...text, 0], 0x81);
      }
      await refuses(level, [0x82, level === 5 ? 7 : 6, 0, 0, ...(level === 5 ? [0] : []), 0, 1, 0x74, 0], 0x82);
    },
  );

  it.each(LEVELS)(
    'of a name of 65,535 bytes is well-formed, and refused by our own limit only, level %i [MQTT-4.7.3-3] [v3.1.1 MQTT-4.7.3-3] [O-14]',
    async (level) => {
      const test = await TestBroker.start({ limits: { topicBytes: 65_535 } });
      const client = test.connect('c', level);
      const name = 'x'.repeat(65_535);
      expect(client.subscribe(name).reasonCodes).toEqual([0]);
      client.receive();
      client.publish(name);
      expect(client.messages().map((message) => message.topicName.length)).toEqual([65_535]);
      const limited = await TestBroker.start();
      expect(limited.connect('c', level).subscribe(name).reasonCodes).toEqual([level === 5 ? 0x8f : 0x80]);
    },
  );

  it.each(LEVELS)(
    'takes wildcards, which never match a first level with $, level %i [v3.1.1 MQTT-3.8.3-2] [MQTT-4.7.2-1] [v3.1.1 MQTT-4.7.2-1]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      expect(client.subscribe(['#', '+/x', '$y/#']).reasonCodes).toEqual([0, 0, 0]);
      client.receive();
      for (const topicName of ['$x/x', '$x', '$y/x', 'y/$x']) {
        test.broker.publish('space', { topicName, payload: new Uint8Array(0), qos: 0, retain: false });
      }
      test.time.endTurn();
      expect(client.texts()).toEqual(['$y/x=', 'y/$x=']);
    },
  );

  it('of a bridge is served like any other: level 0x84 is told 1, and its own messages come back [O-33]', async () => {
    const test = await TestBroker.start();
    const bridge = test.open(4);
    bridge.bytes(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 0x84, 2, 0, 0, 0, 1, 0x61);
    expect(bridge.stream.writes).toEqual([Uint8Array.from([0x20, 2, 0, 1])]);
    const client = test.connect('bridge', 4);
    client.subscribe('#');
    client.receive();
    client.publish('t', { retain: true, payload: 'x' });
    expect(client.messages()).toMatchObject([{ topicName: 't', retain: false }]);
  });
});

describe('UNSUBSCRIBE', () => {
  it.each(LEVELS)(
    'deletes exactly the filters it names and is answered once, also when nothing was there, level %i [MQTT-2.2.1-6] [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [v3.1.1 MQTT-3.10.4-1] [v3.1.1 MQTT-3.10.4-2] [v3.1.1 MQTT-3.10.4-4] [v3.1.1 MQTT-3.10.4-5] [v3.1.1 MQTT-3.10.4-6]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      subscribe(client, 1, ['a/+', 0], ['a/b', 0], ['A/b', 0], ['c', 0]);
      client.receive();
      unsubscribe(client, 0xabcd, 'a/b', 'a/#', 'c');
      unsubscribe(client, 2, 'nothing');
      const five = level === 5;
      expect(client.receive()).toMatchObject([
        { type: PacketType.Unsuback, packetIdentifier: 0xabcd, reasonCodes: five ? [0, 0x11, 0] : [] },
        { type: PacketType.Unsuback, packetIdentifier: 2, reasonCodes: five ? [0x11] : [] },
      ]);
      const publisher = test.connect('p');
      for (const name of ['a/b', 'A/b', 'c']) publisher.publish(name);
      expect(client.texts()).toEqual(['a/b=', 'A/b=']);
    },
  );

  it.each(LEVELS)(
    'lets QoS 1 and 2 deliveries that have begun be finished, level %i [MQTT-3.10.4-3] [v3.1.1 MQTT-3.10.4-3]',
    async (level) => {
      const test = await TestBroker.start();
      const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
      const client = test.connect('c', level, fields);
      subscribe(client, 1, ['t', 2]);
      const publisher = test.connect('p');
      publisher.publish('t', { qos: 1 });
      publisher.publish('t', { qos: 2, packetIdentifier: 2 });
      unsubscribe(client, 2, 't');
      publisher.publish('t', { qos: 1 });
      client.lose();
      const again = test.open(level);
      again.connect({ clientId: 'c', ...fields });
      expect(again.behindConnack()).toMatchObject([
        { type: PacketType.Publish, packetIdentifier: 1, dup: true },
        { type: PacketType.Publish, packetIdentifier: 2, dup: true },
      ]);
      again.acknowledge(4, 1);
      again.acknowledge(5, 2);
      again.acknowledge(7, 2);
      expect(again.receive()).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier: 2 }]);
      expect(test.sessions.statistics().messages).toBe(0);
    },
  );
});

describe('the other packets', () => {
  it.each([3, 4, 5] as const)(
    'PINGREQ is answered with PINGRESP, level %i [MQTT-3.12.4-1] [v3.1.1 MQTT-3.12.4-1]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      client.ping();
      expect(client.stream.writes.at(-1)).toEqual(Uint8Array.from([0xd0, 0]));
    },
  );

  it.each(LEVELS)(
    'a second CONNECT, a type of the server, type 0 close, level %i [MQTT-3.1.0-2] [MQTT-4.13.1-1] [v3.1.1 MQTT-3.1.0-2] [v3.1.1 MQTT-4.8.0-1]',
    async (level) => {
      for (const [bytes, code] of [
        [[0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, level, 2, 0, 0, 0, 1, 0x61], 0x82],
        [[0x20, 2, 0, 0], 0x82],
        [[0x90, 3, 0, 1, 0], 0x82],
        [[0xb0, 2, 0, 1], 0x82],
        [[0xd0, 0], 0x82],
        [[0x00, 0], 0x81],
      ] as const) {
        await refuses(level, bytes, code);
      }
    },
  );

  it.each(LEVELS)(
    'DISCONNECT with reserved bits set is refused and the Will published, level %i [MQTT-3.14.1-1] [v3.1.1 MQTT-3.14.1-1]',
    async (level) => {
      const test = await TestBroker.start();
      const watcher = test.connect('watcher');
      watcher.subscribe('w');
      watcher.receive();
      const will = { topicName: 'w', payload: new Uint8Array(1), qos: 0, retain: false, properties: null } as const;
      for (const first of [0xe1, 0xe2, 0xe8]) {
        const client = test.connect('c', level, { will });
        client.bytes(first, 0);
        expect(client.receive()).toMatchObject(level === 5 ? [{ type: PacketType.Disconnect, reasonCode: 0x81 }] : []);
        expect(client.stream.closed).toBe(true);
        expect(watcher.messages()).toHaveLength(1);
      }
    },
  );

  it('DISCONNECT with a code that a client may not send, or nobody, closes and leaves the Will [MQTT-3.14.2-1]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('watcher');
    watcher.subscribe('w');
    watcher.receive();
    const will = { topicName: 'w', payload: new Uint8Array(1), qos: 0, retain: false, properties: null } as const;
    for (const code of [0x8e, 0x87, 0x01, 0x55]) {
      const client = test.connect('c', 5, { will });
      client.bytes(0xe0, 1, code);
      expect(client.stream.closed).toBe(true);
      expect(watcher.messages()).toHaveLength(1);
    }
  });

  it.each(LEVELS)(
    'behind our DISCONNECT, or a close, nothing more is sent or read, level %i [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      client.subscribe('#');
      client.receive();
      client.stream.stalled = true;
      client.bytes(0, 0);
      test.connect('p').publish('t');
      client.ping();
      test.time.advance(100_000);
      client.stream.drain();
      expect(client.receive()).toMatchObject(level === 5 ? [{ type: PacketType.Disconnect, reasonCode: 0x81 }] : []);
      expect(client.stream.closed).toBe(true);
    },
  );

  it('are told before the close on 5.0 only: DISCONNECT behind acceptance, CONNACK before it [O-4] [MQTT-3.14.0-1]', async () => {
    const test = await TestBroker.start();
    const waiting = test.open(5);
    waiting.bytes(0x10, 14, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 3, 0, 0, 0, 0, 1, 0x61);
    expect(waiting.receive()).toMatchObject([{ type: PacketType.Connack, reasonCode: 0x81 }]);
    const connected = test.connect('c', 5);
    connected.bytes(0x81, 0);
    expect(connected.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x81 }]);
    const old = test.connect('d', 4);
    old.bytes(0x81, 0);
    expect([old.receive(), old.stream.closed]).toEqual([[], true]);
  });

  it.each(LEVELS)(
    'a failure of ours while one is handled closes that connection and no other, level %i [v3.1.1 MQTT-4.8.0-2]',
    async (level) => {
      const test = await TestBroker.start();
      const other = test.connect('other', level);
      const client = test.connect('c', level);
      test.handler.onSubscribe = () => {
        throw new RangeError('out of memory');
      };
      subscribe(client, 1, ['t', 0]);
      expect(client.stream.closed).toBe(true);
      other.ping();
      expect(other.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
    },
  );

  it.each(LEVELS)(
    'keep a Session as long as its connection, however long it is, level %i [MQTT-4.1.0-1] [v3.1.1 MQTT-4.1.0-1] [v3.1.1 MQTT-4.1.0-2]',
    async (level) => {
      const test = await TestBroker.start();
      const client = test.connect('c', level);
      client.subscribe('t', { qos: 1 });
      client.receive();
      const publisher = test.connect('p');
      publisher.publish('t', { qos: 1, payload: 'x' });
      test.time.advance(30 * 86_400_000);
      publisher.publish('t', { qos: 1, payload: 'y' });
      expect(client.texts()).toEqual(['t=x', 't=y']);
      expect(test.broker.statistics()).toMatchObject({ sessions: 2, subscriptions: 1 });
    },
  );
});
