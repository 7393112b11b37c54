import { PacketType } from '@moorage/mqtt-codec';
import { TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

const QUEUE = { messages: 100, bytes: 1e6, ageMs: 1e9 };

describe('Keep Alive', () => {
  it('runs for one and a half times its interval, 0x8D [MQTT-3.1.2-22]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 5, { keepAlive: 10 });
    test.time.advance(14_900);
    client.ping();
    test.time.advance(14_900);
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
    test.time.advance(500);
    expect(client.receive()).toMatchObject([{ type: PacketType.Disconnect, reasonCode: 0x8d }]);
    expect(client.stream.closed).toBe(true);
  });

  it('is restarted by whole packets of the client only, not by single bytes or by ours [U-16]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4, { keepAlive: 10 });
    client.subscribe('t');
    const publisher = test.connect('p');
    for (let second = 0; second < 16; second++) {
      client.bytes(second === 0 ? 0x30 : second === 1 ? 0x7f : 0);
      publisher.publish('t');
      test.time.advance(1_000);
    }
    expect(client.stream.closed).toBe(true);
  });

  it('of 0 never runs out, and the wall clock does not matter', async () => {
    const test = await TestBroker.start();
    const silent = test.connect('a');
    const ticking = test.connect('b', 5, { keepAlive: 60 });
    test.time.jump(3_600_000);
    test.time.advance(80_000);
    expect(ticking.stream.closed).toBe(false);
    test.time.advance(100_000_000);
    expect(silent.stream.closed).toBe(false);
  });

  it('does not run while the client is not read', async () => {
    const test = await TestBroker.start({ policy: { receiveMaximum: 1 } });
    const client = test.connect('c', 4, { keepAlive: 10 });
    let release = () => {};
    test.handler.onPublish = (_message, token) => {
      token.hold();
      release = () => token.release('stored');
      return { route: false, reasonCode: 0, close: null };
    };
    client.publish('t', { qos: 1 });
    test.time.advance(25_000);
    expect(client.stream.closed).toBe(false);
    release();
    test.time.endTurn();
    test.time.advance(14_500);
    expect(client.stream.closed).toBe(false);
    test.time.advance(1_000);
    expect(client.stream.closed).toBe(true);
  });
});

