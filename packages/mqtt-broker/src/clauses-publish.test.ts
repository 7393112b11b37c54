import { PacketType, type PublishPacket } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const PERSISTENT = { cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;
const LEVELS = [4, 5] as const;

async function pair(level: 4 | 5, qos: 0 | 1 | 2, fields = {}) {
  const test = await TestBroker.start();
  const subscriber = test.connect('s', level, fields);
  subscriber.subscribe('#', { qos });
  subscriber.receive();
  const publisher = test.connect('p', level);
  return { test, subscriber, publisher };
}

function codes(client: RawClient): (string | number)[] {
  return client
    .receive()
    .flatMap((packet) => ('packetIdentifier' in packet ? `${packet.type}:${packet.packetIdentifier}` : packet.type));
}

async function resume(test: TestBroker, level: 4 | 5, clientId = 's') {
  const client = test.open(level);
  client.connect({ clientId, ...PERSISTENT });
  await Promise.resolve();
  await Promise.resolve();
  test.time.endTurn();
  return { client, packets: [...client.behindConnack(), ...client.receive()] };
}

describe('a PUBLISH that comes in', () => {
  it.each(LEVELS)(
    'is answered by its QoS: nothing, PUBACK, PUBREC, with its Packet Identifier, level %i [MQTT-3.3.4-1] [MQTT-2.2.1-5] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [v3.1.1 MQTT-3.3.4-1] [v3.1.1 MQTT-2.3.1-6] [v3.1.1 MQTT-4.3.2-2] [v3.1.1 MQTT-4.3.3-2]',
    async (level) => {
      const { publisher } = await pair(level, 0);
      publisher.publish('t');
      expect(codes(publisher)).toEqual([]);
      publisher.publish('t', { qos: 1, packetIdentifier: 0x1234 });
      expect(codes(publisher)).toEqual(['4:4660']);
      publisher.publish('t', { qos: 2, packetIdentifier: 0xfffe });
      expect(codes(publisher)).toEqual(['5:65534']);
      publisher.acknowledge(6, 0xfffe);
      expect(codes(publisher)).toEqual(['7:65534']);
    },
  );

  it.each(LEVELS)(
    'with QoS 1 is a new message each time after PUBACK, whatever DUP says, level %i [MQTT-4.3.2-5] [v3.1.1 MQTT-4.3.2-2]',
    async (level) => {
      const { subscriber, publisher } = await pair(level, 0);
      publisher.publish('t', { qos: 1, packetIdentifier: 7, payload: '1' });
      publisher.publish('t', { qos: 1, packetIdentifier: 7, payload: '2', dup: true });
      expect(codes(publisher)).toEqual(['4:7', '4:7']);
      expect(subscriber.texts()).toEqual(['t=1', 't=2']);
    },
  );

  it.each(LEVELS)(
    'with QoS 2 is delivered once until PUBREL, and a new message after PUBCOMP, level %i [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [v3.1.1 MQTT-4.3.3-2]',
    async (level) => {
      const { subscriber, publisher } = await pair(level, 0);
      publisher.publish('t', { qos: 2, packetIdentifier: 7, payload: '1' });
      publisher.publish('t', { qos: 2, packetIdentifier: 7, payload: '1', dup: true });
      publisher.acknowledge(6, 7);
      expect(codes(publisher)).toEqual(['5:7', '5:7', '7:7']);
      publisher.publish('t', { qos: 2, packetIdentifier: 7, payload: '2' });
      expect(codes(publisher)).toEqual(['5:7']);
      expect(subscriber.texts()).toEqual(['t=1', 't=2']);
    },
  );

  it.each(LEVELS)(
    'with QoS 2 whose message has expired meanwhile is finished all the same, level %i [MQTT-4.3.3-13]',
    async (level) => {
      const { test, publisher } = await pair(level, 0);
      const properties = level === 5 ? { messageExpiryInterval: 1 } : null;
      publisher.publish('t', { qos: 2, packetIdentifier: 7, properties, retain: true, payload: 'x' });
      test.time.advance(10_000);
      publisher.publish('t', { qos: 2, packetIdentifier: 7, dup: true, properties, retain: true, payload: 'x' });
      publisher.acknowledge(6, 7);
      expect(codes(publisher)).toEqual(['5:7', '5:7', '7:7']);
    },
  );

  it('with QoS 2 goes on once it is committed and PUBREC is sent; only the identifier waits for PUBREL [O-5]', async () => {
    const { subscriber, publisher } = await pair(5, 2);
    publisher.publish('t', { qos: 2, packetIdentifier: 7, payload: 'x' });
    expect(codes(publisher)).toEqual(['5:7']);
    expect(subscriber.texts()).toEqual(['t=x']);
    publisher.acknowledge(6, 7);
    expect(subscriber.texts()).toEqual([]);
  });

  it.each(LEVELS)(
    'is not looked into: a payload that is no UTF-8 passes with Payload Format Indicator 1, level %i [O-24] [MQTT-3.3.2-4]',
    async (level) => {
      const { subscriber, publisher } = await pair(level, 1);
      const properties = level === 5 ? { payloadFormatIndicator: 1 as const } : null;
      publisher.publish('t', { qos: 1, payload: Uint8Array.from([0xff, 0x00]), properties });
      expect(publisher.receive()).toMatchObject([{ type: PacketType.Puback, reasonCode: 0 }]);
      const [message] = subscriber.messages();
      expect(message?.payload).toEqual(Uint8Array.from([0xff, 0x00]));
      expect(message?.properties ?? null).toEqual(properties);
    },
  );

  const all = [
    ['DUP with QoS 0', '3.3.1-2', '3.3.1-2', [0x38, 3, 0, 1, 0x74], [0x38, 4, 0, 1, 0x74, 0], 0x81],
    ['QoS 3', '3.3.1-4', '3.3.1-4', [0x36, 5, 0, 1, 0x74, 0, 1], [0x36, 6, 0, 1, 0x74, 0, 1, 0], 0x81],
    ['# in its Topic Name', '3.3.2-2', '3.3.2-2', [0x30, 3, 0, 1, 0x23], [0x30, 4, 0, 1, 0x23, 0], 0x81],
    ['+ in its name', '4.7.0-1', '4.7.1-1', [0x30, 5, 0, 3, 97, 47, 43], [0x30, 6, 0, 3, 97, 47, 43, 0], 0x81],
    ['U+0000 in its Topic Name', '4.7.3-2', '4.7.3-2', [0x30, 3, 0, 1, 0], [0x30, 4, 0, 1, 0, 0], 0x81],
    ['U+0000 as a string', '1.5.4-2', '1.5.3-2', [0x30, 4, 0, 2, 97, 0], [0x30, 5, 0, 2, 97, 0, 0], 0x81],
    ['a name not in UTF-8', '1.5.4-1', '1.5.3-1', [0x30, 3, 0, 1, 0xff], [0x30, 4, 0, 1, 0xff, 0], 0x81],
    ['no Topic Name', '3.3.2-1', '3.3.2-1', [0x30, 0], [0x30, 0], 0x81],
    ['an empty Topic Name [U-6]', '4.7.3-1', '4.7.3-1', [0x30, 2, 0, 0], [0x30, 3, 0, 0, 0], 0x82],
  ] as const;

  for (const [title, clause, older, four, five, code] of all) {
    it(`with ${title} ends the connection and reaches nobody [MQTT-${clause}] [v3.1.1 MQTT-${older}] [MQTT-4.13.1-1] [MQTT-3.14.4-2] [v3.1.1 MQTT-4.8.0-1]`, async () => {
      for (const level of LEVELS) {
        const { subscriber, publisher } = await pair(level, 0);
        publisher.bytes(...(level === 5 ? five : four));
        expect(publisher.receive()).toMatchObject(
          level === 5 ? [{ type: PacketType.Disconnect, reasonCode: code }] : [],
        );
        expect(publisher.stream.closed).toBe(true);
        expect(subscriber.messages()).toEqual([]);
      }
    });
  }

  it.each([
    ['a Response Topic not in UTF-8 ends the connection [MQTT-3.3.2-13]', [0x08, 0, 1, 0xff], 0x81],
    ['a wildcard in its Response Topic ends it [MQTT-3.3.2-14]', [0x08, 0, 1, 0x23], 0x82],
    ['a Content Type with U+0000 ends it [MQTT-3.3.2-19]', [0x03, 0, 1, 0], 0x81],
    ['the name of a User Property not in UTF-8 ends it [MQTT-1.5.7-1]', [0x26, 0, 1, 0xff, 0, 1, 0x61], 0x81],
    ['the value of a User Property with U+0000 ends it [MQTT-1.5.7-1]', [0x26, 0, 1, 0x61, 0, 1, 0], 0x81],
    ['an alias that is not set on this connection ends it [U-7]', [0x23, 0, 1], 0x82],
  ] as const)('with %s', async (_title, properties, code) => {
    const { subscriber, publisher } = await pair(5, 0);
    const name = properties[0] === 0x23 ? [0, 0] : [0, 1, 0x74];
    publisher.bytes(0x30, name.length + 1 + properties.length, ...name, properties.length, ...properties);
    expect(publisher.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: code }]);
    expect(subscriber.messages()).toEqual([]);
  });

  it('passes Response Topic, Correlation Data and Content Type on unchanged [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20] [MQTT-3.3.2-18]', async () => {
    const { subscriber, publisher } = await pair(5, 0);
    const properties = {
      responseTopic: 'r/\ufeff/ü',
      correlationData: Uint8Array.from([0, 255, 1]),
      contentType: 'a/\u{1f600}',
      userProperties: [
        ['b', '2'],
        ['a', '1'],
        ['b', '1'],
      ] as [string, string][],
    };
    publisher.publish('t', { properties });
    expect(subscriber.messages()[0]?.properties).toEqual(properties);
  });

  it.each(LEVELS)(
    'keeps U+FEFF in its name, as a character like any other, and no other name is the same, level %i [MQTT-1.5.4-3] [MQTT-4.7.3-4] [MQTT-3.3.2-3] [v3.1.1 MQTT-1.5.3-3] [v3.1.1 MQTT-4.7.3-4] [v3.1.1 MQTT-3.3.2-3]',
    async (level) => {
      const test = await TestBroker.start();
      const names = ['\ufeffa', 'a', 'A', '/a', 'a/', 'e\u0301', '\u00e9', 'a//', ' a'];
      const clients = names.map((name, index) => {
        const client = test.connect(`c${index}`, level);
        client.subscribe(name);
        client.receive();
        return client;
      });
      const publisher = test.connect('p', level);
      for (const name of names) publisher.publish(name);
      expect(clients.map((client) => client.texts())).toEqual(names.map((name) => [`${name}=`]));
    },
  );
});

