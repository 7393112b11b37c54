import { PacketType, type ProtocolLevel } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { AckToken, StoreOutcome } from './ports.ts';

/** Holds every message's token until the test releases it by topic. */
function holdTokens(test: TestBroker): Map<string, AckToken> {
  const tokens = new Map<string, AckToken>();
  test.handler.onPublish = (message, token) => {
    token.hold();
    tokens.set(message.topicName, token);
    return { route: true, reasonCode: 0, close: null };
  };
  return tokens;
}

function release(
  test: TestBroker,
  tokens: Map<string, AckToken>,
  topicName: string,
  outcome: StoreOutcome = 'stored',
): void {
  tokens.get(topicName)?.release(outcome);
  test.time.endTurn();
}

function answers(client: RawClient): string[] {
  return client.receive().map((packet) => {
    if ('packetIdentifier' in packet && 'reasonCode' in packet)
      return `${packet.type}:${packet.packetIdentifier}:${packet.reasonCode}`;
    return 'reasonCode' in packet ? `${packet.type}:${packet.reasonCode}` : String(packet.type);
  });
}

describe('acknowledgements of incoming messages', () => {
  it('leave first in, first out, whichever commit comes first [MQTT-4.6.0-2] [MQTT-4.6.0-3] [O-26]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const tokens = holdTokens(test);
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    client.publish('2', { qos: 2, packetIdentifier: 2 });
    client.publish('3', { qos: 1, packetIdentifier: 3 });
    release(test, tokens, '3');
    release(test, tokens, '2');
    expect(answers(client)).toEqual([]);
    release(test, tokens, '1');
    expect(answers(client)).toEqual(['4:1:0', '5:2:0', '4:3:0']);
  });

  it('keep that order for negative ones too [O-26]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const tokens = holdTokens(test);
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    test.handler.onPublish = () => ({ route: false, reasonCode: 0x87, close: null });
    client.publish('2', { qos: 1, packetIdentifier: 2 });
    expect(answers(client)).toEqual([]);
    release(test, tokens, '1');
    expect(answers(client)).toEqual(['4:1:0', `4:2:${0x87}`]);
  });

  it('wait for every hold, and the worst outcome wins', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    let held: AckToken | null = null;
    test.handler.onPublish = (_message, token) => {
      token.hold();
      token.hold();
      token.hold();
      held = token;
      return { route: false, reasonCode: 0, close: null };
    };
    client.publish('t', { qos: 1, packetIdentifier: 1 });
    const token = held as unknown as AckToken;
    token.release('stored');
    token.release('full');
    test.time.endTurn();
    expect(answers(client)).toEqual([]);
    token.release('stored');
    test.time.endTurn();
    expect(answers(client)).toEqual([`4:1:${0x97}`]);
    token.release('failed');
    expect(client.stream.closed).toBe(false);
  });

  it('of 3.x are positive also for a refused message, which is dropped [v3.1.1 MQTT-3.3.5-2] [O-7]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w');
    watcher.subscribe('#');
    watcher.receive();
    const client = test.connect('c', 4);
    test.handler.onPublish = () => ({ route: true, reasonCode: 0x87, close: null });
    client.publish('t', { qos: 1, packetIdentifier: 1 });
    client.publish('t', { qos: 2, packetIdentifier: 2 });
    expect(answers(client)).toEqual(['4:1:0', '5:2:0']);
    expect(watcher.messages()).toEqual([]);
    expect(test.observer.of('publish.refused')).toBe(2);
  });

  it('carry a Reason String unless Request Problem Information is 0 [MQTT-3.1.2-29] [K-60]', async () => {
    const test = await TestBroker.start();
    const refuse = () => ({ route: false, reasonCode: 0x87, close: null }) as const;
    const told = test.connect('a');
    test.handler.onPublish = refuse;
    told.publish('t', { qos: 1, packetIdentifier: 1 });
    expect(told.receive()).toMatchObject([{ reasonCode: 0x87, properties: { reasonString: 'Not authorized.' } }]);
    const untold = test.connect('b', 5, { properties: { requestProblemInformation: 0 } });
    test.handler.onPublish = refuse;
    untold.publish('t', { qos: 1, packetIdentifier: 1 });
    expect(untold.receive()).toMatchObject([{ reasonCode: 0x87, properties: null }]);
  });

  it('are replaced by a close where the host says so', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    test.handler.onPublish = () => ({ route: false, reasonCode: 0, close: { reasonCode: 0x96, reason: 'Too fast.' } });
    client.publish('t', { qos: 1, packetIdentifier: 1 });
    expect(answers(client)).toEqual([`14:${0x96}`]);
    expect(test.handler.closings).toMatchObject([{ by: 'server', reasonCode: 0x96, reason: 'Too fast.' }]);
  });

  it('come before such a close for a 5.0 client where the host asks for it', async () => {
    const test = await TestBroker.start();
    const close = { reasonCode: 0x83, reason: 'Not understood.', acknowledge: true } as const;
    const refuse = () => ({ route: false, reasonCode: 0x83, close }) as const;
    const newer = test.connect('a');
    test.handler.onPublish = refuse;
    newer.publish('t', { qos: 1, packetIdentifier: 1 });
    expect(answers(newer)).toEqual([`4:1:${0x83}`, `14:${0x83}`]);
    const older = test.connect('b', 4);
    test.handler.onPublish = refuse;
    older.publish('t', { qos: 1, packetIdentifier: 1 });
    expect(answers(older)).toEqual([]);
    expect(test.handler.closings).toMatchObject([{ by: 'server', reasonCode: 0x83 }]);
  });

  it('say 0x10 only for a routed QoS 1 message that reached nobody and nothing kept [O-6]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.publish('t', { qos: 1, packetIdentifier: 1 });
    client.publish('t', { qos: 1, packetIdentifier: 2, retain: true, payload: 'x' });
    client.publish('t', { qos: 2, packetIdentifier: 3 });
    test.handler.onPublish = () => ({ route: false, reasonCode: 0, close: null });
    client.publish('t', { qos: 1, packetIdentifier: 4 });
    test.handler.onPublish = (_message, token) => {
      token.hold();
      token.release('stored');
      return { route: true, reasonCode: 0, close: null };
    };
    client.publish('t', { qos: 1, packetIdentifier: 5 });
    test.handler.onPublish = null;
    client.subscribe('t', { noLocal: true });
    client.receive();
    client.publish('t', { qos: 1, packetIdentifier: 6 });
    expect(answers(client)).toEqual(['4:6:16']);
  });

  it("follow the publisher's own copy with QoS 1 and precede it with QoS 2 [O-27]", async () => {
    for (const sessionExpiryInterval of [0, 100]) {
      const test = await TestBroker.start();
      const client = test.connect('c', 5, { properties: { sessionExpiryInterval } });
      client.subscribe('t', { qos: 2 });
      client.receive();
      client.publish('t', { qos: 1, packetIdentifier: 1 });
      expect(client.receive().map((packet) => packet.type)).toEqual([PacketType.Publish, PacketType.Puback]);
      client.publish('t', { qos: 2, packetIdentifier: 2 });
      expect(client.receive().map((packet) => packet.type)).toEqual([PacketType.Pubrec, PacketType.Publish]);
    }
  });
});

