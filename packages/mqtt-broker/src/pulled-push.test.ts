import { PacketType, type QoS } from '@moorage/mqtt-codec';
import { type RawClient, TEST_LISTENER, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { ByteStream, PulledPayload, StreamHandler } from './ports.ts';

const PIECE = 32_768;

/** A payload of counted-up bytes that notes what it is asked. */
class TestPayload implements PulledPayload {
  readonly length: number;
  readonly reads: { readonly offset: number; readonly length: number }[] = [];
  closed = 0;
  /** What `read` answers instead. */
  answer: ((offset: number, length: number) => Promise<Uint8Array>) | null = null;

  constructor(length: number) {
    this.length = length;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    this.reads.push({ offset, length });
    return this.answer?.(offset, length) ?? Promise.resolve(bytesFrom(offset, length));
  }

  close(): void {
    this.closed++;
  }
}

function bytesFrom(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (offset + index) % 251);
}

/** Lets pending reads end, and the turns that they ask for, until nothing happens any more. */
async function settle(test: TestBroker): Promise<void> {
  for (let round = 0; round < 2_000; round++) {
    await Promise.resolve();
    test.time.endTurn();
  }
}

interface Pushed {
  readonly test: TestBroker;
  readonly client: RawClient;
  push(payload: PulledPayload | Uint8Array, qos: QoS, topicName?: string): string[];
}

async function connected(
  level: 4 | 5 = 4,
  fields: Parameters<RawClient['connect']>[0] = {},
  options: Parameters<typeof TestBroker.start>[0] = {},
): Promise<Pushed> {
  const test = await TestBroker.start(options);
  const client = test.connect('c', level, fields);
  return {
    test,
    client,
    push(payload, qos, topicName = 'file') {
      const outcomes: string[] = [];
      test.handler.connection?.push(topicName, payload, qos, (outcome) => outcomes.push(outcome));
      return outcomes;
    },
  };
}

