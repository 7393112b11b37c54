import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryRetainedStore, type Message, type StoreOutcome } from '@moorage/mqtt-broker';
import { seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SessionStoreOptions, SqliteSessionStore } from './sqlite-session-store.ts';

const SPACES = ['one', 'two'];
const NOTHING = { release(): void {} };

function message(topicName: string, more: Partial<Message> = {}): Message {
  const payload = new TextEncoder().encode(`payload of ${topicName}`);
  return { topicName, payload, qos: 1, retain: true, properties: null, expiresAt: Number.POSITIVE_INFINITY, ...more };
}

describe('SqliteRetainedStore', () => {
  let directory = '';
  let store: SqliteSessionStore;
  const open = async (more: Partial<SessionStoreOptions> = {}) => {
    store = await SqliteSessionStore.open({ directory, installationId: 'x', now: () => 0, ballastBytes: 0, ...more });
    await store.retained.load();
  };
  const put = (space: string, topicName: string, one: Message | null) =>
    new Promise<StoreOutcome>((resolve) => store.retained.put(space, topicName, one, { release: resolve }));
  const all = (space: string, filter = '#', now = 0) => store.retained.match(space, filter, now).read(10_000);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-retained-'));
    await open();
  });
  afterEach(async () => {
    await store.terminate();
    rmSync(directory, { recursive: true });
  });

  it('is seen at once, survives a crash with every field, and is gone for good when removed [N2] [K-59]', async () => {
    const properties = {
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
      correlationData: Uint8Array.from([0, 255]),
    } as const;
    const full = message('a/ü/\u{1f600}', { qos: 2, properties, expiresAt: 5_000 });
    const stored = put('one', full.topicName, full);
    expect(await all('one')).toEqual([full]);
    expect(await stored).toBe('stored');
    expect(await put('one', 'gone', message('gone'))).toBe('stored');
    expect(await put('one', 'gone', null)).toBe('stored');
    await store.terminate();
    await open();
    expect(await all('one')).toEqual([full]);
    expect(await all('two')).toEqual([]);
    expect(store.retained.statistics()).toMatchObject({ messages: 1 });
  });

  it('expires by its deadline, also across a restart [K-11] [O-20]', async () => {
    await put('one', 'soon', message('soon', { expiresAt: 1_000 }));
    await put('one', 'later', message('later', { expiresAt: 2_000 }));
    store.retained.expire(1_000);
    await store.drained();
    expect(store.retained.statistics().messages).toBe(1);
    await store.close();
    await open();
    expect(store.retained.statistics().messages).toBe(1);
    expect(await all('one', '#', 1_999)).toMatchObject([{ topicName: 'later', expiresAt: 2_000 }]);
    expect(await all('one', '#', 2_000)).toEqual([]);
  });

  it('refuses what exceeds the limits of a space or the memory of all, in the order of the calls', async () => {
    await store.terminate();
    await open({
      retainedLimitsOf: () => ({ messages: 2, bytes: 10_000, payloadBytes: 400 }),
      retainedMaximumBytes: 1_000,
    });
    const outcomes: string[] = [];
    const note = (name: string, space: string, one: Message) =>
      store.retained.put(space, one.topicName, one, { release: (outcome) => outcomes.push(`${name} ${outcome}`) });
    note('first', 'one', message('a'));
    note('too large', 'one', message('b', { payload: new Uint8Array(401) }));
    note('second', 'one', message('b'));
    note('third', 'one', message('c'));
    note('replaced', 'one', message('a', { qos: 0 }));
    note('too much', 'two', message('a', { payload: new Uint8Array(400) }));
    await store.drained();
    expect(outcomes).toEqual([
      'first stored',
      'too large full',
      'second stored',
      'third full',
      'replaced stored',
      'too much full',
    ]);
    await store.terminate();
    await open();
    expect((await all('one')).map(({ topicName, qos }) => [topicName, qos])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  it('answers failed when the thread is gone, and what was not told as stored may be missing', async () => {
    await put('one', 'a', message('a'));
    const pending = put('one', 'a', message('a', { qos: 2 }));
    const page = Promise.resolve(all('one')).then(
      () => 'read',
      (error: { code: string }) => error.code,
    );
    await store.terminate();
    expect([await pending, await page]).toEqual(['failed', 'worker-stopped']);
    expect(await put('one', 'b', message('b'))).toBe('failed');
    await open();
    expect((await all('one')).map(({ topicName }) => topicName)).toEqual(['a']);
  });

  it('gives pages in byte order of topics, and leaves out what changes while it is read', async () => {
    const names = Array.from({ length: 300 }, (_, at) => `a/${String(at).padStart(3, '0')}`);
    for (const topicName of [...names].reverse()) store.retained.put('one', topicName, message(topicName), NOTHING);
    store.retained.put('one', 'a', message('a'), NOTHING);
    store.retained.put('one', 'a-b', message('a-b'), NOTHING);
    store.retained.put('one', 'a0', message('a0'), NOTHING);
    const cursor = store.retained.match('one', 'a/#', 0);
    expect((await cursor.read(2)).map(({ topicName }) => topicName)).toEqual(['a', 'a/000']);
    store.retained.put('one', 'a/001', message('a/001', { qos: 2 }), NOTHING);
    store.retained.put('one', 'a/003', null, NOTHING);
    store.retained.put('one', 'a/0000', message('a/0000'), NOTHING);
    expect((await cursor.read(2)).map(({ topicName }) => topicName)).toEqual(['a/002', 'a/004']);
    expect(await cursor.read(1_000)).toHaveLength(295);
    expect(await cursor.read(10)).toEqual([]);
    expect(await store.retained.match('one', 'a/#', 0).read(1_000)).toHaveLength(301);
  });

  it('goes on behind a page of names that do not match, and does not hold up other commits meanwhile', async () => {
    for (let at = 0; at < 12_000; at++) {
      const topicName = `device/${at}/${at % 4_000 === 3_999 ? 'wanted' : 'other'}`;
      store.retained.put('one', topicName, message(topicName), NOTHING);
    }
    const found = await all('one', '+/+/wanted');
    expect(found.map(({ topicName }) => topicName)).toEqual([
      'device/11999/wanted',
      'device/3999/wanted',
      'device/7999/wanted',
    ]);
    expect(store.retained.statistics().messages).toBe(12_000);
  });

  it('answers at once for a space that has never had one, also after a restart, and sees what is not committed', async () => {
    const page = () => store.retained.match('two', '#', 0).read(10);
    expect(page()).toEqual([]);
    store.retained.put('two', 't', message('t'), NOTHING);
    expect(page()).toBeInstanceOf(Promise);
    expect(await all('two')).toHaveLength(1);
    await store.close();
    await open();
    expect(await all('two')).toHaveLength(1);
    expect(store.retained.match('one', '#', 0).read(10)).toEqual([]);
  });

  it('removes many expired messages in slices', async () => {
    for (let at = 0; at < 3_500; at++) {
      const topicName = `t/${at}`;
      store.retained.put('one', topicName, message(topicName, { expiresAt: 1_000 + (at % 2) }), NOTHING);
    }
    store.retained.expire(1_000);
    for (let turn = 0; turn < 100_000 && store.retained.statistics().messages !== 1_750; turn++)
      await all('one', 'none');
    expect(store.retained.statistics().messages).toBe(1_750);
    store.retained.expire(1_001);
    for (let turn = 0; turn < 100_000 && store.retained.statistics().messages > 0; turn++) await all('one', 'none');
    expect(store.retained.statistics()).toEqual({ messages: 0, bytes: 0 });
  });

  it('does what the memory store does, over random changes, closings and crashes', async () => {
    const random = seededRandom(Number(process.env.PROPERTY_SEED) || 21);
    const any = (below: number) => Math.floor(random() * below);
    const memory = new MemoryRetainedStore();
    for (let step = 1; step <= 1_500; step++) {
      const space = SPACES[any(2)] ?? '';
      const topicName = [['a', 'b', 'ü'][any(3)], ['x', '', '\u{1f600}'][any(3)], 'z'].slice(0, 1 + any(3)).join('/');
      const expiresAt = any(4) === 0 ? step + any(200) : Number.POSITIVE_INFINITY;
      const one = any(3) === 0 ? null : message(topicName, { payload: new Uint8Array(1 + any(99)), expiresAt });
      memory.put(space, topicName, one, { release() {} });
      store.retained.put(space, topicName, one, { release() {} });
      if (any(50) === 0) {
        memory.expire(step);
        store.retained.expire(step);
      }
      if (step % 300 === 0) {
        await store.drained();
        await store[step % 600 === 0 ? 'close' : 'terminate']();
        await open();
      }
      if (step % 100 > 0) continue;
      for (const name of SPACES) {
        for (const filter of ['#', 'a/#', '+/x', '+', 'ü/\u{1f600}/z', 'a/+/z', 'ü/+', 'b//#']) {
          expect(await all(name, filter, step)).toEqual(await memory.match(name, filter, step).read(10_000));
          const after = ['a', 'a/x', 'b//z', 'ü/\u{1f600}'][any(4)] ?? '';
          expect(await store.retained.match(name, filter, step, after).read(10_000)).toEqual(
            await memory.match(name, filter, step, after).read(10_000),
          );
        }
      }
      expect(store.retained.statistics()).toEqual(memory.statistics());
    }
  });
});
