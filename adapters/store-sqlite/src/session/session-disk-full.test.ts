import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message, SessionClaim, SessionRecord, StoreCompletion, StoreOutcome } from '@moorage/mqtt-broker';
import { seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk, unmountSmallDisk } from '../testing/small-disk.ts';
import { SqliteSessionStore } from './sqlite-session-store.ts';

const MIB = 1_048_576;
const BALLAST = 3 * MIB;
const QUEUE = { messages: 1_000_000, bytes: 1e12, ageMs: 1e12 };

function record(key: string): SessionRecord {
  return { key, space: 's', clientId: key, expiryInterval: 60, queue: QUEUE, will: null };
}

function message(payload: Uint8Array, topicName = 't'): Message {
  return { topicName, payload, qos: 1, retain: false, properties: null, expiresAt: Number.POSITIVE_INFINITY };
}

describe('a full disk, for the session store', () => {
  let directory = '';
  let store: SqliteSessionStore;
  let states: string[] = [];
  let claim: SessionClaim;
  let sequence = 0;
  const random = seededRandom(5);
  const payloads = new Map<number, Uint8Array>();
  const ballast = () => statSync(join(directory, 'session.ballast'), { throwIfNoEntry: false })?.size;

  const open = async (maxBytes?: number) => {
    store = await SqliteSessionStore.open({
      directory,
      installationId: 'full',
      now: () => 0,
      ballastBytes: BALLAST,
      probeIntervalMs: 0,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      onStateChange: (state) => states.push(state),
    });
    await store.retained.load();
    return store.load();
  };
  const outcome = (change: (done: StoreCompletion) => void) =>
    new Promise<StoreOutcome>((resolve) => change({ release: resolve }));
  /** A message of 60 KB that does not compress. */
  const one = async () => {
    const number = ++sequence;
    const payload = Uint8Array.from({ length: 60_000 }, () => random() * 256);
    const own = { claim, sequence: number, qos: 1, retain: false, packetIdentifier: 0, completion: null } as const;
    const result = await outcome((done) =>
      store.enqueue(message(payload), [{ ...own, subscriptionIdentifiers: null }], done),
    );
    if (result === 'stored') payloads.set(number, payload);
    return result;
  };
  const untilFull = async () => {
    let result: StoreOutcome = 'stored';
    for (let turn = 0; turn < 1_000 && result === 'stored'; turn++) result = await one();
    return result;
  };
  const expectAll = async () => {
    const found = await store.read(claim, 0, 10_000);
    expect(found.map((delivery) => delivery.sequence)).toEqual([...payloads.keys()]);
    for (const { sequence: number, message: found1 } of found) {
      expect(Buffer.compare(found1.payload, payloads.get(number) ?? new Uint8Array(0))).toBe(0);
    }
  };
  const settleHalf = () => {
    for (const [at, number] of [...payloads.keys()].entries()) {
      if (at % 2 === 1) continue;
      store.settle(claim, number);
      payloads.delete(number);
    }
  };

  beforeEach(() => {
    states = [];
    sequence = 0;
    payloads.clear();
  });

  describe('of 24 MiB', () => {
    beforeEach(async () => {
      directory = mountSmallDisk();
      await open();
      for (let turn = 0; turn < 100_000 && ballast() !== BALLAST; turn++) await store.load();
      await outcome((done) => {
        claim = store.claim(record('a'), false, done);
      });
      await outcome((done) => store.retained.put('s', 'kept', message(new Uint8Array([1]), 'kept'), done));
      await outcome((done) => store.retained.put('s', 'removed', message(new Uint8Array([2]), 'removed'), done));
    });
    afterEach(async () => {
      await store.terminate();
      unmountSmallDisk(directory);
    });

    it('F3 refuses what grows, still settles and reads, and recovers by itself when another file makes room', async () => {
      const other = join(directory, 'other');
      writeFileSync(other, Buffer.alloc(14 * MIB, 1));
      expect(await untilFull()).toBe('full');
      expect(states).toEqual(['full']);
      expect(ballast()).toBeUndefined();
      await expectAll();
      // What grows: a Session, a subscription, a held identifier, a Retained Message, which is taken back.
      let refused: SessionClaim = claim;
      expect(
        await outcome((done) => {
          refused = store.claim(record('new'), false, done);
        }),
      ).toBe('full');
      expect(store.statistics().sessions).toBe(1);
      expect(await store.read(refused, 0, 1)).toEqual([]);
      const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      const added = [{ topicFilter: 'f', options, grantedQoS: 1, subscriptionIdentifier: 0, enter: ['f'] }] as const;
      expect(await outcome((done) => store.saveSubscriptions(claim, added, [], done))).toBe('full');
      expect(await outcome((done) => store.holdIncoming(claim, 1, done))).toBe('full');
      const newer = message(new Uint8Array([3]), 'kept');
      expect(await outcome((done) => store.retained.put('s', 'kept', newer, done))).toBe('full');
      expect(await store.retained.match('s', 'kept', 0).read(9)).toMatchObject([{ payload: new Uint8Array([1]) }]);
      // What does not: settling, states of messages in flight, the end of a connection, removal.
      settleHalf();
      const inFlight = [...payloads.keys()][0] ?? 0;
      expect(await outcome((done) => store.assign(claim, inFlight, 7, done))).toBe('stored');
      expect(await outcome((done) => store.markReceived(claim, inFlight, done))).toBe('stored');
      expect(await outcome((done) => store.releaseIncoming(claim, 1, done))).toBe('stored');
      expect(await outcome((done) => store.retained.put('s', 'removed', null, done))).toBe('stored');
      const state = { expiryInterval: 9, will: null, disconnectedAt: 5 };
      expect(await outcome((done) => store.disconnected(claim, state, done))).toBe('stored');
      expect(await outcome((done) => store.claim(record('a'), false, done))).toBe('stored');
      rmSync(other);
      expect(await one()).toBe('stored');
      expect(states).toEqual(['full', 'ok']);
      expect(ballast()).toBe(BALLAST);
      await store.terminate();
      const [restored, ...more] = await open();
      expect(more).toEqual([]);
      expect(restored).toMatchObject({ record: record('a'), queuedMessages: payloads.size, lastPacketIdentifier: 7 });
      claim = restored?.claim ?? claim;
      expect((await store.flights(claim)).outgoing).toMatchObject([{ sequence: inFlight, received: true }]);
      payloads.delete(inFlight);
      await expectAll();
      expect(await store.retained.match('s', '#', 0).read(9)).toMatchObject([{ topicName: 'kept' }]);
    });

    it('F3 refuses only what grows of a round that also settles, in the order of the calls', async () => {
      writeFileSync(join(directory, 'other'), Buffer.alloc(14 * MIB, 1));
      expect(await untilFull()).toBe('full');
      const outcomes: string[] = [];
      const note = (name: string): StoreCompletion => ({ release: (result) => outcomes.push(`${name} ${result}`) });
      const own = { claim, qos: 1, retain: false, packetIdentifier: 0, subscriptionIdentifiers: null } as const;
      const first = [...payloads.keys()][0] ?? 0;
      store.assign(claim, first, 3, note('assign'));
      const target = { ...own, sequence: ++sequence, completion: note('target') };
      store.enqueue(message(new Uint8Array(60_000)), [target], note('enqueue'));
      store.markReceived(claim, first, note('received'));
      store.holdIncoming(claim, 5, note('hold'));
      store.releaseIncoming(claim, 5, note('release'));
      await store.drained();
      expect(outcomes).toEqual([
        'assign stored',
        'target full',
        'enqueue full',
        'received stored',
        'hold full',
        'release stored',
      ]);
      payloads.delete(first);
      await expectAll();
    });

    it('F3 recovers when its own queues shrink, and loses none of what was not settled', async () => {
      writeFileSync(join(directory, 'other'), Buffer.alloc(6 * MIB, 1));
      for (let cycle = 0; cycle < 2; cycle++) {
        expect(await untilFull()).toBe('full');
        settleHalf();
        await store.drained();
        expect(await one()).toBe('stored');
        expect(states.at(-1)).toBe('ok');
        await expectAll();
      }
    });
  });

  it('F3 treats the largest allowed file size like a full disk', async () => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-full-'));
    await open(4 * MIB);
    await outcome((done) => {
      claim = store.claim(record('a'), false, done);
    });
    expect(await untilFull()).toBe('full');
    await expectAll();
    settleHalf();
    await store.drained();
    expect(await one()).toBe('stored');
    await expectAll();
    await store.terminate();
    rmSync(directory, { recursive: true });
  });
});