describe('a slow reader', () => {
  it('gets 1 MiB of QoS 0, then drops are counted, and others are not delayed', async () => {
    const test = await TestBroker.start();
    const slow = test.connect('slow');
    const quick = test.connect('quick');
    for (const client of [slow, quick]) {
      client.subscribe('t');
      client.receive();
    }
    slow.stream.stalled = true;
    const publisher = test.connect('p');
    for (let index = 0; index < 300; index++) publisher.publish('t', { payload: new Uint8Array(10_000) });
    expect(quick.messages()).toHaveLength(300);
    const dropped = test.observer.of('delivery.slowReader');
    expect(dropped).toBeGreaterThan(190);
    expect(slow.stream.writableLength).toBeLessThan(1_200_000);
    slow.stream.drain();
    expect(slow.messages()).toHaveLength(300 - dropped);
    publisher.publish('t', { payload: 'x' });
    expect(slow.texts()).toEqual(['t=x']);
  });

  it('is closed after 60 s without any progress', async () => {
    const test = await TestBroker.start();
    const slow = test.connect('slow');
    slow.subscribe('t');
    slow.stream.stalled = true;
    test.connect('p').publish('t', { payload: new Uint8Array(100) });
    test.time.advance(40_000);
    slow.stream.drain();
    slow.stream.stalled = true;
    test.connect('p').publish('t', { payload: new Uint8Array(100) });
    test.time.advance(59_000);
    expect(test.broker.statistics().connections).toBe(2);
    test.time.advance(4_000);
    expect(test.observer.of('connection.noProgress')).toBe(1);
    expect(test.broker.statistics().connections).toBe(1);
  });

  it('of its own answers is not read any more', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.stream.stalled = true;
    const pings = new Uint8Array(20_000).map((_, index) => (index % 2 === 0 ? 0xc0 : 0));
    for (let times = 0; times < 100 && !client.stream.paused; times++) client.bytes(pings);
    expect(client.stream.paused).toBe(true);
    expect(client.stream.writableLength).toBeLessThan(1_300_000);
    client.stream.drain();
    test.time.endTurn();
    expect(client.stream.paused).toBe(false);
    expect(client.stream.unread).toBe(0);
  });

  it('with QoS 1 holds its publishers back and loses nothing', async () => {
    const test = await TestBroker.start({ policy: { queue: QUEUE } });
    const slow = test.connect('slow', 5, { properties: { receiveMaximum: 10 } });
    slow.subscribe('t', { qos: 1 });
    slow.receive();
    const publisher = test.connect('p', 4);
    const bystander = test.connect('b');
    const packets = Array.from({ length: 300 }, (_, index) =>
      publisher.publishPacket('t', { qos: 1, packetIdentifier: index + 1, payload: String(index) }),
    );
    publisher.send(...packets);
    expect(publisher.stream.paused).toBe(true);
    expect(test.broker.statistics().queuedMessages).toBeLessThanOrEqual(51);
    bystander.ping();
    expect(bystander.receive()).toHaveLength(1);
    const got: string[] = [];
    const decoder = new TextDecoder();
    for (let round = 0; round < 100; round++) {
      const messages = slow.messages();
      got.push(...messages.map((message) => decoder.decode(message.payload)));
      slow.send(
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
    expect(got).toEqual(packets.map((_, index) => String(index)));
    expect(publisher.stream.paused).toBe(false);
    expect(publisher.receive()).toHaveLength(300);
    expect(test.observer.of('queue.full')).toBe(0);
  });

  it('that never acknowledges cannot stop a publisher for more than 10 s: then its oldest messages go, counted', async () => {
    const test = await TestBroker.start({ policy: { queue: QUEUE } });
    const stuck = test.connect('stuck', 5, { properties: { receiveMaximum: 1 } });
    stuck.subscribe('t', { qos: 1 });
    const publisher = test.connect('p', 4);
    const send = () =>
      publisher.send(
        ...Array.from({ length: 120 }, (_, index) =>
          publisher.publishPacket('t', { qos: 1, packetIdentifier: index + 1 }),
        ),
      );
    send();
    expect(publisher.stream.paused).toBe(true);
    test.time.advance(12_000);
    expect(publisher.stream.paused).toBe(false);
    send();
    expect(publisher.stream.paused).toBe(false);
    expect(test.observer.of('queue.full')).toBeGreaterThan(0);
    expect(test.broker.statistics().queuedMessages).toBe(100);
    stuck.lose();
    expect(test.broker.statistics()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
  });

  it('lets its publishers go when it is gone', async () => {
    const test = await TestBroker.start({ policy: { queue: QUEUE } });
    const slow = test.connect('slow', 5, { properties: { receiveMaximum: 1 } });
    slow.subscribe('t', { qos: 1 });
    const publisher = test.connect('p', 4);
    publisher.send(
      ...Array.from({ length: 120 }, (_, index) =>
        publisher.publishPacket('t', { qos: 1, packetIdentifier: index + 1 }),
      ),
    );
    expect(publisher.stream.paused).toBe(true);
    slow.lose();
    expect(publisher.stream.paused).toBe(false);
    expect(publisher.receive()).toHaveLength(120);
  });

  it('that publishes to itself is not stopped by itself', async () => {
    const test = await TestBroker.start({ policy: { queue: QUEUE } });
    const client = test.connect('c', 4);
    client.subscribe('t', { qos: 1 });
    client.stream.stalled = true;
    client.publish('x');
    client.send(
      ...Array.from({ length: 90 }, (_, index) => client.publishPacket('t', { qos: 1, packetIdentifier: index + 1 })),
    );
    expect(client.stream.paused).toBe(false);
  });
});

describe('stores that are behind', () => {
  it('hold whoever publishes behind the next PUBLISH, at every QoS, and nobody else', async () => {
    const test = await TestBroker.start();
    const [zero, one, silent] = [test.connect('a'), test.connect('b'), test.connect('c')];
    test.broker.holdPublishers(true);
    zero.publish('t');
    one.publish('t', { qos: 1 });
    silent.ping();
    expect([zero, one, silent].map((client) => client.stream.paused)).toEqual([true, true, false]);
    expect(one.receive()).toMatchObject([{ type: PacketType.Puback }]);
    test.broker.holdPublishers(false);
    test.time.endTurn();
    expect([zero, one, silent].map((client) => client.stream.paused)).toEqual([false, false, false]);
    zero.publish('t');
    expect(zero.stream.paused).toBe(false);
  });
});

describe('packets of one turn', () => {
  it('leave in one write, whoever sent them', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    client.subscribe('t', { qos: 1 });
    const publishers = Array.from({ length: 10 }, (_, index) => test.connect(`p${index}`));
    const before = client.stream.writes.length;
    for (const publisher of publishers)
      publisher.stream.send(publisher.encode(publisher.publishPacket('t', { qos: 1 })));
    client.stream.send(Uint8Array.from([0xc0, 0]));
    test.time.endTurn();
    expect(client.stream.writes.length - before).toBe(1);
    expect(client.receive().filter((packet) => packet.type === PacketType.Publish)).toHaveLength(10);
    expect(publishers[0]?.stream.writes).toHaveLength(2);
  });

  it('fan out byte by byte the same to 3.1 and 3.1.1', async () => {
    const test = await TestBroker.start();
    const clients = ([3, 4] as const).map((level) => test.connect(`c${level}`, level));
    for (const client of clients) client.subscribe('t');
    test.connect('p', 3).bytes(0x31, 4, 0, 1, 0x74, 0x78);
    for (const client of clients)
      expect(client.stream.writes.at(-1)).toEqual(Uint8Array.from([0x30, 4, 0, 1, 0x74, 0x78]));
  });
});