describe('a PUBLISH that goes out', () => {
  it.each(LEVELS)(
    'with QoS 0 has QoS 0, DUP 0 and no Packet Identifier, byte by byte, level %i [MQTT-2.2.1-2] [MQTT-4.3.1-1] [MQTT-3.3.1-2] [v3.1.1 MQTT-2.3.1-5] [v3.1.1 MQTT-4.3.1-1] [v3.1.1 MQTT-3.3.1-2]',
    async (level) => {
      const { subscriber, publisher } = await pair(level, 0);
      publisher.publish('t', { qos: 2, dup: true, payload: 'x' });
      const bytes = level === 5 ? [0x30, 5, 0, 1, 0x74, 0, 0x78] : [0x30, 4, 0, 1, 0x74, 0x78];
      expect(subscriber.stream.writes.at(-1)).toEqual(Uint8Array.from(bytes));
    },
  );

  it.each(LEVELS)(
    'with QoS 1 has a free identifier and DUP 0, and is open until PUBACK, level %i [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3.1.1 MQTT-2.3.1-1] [v3.1.1 MQTT-2.3.1-4] [v3.1.1 MQTT-4.3.2-1] [v3.1.1 MQTT-3.3.1-1] [v3.1.1 MQTT-4.4.0-1]',
    async (level) => {
      const { test, subscriber, publisher } = await pair(level, 1, PERSISTENT);
      for (const payload of ['1', '2', '3']) publisher.publish('t', { qos: 1, payload });
      const messages = subscriber.messages();
      expect(messages.map(({ packetIdentifier, dup }) => [packetIdentifier, dup])).toEqual([
        [1, false],
        [2, false],
        [3, false],
      ]);
      subscriber.acknowledge(4, 2);
      publisher.publish('t', { qos: 1, payload: '4' });
      expect(subscriber.messages().map((message) => message.packetIdentifier)).toEqual([4]);
      subscriber.lose();
      const { client, packets } = await resume(test, level);
      expect(packets).toMatchObject([1, 3, 4].map((packetIdentifier) => ({ packetIdentifier, dup: true, qos: 1 })));
      for (const packetIdentifier of [1, 3, 4]) client.acknowledge(4, packetIdentifier);
      client.lose();
      expect((await resume(test, level)).packets).toEqual([]);
    },
  );

  it.each(LEVELS)(
    'with QoS 2 is open until PUBREC, then PUBREL until PUBCOMP, and is not sent again behind PUBREL, level %i [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] [v3.1.1 MQTT-4.3.3-1] [v3.1.1 MQTT-2.3.1-6] [v3.1.1 MQTT-4.4.0-1]',
    async (level) => {
      const { test, subscriber, publisher } = await pair(level, 2, PERSISTENT);
      publisher.publish('t', { qos: 2, payload: '1' });
      expect(subscriber.messages()).toMatchObject([{ packetIdentifier: 1, qos: 2, dup: false }]);
      subscriber.lose();
      const second = await resume(test, level);
      expect(second.packets).toMatchObject([{ type: PacketType.Publish, packetIdentifier: 1, qos: 2, dup: true }]);
      second.client.acknowledge(5, 1);
      expect(codes(second.client)).toEqual(['6:1']);
      second.client.lose();
      const third = await resume(test, level);
      expect(third.packets).toMatchObject([{ type: PacketType.Pubrel, packetIdentifier: 1 }]);
      expect(third.packets).toHaveLength(1);
      third.client.acknowledge(7, 1);
      third.client.lose();
      expect((await resume(test, level)).packets).toEqual([]);
    },
  );

  it('with QoS 1 or 2 that the client refuses is settled: no PUBREL, no repetition, and the place is free [MQTT-4.4.0-2] [K-27]', async () => {
    const { test, subscriber, publisher } = await pair(5, 2, {
      cleanStart: false,
      properties: { sessionExpiryInterval: 100, receiveMaximum: 1 },
    });
    publisher.publish('t', { qos: 1, payload: '1' });
    publisher.publish('t', { qos: 2, payload: '2' });
    publisher.acknowledge(6, 1);
    publisher.publish('t', { qos: 2, payload: '3', packetIdentifier: 3 });
    subscriber.acknowledge(4, 1, 0x97);
    subscriber.acknowledge(5, 2, 0x80);
    expect(subscriber.receive().map((packet) => packet.type)).toEqual([
      PacketType.Publish,
      PacketType.Publish,
      PacketType.Publish,
    ]);
    subscriber.lose();
    expect((await resume(test, 5)).packets).toMatchObject([
      { type: PacketType.Publish, packetIdentifier: 3, dup: true },
    ]);
  });

  it.each(LEVELS)(
    'is never repeated while its client is connected, however long that takes, level %i [MQTT-4.4.0-1] [O-32]',
    async (level) => {
      const { test, subscriber, publisher } = await pair(level, 2, PERSISTENT);
      publisher.publish('t', { qos: 1 });
      publisher.publish('t', { qos: 2, packetIdentifier: 2 });
      subscriber.acknowledge(5, 2);
      subscriber.receive();
      test.time.advance(10_000_000);
      expect(subscriber.receive()).toEqual([]);
    },
  );

  it.each(LEVELS)(
    'keeps the order of one publisher, topic and QoS, also behind a lost connection, level %i [MQTT-4.6.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6] [v3.1.1 MQTT-4.6.0-1] [v3.1.1 MQTT-4.6.0-5] [v3.1.1 MQTT-4.6.0-6]',
    async (level) => {
      const { test, subscriber, publisher } = await pair(level, 2, PERSISTENT);
      const expected: string[] = [];
      const publish = (from: number, to: number) => {
        for (let index = from; index < to; index++) {
          for (const qos of [1, 2] as const) {
            publisher.publish('t', { qos, packetIdentifier: index, payload: `${qos}-${index}` });
            if (qos === 2) publisher.acknowledge(6, index);
            expected.push(`${qos}-${index}`);
          }
        }
      };
      publish(1, 40);
      const decoder = new TextDecoder();
      const text = (packet: PublishPacket) => decoder.decode(packet.payload);
      const first = subscriber.messages();
      expect(first.map(text)).toEqual(expected);
      for (const message of first.filter((_, index) => index % 3 === 0)) {
        if (message.qos === 1) subscriber.acknowledge(4, message.packetIdentifier);
      }
      subscriber.lose();
      publish(40, 60);
      const unfinished = expected.filter((one, index) => !(index % 3 === 0 && index < 78 && one.startsWith('1')));
      const { client, packets } = await resume(test, level);
      const got = packets.filter((packet) => packet.type === PacketType.Publish);
      for (let round = 0; round < 10; round++) {
        await Promise.resolve();
        test.time.endTurn();
        got.push(...client.messages());
      }
      expect(got.map(text)).toEqual(unfinished);
    },
  );

  it.each(LEVELS)(
    'waits in the quota that begins with the Receive Maximum, all other packets do not, level %i [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] [MQTT-3.3.4-10]',
    async (level) => {
      const test = await TestBroker.start({ limits: { outboundInFlight: 3 } });
      const client = test.connect('c', level, level === 5 ? { properties: { receiveMaximum: 3 } } : {});
      client.subscribe('#', { qos: 2 });
      client.receive();
      const publisher = test.connect('p');
      for (let identifier = 1; identifier <= 5; identifier++)
        publisher.publish('t', { qos: 1, packetIdentifier: identifier });
      expect(client.messages()).toHaveLength(3);
      client.ping();
      client.publish('x', { qos: 1, packetIdentifier: 1 });
      client.publish('y', { qos: 2, packetIdentifier: 2 });
      client.acknowledge(6, 2);
      client.subscribe('z');
      expect(client.unsubscribe('z')).toEqual(level === 5 ? [0] : []);
      client.ping();
      expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
      expect(client.stream.closed).toBe(false);
      client.acknowledge(4, 1);
      expect(client.messages()).toHaveLength(1);
    },
  );
});

