import { type RawClient, TestBroker } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import { KnownTopic, TopicReader } from './known-topic.ts';

const encoder = new TextEncoder();

describe('a Topic Name that is published to again and again', () => {
  /** Publishes twice, so that the name is known, and once more after the change. */
  async function around(
    change: (test: TestBroker, client: RawClient) => void,
    limits: Parameters<typeof TestBroker.start>[0] = {},
  ): Promise<{ readonly before: string[]; readonly after: string[] }> {
    const test = await TestBroker.start(limits);
    const client = test.connect('c');
    client.subscribe('a/b');
    client.receive();
    const publisher = test.connect('p');
    for (const payload of ['1', '2']) publisher.publish('a/b', { payload });
    const before = client.texts();
    change(test, client);
    client.receive();
    publisher.publish('a/b', { payload: '3' });
    return { before, after: client.texts() };
  }

  it('leads to its subscribers', async () => {
    const { before, after } = await around(() => {});
    expect(before).toEqual(['a/b=1', 'a/b=2']);
    expect(after).toEqual(['a/b=3']);
  });

  it('is seen by a subscription made meanwhile, with and without wildcards', async () => {
    for (const filter of ['a/b', 'a/+', '#', '+/b', 'a/b/#', '$share/g/a/b']) {
      const others: RawClient[] = [];
      await around((test) => {
        const other = test.connect('other');
        other.subscribe(filter);
        other.receive();
        others.push(other);
      });
      expect(others[0]?.texts()).toEqual(['a/b=3']);
    }
  });

  it('is no more delivered where the subscription ended, and again where it began anew', async () => {
    expect((await around((_test, client) => void client.unsubscribe('a/b'))).after).toEqual([]);
    const again = await around((_test, client) => {
      client.unsubscribe('a/b');
      client.subscribe('a/+');
    });
    expect(again.after).toEqual(['a/b=3']);
  });

  it('leads right after its route was given away by the cache', async () => {
    const { after } = await around(
      (test) => {
        const other = test.connect('other');
        for (let index = 0; index < 10; index++) other.publish(`x/${index}`);
      },
      { limits: { routeCacheEntries: 2 } },
    );
    expect(after).toEqual(['a/b=3']);
  });

  it('is told apart from a name of the same length, and from its alias', async () => {
    const test = await TestBroker.start();
    const client = test.connect('c');
    client.subscribe('#');
    client.receive();
    const publisher = test.connect('p');
    for (const topicName of ['aa', 'aa', 'ab', 'aa', 'ba', 'ba', 'ba', 'aa']) publisher.publish(topicName);
    expect(client.messages().map(({ topicName }) => topicName)).toEqual([
      'aa',
      'aa',
      'ab',
      'aa',
      'ba',
      'ba',
      'ba',
      'aa',
    ]);
    publisher.publish('aa', { properties: { topicAlias: 1 } });
    publisher.publish('', { properties: { topicAlias: 1 } });
    publisher.publish('ba', { properties: { topicAlias: 2 } });
    publisher.publish('', { properties: { topicAlias: 2 } });
    publisher.publish('', { properties: { topicAlias: 1 } });
    expect(client.messages().map(({ topicName }) => topicName)).toEqual(['aa', 'aa', 'ba', 'ba', 'aa']);
  });

  it('is read without decoding it, and others are decoded', () => {
    const decoded: string[] = [];
    const reader = new TopicReader((bytes, start, end) => {
      const text = new TextDecoder().decode(bytes.subarray(start, end));
      decoded.push(text);
      return text;
    });
    const bytes = encoder.encode('xa/bx');
    reader.known = new KnownTopic('a/b', bytes, 1, 4);
    bytes.fill(0);
    const later = encoder.encode('a/b a/c a/');
    expect([reader.read(later, 0, 3), reader.read(later, 4, 7), reader.read(later, 8, 10)]).toEqual([
      'a/b',
      'a/c',
      'a/',
    ]);
    expect(decoded).toEqual(['a/c', 'a/']);
  });
});
