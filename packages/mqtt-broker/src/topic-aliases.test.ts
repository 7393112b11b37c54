import type { PublishPacket } from '@moorage/mqtt-codec';
import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';

function listening(test: TestBroker, topicAliasMaximum: number, more = {}): RawClient {
  const client = test.connect('c', 5, { properties: { topicAliasMaximum, ...more } });
  client.subscribe('#', { qos: 2 });
  client.receive();
  return client;
}

function told(messages: readonly PublishPacket[]): string[] {
  return messages.map(({ topicName, properties }) => `${topicName}:${properties?.topicAlias ?? '-'}`);
}

describe('Topic Aliases to the client', () => {
  it('are told with the name on first use, stand alone afterwards, first come, never remapped [MQTT-3.1.2-26] [MQTT-3.3.2-11] [O-18]', async () => {
    const test = await TestBroker.start();
    const client = listening(test, 2);
    const publisher = test.connect('p', 4);
    for (const name of ['a', 'b', 'c', 'a', 'c', 'b']) publisher.publish(name);
    expect(told(client.messages())).toEqual(['a:1', 'b:2', 'c:-', ':1', 'c:-', ':2']);
  });

  it.each([0, undefined] as const)(
    'are not sent to a client whose Topic Alias Maximum is %s, nor to 3.x [MQTT-3.1.2-27]',
    async (topicAliasMaximum) => {
      const test = await TestBroker.start();
      const properties = topicAliasMaximum === undefined ? null : { topicAliasMaximum };
      const clients = [test.connect('five', 5, { properties }), test.connect('four', 4)];
      for (const client of clients) {
        client.subscribe('#');
        client.receive();
      }
      for (let times = 0; times < 3; times++) test.connect('p').publish('name');
      for (const client of clients) expect(told(client.messages())).toEqual(['name:-', 'name:-', 'name:-']);
    },
  );

  it('are 32 at most, whatever a client offers [K-58] [O-18]', async () => {
    const test = await TestBroker.start();
    const client = listening(test, 65_535);
    const publisher = test.connect('p');
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 200; index++) publisher.publish(`n${index}`);
    }
    const aliases = client.messages().map((message) => message.properties?.topicAlias ?? 0);
    expect(Math.max(...aliases)).toBe(32);
    expect(aliases.slice(200, 232)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
    expect(aliases.slice(232).every((alias) => alias === 0)).toBe(true);
  });

  it('serve every QoS, queued, retained, pushed and repeated messages, with their other properties', async () => {
    const test = await TestBroker.start();
    const fields = {
      cleanStart: false,
      properties: { sessionExpiryInterval: 100, topicAliasMaximum: 5, receiveMaximum: 2 },
    };
    const client = test.connect('c', 5, fields);
    client.subscribe('t', { qos: 2 }, 7);
    client.receive();
    const { connection } = test.handler;
    const publisher = test.connect('p');
    publisher.publish('t', { qos: 1, payload: '1', properties: { contentType: 'x' } });
    publisher.publish('t', { qos: 2, payload: '2' });
    publisher.publish('t', { qos: 1, payload: '3' });
    publisher.publish('t', { qos: 0, payload: '4', retain: true });
    connection?.push('t', new Uint8Array(1), 0);
    test.time.endTurn();
    expect(client.messages()).toMatchObject([
      { topicName: 't', properties: { topicAlias: 1, contentType: 'x', subscriptionIdentifiers: [7] } },
      { topicName: '', qos: 2, properties: { topicAlias: 1 } },
      { topicName: '', qos: 0, properties: { topicAlias: 1 } },
      { topicName: '', qos: 0, properties: { topicAlias: 1 } },
    ]);
    client.acknowledge(4, 1);
    expect(client.messages()).toMatchObject([{ topicName: '', payload: Uint8Array.from([0x33]) }]);
    client.subscribe('t', { qos: 0 });
    expect(client.messages()).toMatchObject([{ topicName: '', retain: true, properties: { topicAlias: 1 } }]);
    client.lose();
    const again = test.connect('c', 5, fields);
    expect(again.behindConnack()).toMatchObject([
      { topicName: 't', dup: true, properties: { topicAlias: 1 } },
      { topicName: '', dup: true, properties: { topicAlias: 1 } },
    ]);
  });

  it('end with their connection: the next one is told anew [MQTT-3.3.2-7]', async () => {
    const test = await TestBroker.start();
    const publisher = test.connect('p');
    for (let times = 0; times < 2; times++) {
      const client = listening(test, 3);
      publisher.publish('b');
      publisher.publish('b');
      expect(told(client.messages())).toEqual(['b:1', ':1']);
      client.lose();
    }
  });

  it('are given away only with a packet that is sent, and never make one too large', async () => {
    const test = await TestBroker.start();
    const client = listening(test, 3, { maximumPacketSize: 30 });
    const publisher = test.connect('p');
    const name = 'n'.repeat(10);
    // 2 + 2 + 10 + 1 + 16 bytes are one too many; one byte less fits only without an alias.
    publisher.publish(name, { payload: new Uint8Array(16) });
    publisher.publish(name, { payload: new Uint8Array(15) });
    publisher.publish(name, { payload: new Uint8Array(12) });
    publisher.publish(name, { payload: new Uint8Array(22) });
    expect(told(client.messages())).toEqual([`${name}:-`, `${name}:1`, ':1']);
    expect(test.observer.of('delivery.tooLarge')).toBe(1);
  });
});