describe('Retained Messages', () => {
  it.each(LEVELS)(
    'are replaced by RETAIN 1, kept by RETAIN 0, removed by an empty payload, level %i [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.3.1-8] [v3.1.1 MQTT-3.3.1-5] [v3.1.1 MQTT-3.3.1-6] [v3.1.1 MQTT-3.3.1-8] [v3.1.1 MQTT-3.3.1-9] [v3.1.1 MQTT-3.3.1-10] [v3.1.1 MQTT-3.3.1-11] [v3.1.1 MQTT-3.3.1-12]',
    async (level) => {
      const { test, subscriber, publisher } = await pair(level, 1);
      const kept = () => {
        const late = test.connect('late', level);
        late.subscribe('#', { qos: 1 });
        return late.messages().map(({ payload, retain, qos }) => [new TextDecoder().decode(payload), retain, qos]);
      };
      publisher.publish('t', { retain: true, payload: '1', qos: 1 });
      publisher.publish('t', { retain: false, payload: '2' });
      expect(kept()).toEqual([['1', true, 1]]);
      publisher.publish('t', { retain: false, payload: '' });
      expect(kept()).toEqual([['1', true, 1]]);
      publisher.publish('t', { retain: true, payload: '3' });
      expect(kept()).toEqual([['3', true, 0]]);
      publisher.publish('t', { retain: true, payload: '', qos: 1 });
      expect(kept()).toEqual([]);
      publisher.publish('t', { retain: true, payload: '', qos: 1 });
      expect(kept()).toEqual([]);
      expect(subscriber.messages().map(({ payload, retain }) => [payload.length, retain])).toEqual([
        [1, false],
        [1, false],
        [0, false],
        [1, false],
        [0, false],
        [0, false],
      ]);
    },
  );

  it.each(LEVELS)(
    'of QoS 0 replace what was there and are kept like others, level %i [O-23] [v3.1.1 MQTT-3.3.1-7]',
    async (level) => {
      const { test, publisher } = await pair(level, 1);
      publisher.publish('t', { retain: true, payload: 'old', qos: 1 });
      publisher.publish('t', { retain: true, payload: 'new', qos: 0 });
      test.time.advance(86_400_000);
      const late = test.connect('late', level);
      late.subscribe('t', { qos: 2 });
      expect(late.messages()).toMatchObject([{ retain: true, qos: 0, payload: new TextEncoder().encode('new') }]);
    },
  );
});