describe('a store that is full', () => {
  it('is told to 5.0 as 0x97, and the identifier means a new message [MQTT-4.3.3-9]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const tokens = holdTokens(test);
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    client.publish('2', { qos: 2, packetIdentifier: 2 });
    release(test, tokens, '1', 'full');
    release(test, tokens, '2', 'full');
    expect(answers(client)).toEqual([`4:1:${0x97}`, `5:2:${0x97}`]);
    client.publish('2', { qos: 2, packetIdentifier: 2, payload: 'again' });
    expect(test.handler.events.filter((event) => event === 'publish 2')).toHaveLength(2);
  });

  it.each([1, 2] as const)(
    'leaves a 3.x sender unread and unacknowledged, and closes it after 30 s, QoS %i',
    async (qos) => {
      const test = await TestBroker.start();
      const client = test.connect('c', 4);
      const tokens = holdTokens(test);
      client.publish('1', { qos, packetIdentifier: 1 });
      client.publish('2', { qos, packetIdentifier: 2 });
      release(test, tokens, '2');
      release(test, tokens, '1', 'full');
      client.ping();
      expect(client.stream.paused).toBe(true);
      test.time.advance(29_000);
      expect(client.stream.closed).toBe(false);
      test.time.advance(2_500);
      expect(client.stream.closed).toBe(true);
      expect(answers(client)).toEqual([]);
    },
  );

  it('of a 3.x sender holds also when the answer comes within the call', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    test.handler.onPublish = (_message, token) => {
      token.hold();
      token.release('full');
      return { route: false, reasonCode: 0, close: null };
    };
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    test.handler.onPublish = null;
    test.time.advance(31_000);
    expect(client.stream.closed).toBe(true);
    expect(answers(client)).toEqual([]);
  });
});