describe('a pulled payload', () => {
  it('is sent whole, in pieces, as one PUBLISH, and closed once', async () => {
    for (const qos of [0, 1, 2] as const) {
      for (const length of [1, 127, PIECE, PIECE + 1, 100_000]) {
        const { test, client, push } = await connected(qos === 1 ? 5 : 4);
        const payload = new TestPayload(length);
        const outcomes = push(payload, qos);
        await settle(test);
        const [message, ...rest] = client.messages();
        expect(rest).toEqual([]);
        expect(message).toMatchObject({ topicName: 'file', qos, dup: false, retain: false });
        expect(Buffer.compare(message?.payload ?? new Uint8Array(0), bytesFrom(0, length))).toBe(0);
        expect(payload.reads.every((read) => read.length <= PIECE)).toBe(true);
        expect(payload.closed).toBe(1);
        if (qos === 1) client.acknowledge(4, 1);
        if (qos === 2) {
          client.acknowledge(5, 1);
          client.acknowledge(7, 1);
        }
        expect(outcomes).toEqual([qos === 0 ? 'written' : 'acknowledged']);
        expect(payload.closed).toBe(1);
      }
    }
  });

  it('may be empty, and then nothing is read', async () => {
    const { test, client, push } = await connected();
    const payload = new TestPayload(0);
    const outcomes = push(payload, 0);
    test.time.endTurn();
    expect(client.texts()).toEqual(['file=']);
    expect(outcomes).toEqual(['written']);
    expect(payload).toMatchObject({ reads: [], closed: 1 });
  });

  it('holds back every other packet of its connection until its last byte, in order', async () => {
    const { test, client, push } = await connected(5);
    client.subscribe('t', { qos: 1 });
    client.receive();
    push(new Uint8Array([48]), 0, 'before');
    const payload = new TestPayload(3 * PIECE);
    push(payload, 0);
    test.broker.publish('space', { topicName: 't', payload: new Uint8Array([49]), qos: 0, retain: false });
    test.broker.publish('space', { topicName: 't', payload: new Uint8Array([50]), qos: 1, retain: false });
    client.ping();
    push(new Uint8Array([51]), 0, 'after');
    client.publish('p', { qos: 1, packetIdentifier: 7 });
    await settle(test);
    const packets = client.receive().map((packet) => {
      if (packet.type !== PacketType.Publish) return packet.type;
      return packet.payload.length > 1 ? 'file' : `${packet.topicName}=${String.fromCharCode(packet.payload[0] ?? 0)}`;
    });
    expect(packets).toEqual(['before=0', 'file', 't=1', PacketType.Pingresp, 'after=3', PacketType.Puback, 't=2']);
  });

  it('waits its turn behind another, and QoS 0 messages do not overtake it there', async () => {
    const { test, client, push } = await connected();
    const first = new TestPayload(2 * PIECE);
    const second = new TestPayload(2 * PIECE);
    push(first, 1, 'a');
    push(second, 0, 'b');
    push(new Uint8Array([1]), 0, 'c');
    expect([first.reads.length, second.reads.length]).toEqual([1, 0]);
    await settle(test);
    expect(client.messages().map(({ topicName }) => topicName)).toEqual(['a', 'b', 'c']);
    expect([first.closed, second.closed]).toEqual([1, 1]);
  });

  it("keeps within the client's Receive Maximum [MQTT-3.3.4-9]", async () => {
    const { test, client, push } = await connected(5, { properties: { receiveMaximum: 1 } });
    const first = new TestPayload(10);
    const second = new TestPayload(10);
    push(first, 1, 'a');
    push(second, 1, 'b');
    await settle(test);
    expect(client.messages().map(({ topicName }) => topicName)).toEqual(['a']);
    expect(second.reads).toEqual([]);
    client.acknowledge(4, 1);
    await settle(test);
    expect(client.messages().map(({ topicName }) => topicName)).toEqual(['b']);
  });

  it("is lost, and counted, if the packet exceeds the client's Maximum Packet Size or the standard's [MQTT-3.1.2-24]", async () => {
    const { test, client, push } = await connected(5, { properties: { maximumPacketSize: 1_000 } });
    // First byte, Remaining Length of 2, Topic Name of 2 + 4, no properties: 10 bytes around the payload.
    const fitting = new TestPayload(990);
    const tooLarge = new TestPayload(991);
    expect(push(tooLarge, 0)).toEqual(['lost']);
    expect(test.observer.of('delivery.tooLarge')).toBe(1);
    expect(tooLarge).toMatchObject({ reads: [], closed: 1 });
    const outcomes = push(fitting, 0);
    await settle(test);
    expect(outcomes).toEqual(['written']);
    expect(client.messages()).toHaveLength(1);

    const plain = await connected(4);
    const impossible = new TestPayload(268_435_455);
    expect(plain.push(impossible, 1)).toEqual(['lost']);
    expect(impossible.closed).toBe(1);
  });

  it('is told its Topic Alias once and named by it afterwards', async () => {
    const { test, client, push } = await connected(5, { properties: { topicAliasMaximum: 4 } });
    push(new TestPayload(5), 0);
    await settle(test);
    push(new TestPayload(6), 0);
    await settle(test);
    expect(client.messages()).toMatchObject([
      { topicName: 'file', properties: { topicAlias: 1 } },
      { topicName: '', properties: { topicAlias: 1 } },
    ]);
  });

  it('is read no further than the client takes it', async () => {
    const { test, client, push } = await connected();
    client.stream.stalled = true;
    const payload = new TestPayload(4 * PIECE);
    push(payload, 0);
    await settle(test);
    expect(payload.reads).toEqual([]);
    for (let piece = 1; piece <= 3; piece++) {
      client.stream.drain();
      client.stream.stalled = true;
      await settle(test);
      expect(payload.reads).toHaveLength(piece);
      expect(client.stream.writableLength).toBe(PIECE);
    }
    client.stream.drain();
    await settle(test);
    expect(client.messages()).toHaveLength(1);
    expect(payload.closed).toBe(1);
  });

  it('closes the connection if it cannot be read, and nothing follows the broken packet', async () => {
    const failures: readonly ((length: number) => Promise<Uint8Array>)[] = [
      () => Promise.reject(new TypeError('The file is gone.')),
      (length) => Promise.resolve(new Uint8Array(length - 1)),
      (length) => Promise.resolve(new Uint8Array(length + 1)),
      () => {
        throw new TypeError('It throws at once.');
      },
    ];
    for (const fail of failures) {
      for (const qos of [0, 1] as const) {
        const { test, client, push } = await connected(5);
        client.receive();
        const before = client.stream.writes.length;
        const payload = new TestPayload(3 * PIECE);
        payload.answer = (offset, length) => (offset === 0 ? Promise.resolve(bytesFrom(offset, length)) : fail(length));
        const outcomes = push(payload, qos);
        client.ping();
        await settle(test);
        expect(client.stream.ended).toBe(true);
        const written = client.stream.writes.slice(before).reduce((sum, bytes) => sum + bytes.length, 0);
        expect(written).toBe(PIECE + (qos === 0 ? 11 : 13));
        expect(outcomes).toEqual(['lost']);
        expect(payload.closed).toBe(1);
        expect(test.observer.of('push.readFailed')).toBe(1);
        expect(test.handler.closings).toMatchObject([
          { by: 'server', reason: 'The payload of a message could not be read.' },
        ]);
      }
    }
  });

  it('is closed once, and lost, when the connection or the server ends, wherever it stands', async () => {
    const endings: readonly ((pushed: Pushed) => unknown)[] = [
      ({ client }) => client.lose(),
      ({ client }) => client.disconnect(),
      ({ test }) => test.broker.disconnect('c', 0x98, 'Enough.'),
      ({ test }) => test.broker.dropSession('c'),
      ({ test }) => test.connect('c'),
      ({ test }) => test.broker.close(),
    ];
    for (const end of endings) {
      for (const qos of [0, 1, 2] as const) {
        const pushed = await connected();
        const { test, push } = pushed;
        const never = new Promise<Uint8Array>(() => {});
        const underWay = new TestPayload(3 * PIECE);
        underWay.answer = (offset, length) => (offset === 0 ? Promise.resolve(bytesFrom(0, length)) : never);
        const queued = new TestPayload(5);
        const outcomes = [...[push(underWay, qos), push(queued, qos)]];
        await settle(test);
        expect(underWay.reads).toHaveLength(2);
        end(pushed);
        await settle(test);
        expect(outcomes).toEqual([['lost'], ['lost']]);
        expect([underWay.closed, queued.closed]).toEqual([1, 1]);
        expect(queued.reads).toEqual([]);
      }
    }
  });

  it('is closed at once when there is no connection any more', async () => {
    const { client, push } = await connected();
    client.lose();
    const payload = new TestPayload(5);
    expect(push(payload, 1)).toEqual(['lost']);
    expect(payload).toMatchObject({ reads: [], closed: 1 });
  });

  it('survives its own close throwing', async () => {
    const { test, client, push } = await connected();
    const payload = new TestPayload(5);
    payload.close = () => {
      throw new TypeError('It cannot be closed.');
    };
    push(payload, 0);
    await settle(test);
    expect(client.messages()).toHaveLength(1);
    expect(test.observer.faults).toHaveLength(1);
    client.ping();
    expect(client.receive()).toMatchObject([{ type: PacketType.Pingresp }]);
  });

  it('is not taken as received before its last byte is sent', async () => {
    for (const [qos, type] of [
      [1, 4],
      [2, 5],
    ] as const) {
      const { test, client, push } = await connected();
      const payload = new TestPayload(3 * PIECE);
      payload.answer = () => new Promise(() => {});
      const outcomes = push(payload, qos);
      client.acknowledge(type, 1);
      expect(outcomes).toEqual(['lost']);
      expect(client.stream.ended).toBe(true);
      expect(test.observer.of('connection.protocolError')).toBe(1);
    }
  });

  it('keeps a client alive that takes bytes and cannot be answered, and no other', async () => {
    const { test, client, push } = await connected(4, { keepAlive: 10 });
    const payload = new TestPayload(20 * PIECE);
    client.stream.stalled = true;
    push(payload, 0);
    for (let seconds = 0; seconds < 90; seconds += 10) {
      client.stream.drain();
      client.stream.stalled = true;
      await settle(test);
      test.time.advance(10_000);
    }
    expect(client.stream.ended).toBe(false);
    test.time.advance(31_000);
    expect(client.stream.ended).toBe(true);
    expect(test.observer.of('connection.keepAlive')).toBe(1);
    expect(payload.closed).toBe(1);
  });

  it('is given up when the client takes no bytes, or the source gives none, for the time allowed', async () => {
    for (const stalled of ['client', 'source']) {
      const { test, client, push } = await connected(4, {}, { limits: { noProgressTimeoutMs: 20_000 } });
      const payload = new TestPayload(2 * PIECE);
      if (stalled === 'client') client.stream.stalled = true;
      else payload.answer = () => new Promise(() => {});
      const outcomes = push(payload, 1);
      test.time.advance(19_000);
      expect(outcomes).toEqual([]);
      test.time.advance(3_000);
      expect(outcomes).toEqual(['lost']);
      expect(payload.closed).toBe(1);
      expect(test.observer.of('connection.noProgress')).toBe(stalled === 'client' ? 1 : 0);
      expect(test.observer.of('push.readFailed')).toBe(stalled === 'client' ? 0 : 1);
    }
  });

  it('does not let what waits behind it grow without bound', async () => {
    const { test, client, push } = await connected(4, {}, { limits: { slowReaderBytes: 100_000 } });
    client.subscribe('t', { qos: 0 });
    client.receive();
    const payload = new TestPayload(2 * PIECE);
    let give: () => void = () => {};
    payload.answer = (offset, length) =>
      new Promise((resolve) => {
        give = () => resolve(bytesFrom(offset, length));
      });
    push(payload, 0);
    const text = new Uint8Array(1_000);
    for (let index = 0; index < 500; index++) {
      test.broker.publish('space', { topicName: 't', payload: text, qos: 0, retain: false });
    }
    const dropped = test.observer.of('delivery.slowReader');
    expect(dropped).toBeGreaterThan(390);
    give();
    await settle(test);
    give();
    await settle(test);
    expect(client.messages()).toHaveLength(1 + 500 - dropped);
  });

  it('shows the head of its packet to a trace', async () => {
    const { test, push } = await connected();
    test.broker.trace('c', true);
    push(new TestPayload(3), 0);
    await settle(test);
    expect(test.observer.packets).toEqual(['out 3009000466696c65']);
  });
});

