import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Message, QueueTarget, SessionClaim, StoreOutcome } from '@moorage/mqtt-broker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SessionStoreOptions, SqliteSessionStore } from './sqlite-session-store.ts';

const IGNORED = { release(): void {} };

function message(text: string): Message {
  const payload = new TextEncoder().encode(text);
  return { topicName: 't', payload, qos: 1, retain: false, properties: null, expiresAt: Number.POSITIVE_INFINITY };
}

function target(claim: SessionClaim, sequence: number): QueueTarget {
  const own = { claim, sequence, qos: 1, retain: false, packetIdentifier: 0, completion: null } as const;
  return { ...own, subscriptionIdentifiers: null };
}

describe('the life of a session store', () => {
  let directory = '';
  let store: SqliteSessionStore;
  const commits: number[] = [];
  const open = async (more: Partial<SessionStoreOptions> = {}) => {
    commits.length = 0;
    const onCommit = (_elapsedMs: number, operations: number) => commits.push(operations);
    const options = { directory, installationId: 'x', now: () => 0, ballastBytes: 0, onCommit, ...more };
    store = await SqliteSessionStore.open(options);
    return store.load();
  };
  const claim = (key: string, cleanStart = false) => {
    const queue = { messages: 100_000, bytes: 1e9, ageMs: 1e9 };
    const record = { key, space: 's', clientId: key, expiryInterval: 60, queue, will: null };
    return store.claim(record, cleanStart, IGNORED);
  };
  const rowsOf = (table: string) => {
    const database = new DatabaseSync(join(directory, 'session.sqlite'), { readOnly: true });
    const count = Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
    database.close();
    return count;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-life-'));
  });
  afterEach(async () => {
    await store.terminate();
    rmSync(directory, { recursive: true });
  });

  it('answers everything handed in before a close, and leaves an empty WAL and files for the owner only', async () => {
    await open();
    const outcomes: StoreOutcome[] = [];
    const one = claim('a');
    for (let sequence = 1; sequence <= 500; sequence++) {
      store.enqueue(message('x'), [target(one, sequence)], { release: (outcome) => outcomes.push(outcome) });
    }
    await store.close();
    expect(outcomes).toHaveLength(500);
    expect(new Set(outcomes)).toEqual(new Set(['stored']));
    const wal = join(directory, 'session.sqlite-wal');
    expect(existsSync(wal) ? statSync(wal).size : 0).toBe(0);
    expect(statSync(join(directory, 'session.sqlite')).mode & 0o777).toBe(0o600);
    const [restored] = await open();
    expect(restored).toMatchObject({ queuedMessages: 500 });
    expect(await store.read(restored?.claim ?? one, 0, Number.MAX_SAFE_INTEGER)).toHaveLength(500);
  });

  it('commits everything of one turn together, and what arrives meanwhile in one more commit', async () => {
    await open();
    commits.length = 0;
    const one = claim('a');
    for (let sequence = 1; sequence <= 20; sequence++) store.enqueue(message('x'), [target(one, sequence)], IGNORED);
    await new Promise(setImmediate);
    for (let sequence = 21; sequence <= 40; sequence++) store.enqueue(message('x'), [target(one, sequence)], IGNORED);
    await new Promise(setImmediate);
    for (let sequence = 41; sequence <= 60; sequence++) store.enqueue(message('x'), [target(one, sequence)], IGNORED);
    await store.drained();
    expect(commits[0]).toBe(1 + 20 * 2);
    expect(commits.length).toBeLessThanOrEqual(3);
    expect(commits.reduce((sum, operations) => sum + operations, 0)).toBe(1 + 60 * 2);
  });

  it('lets a read see what was called before it, and nothing that was called behind it', async () => {
    await open();
    const one = claim('a');
    store.enqueue(message('1'), [target(one, 1)], IGNORED);
    store.holdIncoming(one, 5, IGNORED);
    const before = store.read(one, 0, 10);
    const flights = store.flights(one);
    store.assign(one, 1, 3, IGNORED);
    store.enqueue(message('2'), [target(one, 2)], IGNORED);
    const between = store.read(one, 0, 10);
    store.remove(one, null);
    const again = claim('a');
    expect((await before).map(({ sequence }) => sequence)).toEqual([1]);
    expect(await flights).toEqual({ outgoing: [], incoming: [5] });
    expect((await between).map(({ sequence }) => sequence)).toEqual([2]);
    expect(await store.read(again, 0, 10)).toEqual([]);
    expect(await store.read(one, 0, 10)).toEqual([]);
  });

  it('answers failed when the thread is gone, and reads reject', async () => {
    const states: string[] = [];
    await open({ onStateChange: (state) => states.push(state) });
    const one = claim('a');
    await store.drained();
    const outcomes: StoreOutcome[] = [];
    const note = { release: (outcome: StoreOutcome) => outcomes.push(outcome) };
    store.enqueue(message('x'), [{ ...target(one, 1), completion: note }], note);
    const page = store.read(one, 0, 1).then(
      () => 'read',
      (error: { code: string }) => error.code,
    );
    await store.terminate();
    expect(await page).toBe('worker-stopped');
    expect(outcomes).toEqual(['failed', 'failed']);
    store.holdIncoming(one, 1, note);
    store.claim(
      {
        key: 'b',
        space: null,
        clientId: 'b',
        expiryInterval: 1,
        queue: { messages: 1, bytes: 1, ageMs: 1 },
        will: null,
      },
      false,
      note,
    );
    expect(outcomes.slice(2)).toEqual(['failed', 'failed']);
    await expect(store.flights(one)).rejects.toMatchObject({ code: 'worker-stopped' });
    await expect(store.load()).rejects.toMatchObject({ code: 'worker-stopped' });
    await store.close();
    expect(states).toEqual([]);
  });

  it('keeps a message once for all Sessions, until the last of them has finished it', async () => {
    await open();
    const claims = ['a', 'b', 'c'].map((key) => claim(key));
    store.enqueue(
      message('shared'),
      claims.map((one) => target(one, 1)),
      IGNORED,
    );
    await store.drained();
    expect([rowsOf('message'), rowsOf('share'), rowsOf('queue')]).toEqual([1, 1, 3]);
    store.settle(claims[0] ?? claim('a'), 1);
    store.remove(claims[1] ?? claim('b'), null);
    await store.drained();
    expect([rowsOf('message'), rowsOf('share'), rowsOf('queue')]).toEqual([1, 1, 1]);
    await store.terminate();
    await open();
    claim('c', true);
    await store.drained();
    expect([rowsOf('message'), rowsOf('share'), rowsOf('queue'), rowsOf('tally')]).toEqual([0, 0, 0, 2]);
  });

  it('empties a long queue of an ended Session in slices, going on after a crash, and does not show it again', async () => {
    await open();
    const both = [claim('a'), claim('b')];
    for (let sequence = 1; sequence <= 5_000; sequence++) {
      const targets =
        sequence <= 10
          ? both.map((one) => target(one, sequence))
          : both.slice(0, 1).map((one) => target(one, sequence));
      store.enqueue(message(String(sequence)), targets, IGNORED);
    }
    await store.drained();
    const removed = new Promise((resolve) => store.remove(both[0] ?? claim('a'), { release: resolve }));
    await removed;
    expect(store.statistics()).toMatchObject({ sessions: 1, messages: 10 });
    await store.terminate();
    expect(await open()).toMatchObject([{ record: { key: 'b' }, queuedMessages: 10 }]);
    for (let turn = 0; turn < 100_000 && rowsOf('doomed') > 0; turn++) await store.load();
    expect([rowsOf('doomed'), rowsOf('queue'), rowsOf('message')]).toEqual([0, 10, 10]);
    const again = claim('a');
    expect(await store.read(again, 0, 10)).toEqual([]);
  });

  it('answers failed for a commit that fails, as if it had not been, and goes on with the next one', async () => {
    const states: string[] = [];
    await open({ onStateChange: (state) => states.push(state) });
    const one = claim('a');
    store.enqueue(message('kept'), [target(one, 1)], IGNORED);
    await store.drained();
    const database = new DatabaseSync(join(directory, 'session.sqlite'));
    database.exec('ALTER TABLE incoming RENAME TO elsewhere');
    const outcomes: string[] = [];
    const note = (name: string) => ({ release: (outcome: StoreOutcome) => outcomes.push(`${name} ${outcome}`) });
    store.settle(one, 1);
    const other = claim('b');
    store.enqueue(message('lost'), [target(one, 2), target(other, 1)], note('enqueue'));
    store.holdIncoming(one, 7, note('hold'));
    const page = await store.read(one, 0, 10);
    expect(page.map(({ sequence }) => sequence)).toEqual([1]);
    expect(outcomes).toEqual(['enqueue failed', 'hold failed']);
    expect(store.statistics()).toMatchObject({ sessions: 1, messages: 1 });
    database.exec('ALTER TABLE elsewhere RENAME TO incoming');
    database.close();
    store.settle(one, 1);
    store.enqueue(message('next'), [target(one, 3)], note('next'));
    await store.drained();
    expect(outcomes.slice(2)).toEqual(['next stored']);
    expect(states).toEqual(['failed', 'ok']);
    expect(await store.read(one, 0, 10)).toMatchObject([{ sequence: 3 }]);
    expect([rowsOf('message'), rowsOf('share'), rowsOf('session')]).toEqual([1, 0, 1]);
  });

  it('holds back the room for the ballast in the background, readable by the owner only', async () => {
    await open({ ballastBytes: 2 * 1_048_576 });
    const ballast = join(directory, 'session.ballast');
    for (let turn = 0; turn < 100_000 && statSync(ballast, { throwIfNoEntry: false })?.size !== 2 * 1_048_576; turn++) {
      await store.load();
    }
    expect(statSync(ballast).size).toBe(2 * 1_048_576);
    expect(statSync(ballast).mode & 0o777).toBe(0o600);
  });
});