describe("a client's acknowledgement", () => {
  const unknownCode = [
    ['PUBACK with a code that is not of its list is 0x82 [MQTT-3.4.2-1]', 1, [0x40, 3, 0, 1, 0x92]],
    ['PUBREC with a code that is not of its list is 0x82 [MQTT-3.5.2-1]', 2, [0x50, 3, 0, 1, 0x92]],
    ['PUBREL with a code that is not of its list is 0x82 [MQTT-3.6.2-1]', 2, [0x62, 3, 0, 1, 0x80]],
    ['PUBCOMP with a code that is not of its list is 0x82 [MQTT-3.7.2-1]', 2, [0x70, 3, 0, 1, 0x10]],
  ] as const;

  it.each(unknownCode)('%s', async (_title, qos, bytes) => {
    const { subscriber, publisher } = await pair(5, qos);
    publisher.publish('t', { qos });
    subscriber.receive();
    if (bytes[0] === 0x70) subscriber.acknowledge(5, 1);
    subscriber.receive();
    subscriber.bytes(...bytes);
    expect(subscriber.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x82 }]);
    expect(subscriber.stream.closed).toBe(true);
  });

  it.each([
    ['PUBACK for QoS 2', 2, false, 4],
    ['PUBACK where PUBCOMP is due', 2, true, 4],
    ['PUBREC for QoS 1', 1, false, 5],
    ['PUBCOMP for QoS 1', 1, false, 7],
    ['PUBCOMP before PUBREC', 2, false, 7],
  ] as const)('of the wrong kind closes, %s [K-28]', async (_title, qos, received, type) => {
    for (const level of LEVELS) {
      const { subscriber, publisher } = await pair(level, qos);
      publisher.publish('t', { qos });
      if (received) subscriber.acknowledge(5, 1);
      subscriber.receive();
      subscriber.acknowledge(type, 1);
      expect(subscriber.receive()).toMatchObject(
        level === 5 ? [{ type: PacketType.Disconnect, reasonCode: 0x82 }] : [],
      );
      expect(subscriber.stream.closed).toBe(true);
    }
  });

  it.each(LEVELS)(
    'PUBREL with wrong flags closes, level %i [MQTT-3.6.1-1] [MQTT-2.1.3-1] [v3.1.1 MQTT-3.6.1-1] [v3.1.1 MQTT-2.2.2-1] [v3.1.1 MQTT-2.2.2-2]',
    async (level) => {
      for (const first of [0x60, 0x61, 0x63, 0x66, 0x6a]) {
        const { publisher } = await pair(level, 0);
        publisher.publish('t', { qos: 2 });
        publisher.receive();
        publisher.bytes(first, 2, 0, 1);
        expect(publisher.receive()).toMatchObject(
          level === 5 ? [{ type: PacketType.Disconnect, reasonCode: 0x81 }] : [],
        );
        expect(publisher.stream.closed).toBe(true);
      }
    },
  );

  it.each(LEVELS)(
    'is owed for an identifier once: a second PUBLISH under it with DUP 0 closes, with DUP 1 shares the answer, level %i [O-29]',
    async (level) => {
      for (const dup of [true, false]) {
        const test = await TestBroker.start();
        const client = test.connect('c', level);
        let release = () => {};
        test.handler.onPublish = (_message, token) => {
          token.hold();
          release = () => token.release('stored');
          return { route: false, reasonCode: 0, close: null };
        };
        client.publish('t', { qos: 1, packetIdentifier: 9 });
        client.publish('t', { qos: 1, packetIdentifier: 9, dup });
        expect(client.stream.closed).toBe(!dup);
        client.receive();
        release();
        test.time.endTurn();
        expect(codes(client)).toEqual(dup ? ['4:9'] : []);
      }
    },
  );
});