/** A client that takes what it is given in the next round, and keeps none of it. */
class CountingStream implements ByteStream {
  taken = 0;
  held = 0;
  mostHeld = 0;
  handler: StreamHandler | null = null;

  get writableLength(): number {
    return this.held;
  }

  start(handler: StreamHandler): void {
    this.handler = handler;
  }

  write(bytes: Uint8Array): void {
    this.held += bytes.length;
    this.mostHeld = Math.max(this.mostHeld, this.held);
  }

  take(): void {
    if (this.held === 0) return;
    this.taken += this.held;
    this.held = 0;
    this.handler?.onDrain();
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.handler?.onClose(null);
  }
}

it('200 connections that pull 20 MB each hold one piece each', async () => {
  const test = await TestBroker.start();
  const size = 20_000_000;
  const piece = new Uint8Array(PIECE);
  let outstanding = 0;
  let mostOutstanding = 0;
  let closed = 0;
  const streams: CountingStream[] = [];
  for (let index = 0; index < 200; index++) {
    const stream = new CountingStream();
    streams.push(stream);
    test.broker.accept(stream, TEST_LISTENER);
    const clientId = [...`c${String(index).padStart(3, '0')}`].map((letter) => letter.charCodeAt(0));
    stream.handler?.onData(Uint8Array.from([0x10, 16, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 4, ...clientId]));
    test.time.endTurn();
    stream.take();
    test.handler.connection?.push(
      'f',
      {
        length: size,
        read: (_offset, length) => Promise.resolve(length === PIECE ? piece : piece.subarray(0, length)),
        close: () => void closed++,
      },
      0,
    );
  }
  for (let round = 0; round < 3_000 && closed < 200; round++) {
    for (let step = 0; step < 8; step++) await Promise.resolve();
    test.time.endTurn();
    outstanding = streams.reduce((sum, stream) => sum + stream.held, 0);
    mostOutstanding = Math.max(mostOutstanding, outstanding);
    for (const stream of streams) stream.take();
  }
  expect(closed).toBe(200);
  for (const stream of streams) {
    stream.take();
    // CONNACK, and first byte, Remaining Length of 4, and Topic Name around the payload.
    expect(stream.taken).toBe(4 + 1 + 4 + 3 + size);
    expect(stream.mostHeld).toBeLessThanOrEqual(PIECE);
  }
  expect(mostOutstanding).toBeLessThanOrEqual(200 * PIECE);
});