describe('a store that fails or is silent', () => {
  it('closes the sender without acknowledgement when it failed', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const tokens = holdTokens(test);
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    release(test, tokens, '1', 'failed');
    expect(answers(client)).toEqual([`14:${0x80}`]);
    expect(client.stream.closed).toBe(true);
  });

  it.each([
    [5, [`14:${0x89}`]],
    [4, []],
  ] as const)('closes the sender after 30 s, level %i', async (level, expected) => {
    const test = await TestBroker.start();
    const client = test.connect('c', level as ProtocolLevel);
    const tokens = holdTokens(test);
    client.publish('1', { qos: 1, packetIdentifier: 1 });
    test.time.advance(29_000);
    expect(client.stream.closed).toBe(false);
    test.time.advance(2_500);
    expect(answers(client)).toEqual(expected);
    expect(client.stream.closed).toBe(true);
    release(test, tokens, '1');
  });
});

describe('our Receive Maximum', () => {
  it('closes with 0x93 at the 101st open message [MQTT-3.3.4-7] [K-38]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    for (let identifier = 1; identifier <= 100; identifier++)
      client.publish('t', { qos: 2, packetIdentifier: identifier });
    expect(answers(client)).toHaveLength(100);
    client.publish('t', { qos: 0 });
    expect(client.stream.closed).toBe(false);
    client.publish('t', { qos: 1, packetIdentifier: 101 });
    expect(answers(client)).toEqual([`14:${0x93}`]);
  });

  it('counts QoS 2 until PUBCOMP, and gives the place back on a PUBREC of 0x80 and more [K-37]', async () => {
    const test = await TestBroker.start({ policy: { receiveMaximum: 2 } });
    const client = test.connect('c');
    client.publish('t', { qos: 2, packetIdentifier: 1 });
    client.publish('t', { qos: 2, packetIdentifier: 2 });
    client.acknowledge(6, 1);
    test.handler.onPublish = () => ({ route: false, reasonCode: 0x83, close: null });
    client.publish('t', { qos: 2, packetIdentifier: 3 });
    client.publish('t', { qos: 2, packetIdentifier: 4 });
    expect(client.stream.closed).toBe(false);
    test.handler.onPublish = null;
    client.publish('t', { qos: 2, packetIdentifier: 5 });
    expect(client.stream.closed).toBe(false);
    client.publish('t', { qos: 2, packetIdentifier: 6 });
    expect(client.stream.closed).toBe(true);
  });

  it('never meets an honest client that keeps 100 open while the store is slow [K-38]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    const tokens = holdTokens(test);
    for (let identifier = 1; identifier <= 1_000; identifier++) {
      client.publish(String(identifier), { qos: 1, packetIdentifier: identifier });
      if (identifier >= 100) release(test, tokens, String(identifier - 99));
    }
    expect(client.stream.closed).toBe(false);
    expect(answers(client)).toHaveLength(901);
  });

  it('stops the reading of 3.x at its bound and goes on with what was behind it, in order', async () => {
    const test = await TestBroker.start({ policy: { receiveMaximum: 2 } });
    const client = test.connect('c', 4);
    const tokens = holdTokens(test);
    client.send(
      ...[1, 2, 3, 4, 5].map((identifier) =>
        client.publishPacket(String(identifier), { qos: 1, packetIdentifier: identifier }),
      ),
    );
    expect([...tokens.keys()]).toEqual(['1', '2']);
    expect(client.stream.paused).toBe(true);
    release(test, tokens, '1');
    expect([...tokens.keys()]).toEqual(['1', '2', '3']);
    for (const topicName of ['2', '3', '4', '5']) release(test, tokens, topicName);
    expect(answers(client)).toEqual(['4:1:0', '4:2:0', '4:3:0', '4:4:0', '4:5:0']);
    expect(client.stream.paused).toBe(false);
  });
});

describe('incoming QoS 2', () => {
  it('delivers a message once however often it comes before PUBREL [MQTT-4.3.3-10] [K-22] [K-24]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w');
    watcher.subscribe('t');
    const client = test.connect('c', 4);
    client.publish('t', { qos: 2, packetIdentifier: 1, payload: 'first' });
    for (let times = 0; times < 9; times++)
      client.publish('t', { qos: 2, packetIdentifier: 1, payload: 'other', dup: times % 2 === 0 });
    expect(answers(client)).toEqual(new Array(10).fill('5:1:0'));
    client.acknowledge(6, 1);
    client.publish('t', { qos: 2, packetIdentifier: 1, payload: 'second' });
    expect(watcher.texts()).toEqual(['t=first', 't=second']);
  });

  it('delivers a message whose first sending we see has DUP 1 [K-23]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.publish('t', { qos: 2, packetIdentifier: 1, dup: true });
    expect(test.handler.events).toContain('publish t');
  });

  it('keeps nothing but a bitmap for 65,535 messages never released [K-41]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c', 4);
    for (let identifier = 1; identifier <= 65_535; identifier += 5) {
      const five = [0, 1, 2, 3, 4].map((step) =>
        client.publishPacket('t', { qos: 2, packetIdentifier: identifier + step }),
      );
      client.send(...five.filter((packet) => packet.packetIdentifier <= 65_535));
    }
    expect(answers(client)).toHaveLength(65_535);
    client.acknowledge(6, 65_535);
    expect(answers(client)).toEqual(['7:65535:0']);
  });

  it('answers a repetition on the next connection when the commit of the first one comes', async () => {
    const test = await TestBroker.start();
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const client = test.connect('c', 5, fields);
    const tokens = holdTokens(test);
    client.publish('1', { qos: 2, packetIdentifier: 1 });
    client.lose();
    const again = test.connect('c', 5, fields);
    again.publish('1', { qos: 2, packetIdentifier: 1, dup: true });
    expect(answers(again)).toEqual([]);
    release(test, tokens, '1');
    expect(answers(again)).toEqual(['5:1:0']);
    expect(test.handler.events).toEqual(['opened']);
    again.acknowledge(6, 1);
    expect(answers(again)).toEqual(['7:1:0']);
  });
});