describe('our own answers', () => {
  it('have one fixed phrase per refusal, and no User Properties [O-25] [MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.14.2-4]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    test.handler.onPublish = () => ({ route: false, reasonCode: 0x87, close: null });
    client.publish('secret', { qos: 1 });
    client.publish('secret', { qos: 2, packetIdentifier: 2 });
    client.bytes(0, 0);
    const phrase = { reasonString: 'Not authorized.' };
    expect(client.receive()).toEqual([
      { type: PacketType.Puback, packetIdentifier: 1, reasonCode: 0x87, properties: phrase },
      { type: PacketType.Pubrec, packetIdentifier: 2, reasonCode: 0x87, properties: phrase },
      {
        type: PacketType.Disconnect,
        reasonCode: 0x81,
        properties: { reasonString: 'The packet cannot be parsed.' },
      },
    ]);
  });

  it('lose their Reason String where the client could not take them [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.14.2-3] [MQTT-3.1.2-24]', async () => {
    const test = await TestBroker.start({ policy: { receiveMaximum: 65_535, topicAliasMaximum: 0 } });
    const client = test.connect('c', 5, { properties: { maximumPacketSize: 15 } });
    test.handler.onPublish = () => ({ route: false, reasonCode: 0x87, close: null });
    client.publish('t', { qos: 1 });
    client.publish('t', { qos: 2, packetIdentifier: 2 });
    client.bytes(0, 0);
    expect(client.receive()).toMatchObject([
      { type: PacketType.Puback, reasonCode: 0x87, properties: null },
      { type: PacketType.Pubrec, reasonCode: 0x87, properties: null },
      { type: PacketType.Disconnect, reasonCode: 0x81, properties: null },
    ]);
    expect(client.stream.writes.every((write) => write.length <= 15)).toBe(true);
  });

  it('never say a Session Expiry Interval in DISCONNECT [MQTT-3.14.2-2]', async () => {
    const test = await TestBroker.start();
    const clients = [test.connect('a', 5, PERSISTENT), test.connect('b', 5, PERSISTENT)];
    test.connect('a', 5, PERSISTENT);
    await test.broker.close();
    for (const client of clients) {
      const [packet] = client.receive();
      expect(packet).toMatchObject({ type: PacketType.Disconnect });
      expect(packet).not.toHaveProperty('properties.sessionExpiryInterval');
    }
  });
});