describe('Topic Aliases from the client', () => {
  const alias = (topicAlias: number) => ({ properties: { topicAlias } });

  it('are set, used, and replaced [MQTT-3.3.2-12]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.publish('a', alias(1));
    client.publish('', alias(1));
    client.publish('b', alias(1));
    client.publish('', alias(1));
    client.publish('', alias(32));
    expect(test.handler.events.slice(0, 5)).toEqual(['opened', 'publish a', 'publish a', 'publish b', 'publish b']);
    expect(answers(client)).toEqual([`14:${0x82}`]);
  });

  it.each([0, 33])('%i is answered 0x94 [MQTT-3.3.2-8] [MQTT-3.3.2-9]', async (topicAlias) => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.bytes(0x30, 7, 0, 1, 0x74, 3, 0x23, 0, topicAlias);
    expect(answers(client)).toEqual([`14:${0x94}`]);
  });

  it('are set also by a PUBLISH that is refused [U-8]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    test.handler.onPublish = () => ({ route: false, reasonCode: 0x87, close: null });
    client.publish('a', alias(1));
    client.publish('', alias(1));
    expect(test.handler.events).toEqual(['opened', 'publish a', 'publish a']);
  });

  it('end with their connection [MQTT-3.3.2-7] [K-56]', async () => {
    const test = await TestBroker.start();
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const client = test.connect('c', 5, fields);
    client.publish('a', alias(1));
    client.lose();
    const again = test.connect('c', 5, fields);
    again.publish('', alias(1));
    expect(answers(again)).toEqual([`14:${0x82}`]);
  });

  it('do not reach subscribers, the queue or the retained store [K-57]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w');
    watcher.subscribe('a');
    watcher.receive();
    const client = test.connect('c');
    client.publish('a', { properties: { topicAlias: 1, contentType: 'x' }, payload: '1', retain: true });
    client.publish('', { properties: { topicAlias: 1 }, payload: '2' });
    expect(watcher.messages()).toMatchObject([
      { topicName: 'a', properties: { contentType: 'x' } },
      { topicName: 'a', properties: null },
    ]);
    watcher.subscribe('a');
    expect(watcher.messages().at(-1)?.properties).toEqual({ contentType: 'x' });
  });
});

describe('names that are not accepted', () => {
  it('beginning with $ are refused with 0x87, and on 3.x acknowledged and dropped [O-28]', async () => {
    const test = await TestBroker.start();
    const watcher = test.connect('w');
    watcher.subscribe(['$x', '#']);
    watcher.receive();
    const five = test.connect('c');
    five.publish('$x', { qos: 1, packetIdentifier: 1 });
    expect(answers(five)).toEqual([`4:1:${0x87}`]);
    const four = test.connect('d', 4);
    four.publish('$x', { qos: 1, packetIdentifier: 1 });
    expect(answers(four)).toEqual(['4:1:0']);
    expect(watcher.messages()).toEqual([]);
  });

  it('above 4,096 bytes or 128 levels are answered 0x90, QoS 0 dropped and counted [O-14]', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.publish('é'.repeat(2_049), { qos: 1, packetIdentifier: 1 });
    client.publish('/'.repeat(128), { qos: 2, packetIdentifier: 2 });
    client.publish('x'.repeat(4_097));
    expect(answers(client)).toEqual([`4:1:${0x90}`, `5:2:${0x90}`]);
    expect(test.observer.of('publish.topicTooLong')).toBe(1);
    expect(test.handler.events).toEqual(['opened']);
    client.publish('/'.repeat(127), { qos: 1, packetIdentifier: 3 });
    client.publish('x'.repeat(4_096), { qos: 1, packetIdentifier: 4 });
    expect(answers(client)).toEqual(['4:3:16', '4:4:16']);
  });
});
