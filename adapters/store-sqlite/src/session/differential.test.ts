import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MemorySessionStore,
  type SessionClaim,
  type SessionRecord,
  type SessionStore,
  type StoreCompletion,
  type StoredDelivery,
} from '@moorage/mqtt-broker';
import { seededRandom } from '@moorage/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSessionStore } from './sqlite-session-store.ts';

type Message = Parameters<SessionStore['enqueue']>[0];

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const STEPS = 4_000;
const START = 1_700_000_000_000;

interface Pair {
  readonly memory: SessionClaim;
  readonly disk: SessionClaim;
  sequence: number;
}

function plain(deliveries: readonly StoredDelivery[]) {
  return deliveries.map(({ sequence, message, qos, retain, subscriptionIdentifiers, packetIdentifier, ...rest }) => {
    const { received, shared = null } = rest;
    return { sequence, message, qos, retain, subscriptionIdentifiers, packetIdentifier, received, shared };
  });
}

describe('SqliteSessionStore', () => {
  let directory = '';
  let disk: SqliteSessionStore;
  let now = START;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moorage-differential-'));
  });
  afterEach(async () => {
    await disk.terminate();
    rmSync(directory, { recursive: true });
  });

  it('does what the memory store does, over random operations, closings and crashes', { timeout: 30_000 }, async () => {
    const random = seededRandom(Number(process.env.PROPERTY_SEED) || 11);
    const any = (below: number) => Math.floor(random() * below);
    const pick = <T>(list: readonly T[]): T => list[any(list.length)] as T;
    const memory = new MemorySessionStore(() => now);
    const dropped = { memory: [] as string[], disk: [] as string[] };
    const owed = { memory: [] as string[], disk: [] as string[] };
    let pairs = new Map<string, Pair>();
    const stale: Pair[] = [];
    let completions = 0;

    const openDisk = async () => {
      disk = await SqliteSessionStore.open({ directory, installationId: 'x', now: () => now, ballastBytes: 0 });
      disk.observe({ dropped: (claim, sequence, reason) => dropped.disk.push(`${claim.key} ${sequence} ${reason}`) });
    };
    memory.observe({ dropped: (claim, sequence, reason) => dropped.memory.push(`${claim.key} ${sequence} ${reason}`) });
    await openDisk();

    /** The same call on both, each with a completion of its own that notes its outcome in order. */
    const both = (call: (store: SessionStore, which: 'memory' | 'disk', done: () => StoreCompletion) => void) => {
      const number = completions++;
      for (const which of ['memory', 'disk'] as const) {
        let inner = 0;
        call(which === 'memory' ? memory : disk, which, () => {
          const name = `${number}.${inner++}`;
          return { release: (outcome) => owed[which].push(`${name} ${outcome}`) };
        });
      }
    };
    const will = () => {
      const payload = Uint8Array.from([any(256)]);
      return any(2) === 0
        ? null
        : ({ topicName: 'will', payload, qos: 1, retain: true, properties: { willDelayInterval: any(9) } } as const);
    };
    const message = (): Message => {
      const userProperties = Array.from({ length: any(4) }, () => [pick(KEYS), String(any(3))] as const);
      return {
        topicName: pick(['t', 'ä/b', 'long/topic/name']),
        payload: new Uint8Array(any(300)).fill(any(256)),
        qos: any(2) === 0 ? 1 : 2,
        retain: any(4) === 0,
        properties:
          any(2) === 0 ? null : { contentType: 'x', ...(userProperties.length > 0 ? { userProperties } : {}) },
        expiresAt: any(4) === 0 ? now + any(20_000) : Number.POSITIVE_INFINITY,
      };
    };
    const claim = (key: string, cleanStart: boolean) => {
      const queue = { messages: 3 + any(12), bytes: 2_000 + any(4_000), ageMs: 5_000 + any(20_000) };
      const space = any(5) === 0 ? null : 'space';
      const record: SessionRecord = {
        key,
        space,
        clientId: `client ${any(3)}`,
        expiryInterval: any(2) === 0 ? 4_294_967_295 : any(1_000),
        queue,
        will: will(),
      };
      const claims: SessionClaim[] = [];
      both((store, _which, done) => claims.push(store.claim(record, cleanStart, done())));
      const [first, second] = claims;
      const older = pairs.get(key);
      if (first === undefined || second === undefined) return;
      if (older !== undefined && older.memory !== first) stale.push(older);
      const sequence = cleanStart ? 0 : (older?.sequence ?? 0);
      pairs.set(key, { memory: first, disk: second, sequence });
    };
    const step = () => {
      now += any(40);
      const key = pick(KEYS);
      const known = any(60) === 0 && stale.length > 0 ? pick(stale) : pairs.get(key);
      if (known === undefined) return claim(key, any(2) === 0);
      const near = Math.max(1, known.sequence - any(14));
      const identifier = 1 + any(5);
      switch (any(25)) {
        case 0:
          return any(3) === 0 ? claim(key, any(3) === 0) : undefined;
        case 1: {
          const state = { expiryInterval: any(500), will: will(), disconnectedAt: now };
          return both((store, which, done) => store.disconnected(known[which], state, done()));
        }
        case 2:
          return both((store, which, done) => store.removeWill(known[which], done()));
        case 3: {
          if (any(6) > 0) return;
          both((store, which, done) => store.remove(known[which], any(1) === 0 ? done() : null));
          if (pairs.get(known.memory.key) === known) pairs.delete(known.memory.key);
          return;
        }
        case 4: {
          const options = { qos: 1, noLocal: any(2) === 0, retainAsPublished: true, retainHandling: 2 } as const;
          const topicFilter = pick(['x', 'y/#', '$share/g/z']);
          const enter = pick([[topicFilter], [], ['p', 'q']]);
          const one = { topicFilter, options, grantedQoS: 2, subscriptionIdentifier: any(300), enter } as const;
          const removed = any(2) === 0 ? [pick(['x', 'y/#'])] : [];
          return both((store, which, done) => store.saveSubscriptions(known[which], [one], removed, done()));
        }
        case 5:
          return both((store, which, done) => store.holdIncoming(known[which], identifier, done()));
        case 6:
          return both((store, which, done) => store.releaseIncoming(known[which], identifier, done()));
        case 7:
          if (any(4) > 0) return;
          memory.expire(now);
          return disk.expire(now);
        case 8:
        case 9:
          return both((store, which, done) => store.assign(known[which], near, identifier, done()));
        case 10:
          return both((store, which, done) => store.markReceived(known[which], near, done()));
        case 11:
        case 12:
        case 13:
        case 14:
          memory.settle(known.memory, near);
          return disk.settle(known.disk, near);
        case 15: {
          const to = pairs.get(pick(KEYS));
          if (to === undefined || to === known) return;
          const rest = { qos: 1, retain: any(2) === 0, subscriptionIdentifiers: null, shared: '$share/g/z' } as const;
          const place = { sequence: ++to.sequence, packetIdentifier: 0, completion: null } as const;
          return both((store, which) => store.move(known[which], near, { ...place, ...rest, claim: to[which] }));
        }
        default: {
          const sent = message();
          const chosen = [...pairs.values()].filter(() => any(2) === 0);
          const shares = chosen.map((pair) => {
            const packetIdentifier = any(5) === 0 ? identifier : 0;
            const subscriptionIdentifiers = any(3) === 0 ? [any(1_000), 268_435_455] : null;
            const shared = any(5) === 0 ? '$share/g/z' : null;
            const qos = sent.qos === 2 ? 2 : 1;
            const own = { sequence: ++pair.sequence, qos, retain: any(2) === 0, packetIdentifier } as const;
            return { pair, share: { ...own, subscriptionIdentifiers, shared }, told: any(2) === 0 };
          });
          return both((store, which, done) => {
            const targets = shares.map(({ pair, share, told }) => {
              return { ...share, claim: pair[which], completion: told ? done() : null };
            });
            store.enqueue(sent, targets, done());
          });
        }
      }
    };
    const compare = async () => {
      for (const pair of pairs.values()) {
        const after = Math.max(0, pair.sequence - any(10));
        for (const [from, limit] of [
          [0, 100],
          [after, 3],
        ] as const) {
          expect(plain(await disk.read(pair.disk, from, limit))).toEqual(
            plain(await memory.read(pair.memory, from, limit)),
          );
        }
        const flights = { disk: await disk.flights(pair.disk), memory: await memory.flights(pair.memory) };
        expect(plain(flights.disk.outgoing)).toEqual(plain(flights.memory.outgoing));
        expect([...flights.disk.incoming].sort()).toEqual([...flights.memory.incoming].sort());
      }
      expect(disk.statistics()).toEqual(memory.statistics());
      expect(owed.disk).toEqual(owed.memory);
      expect(dropped.disk.sort()).toEqual(dropped.memory.sort());
    };
    const restart = async (end: 'close' | 'terminate') => {
      await disk.drained();
      await disk[end]();
      await openDisk();
      const byKey = (one: { record: SessionRecord }, other: { record: SessionRecord }) =>
        one.record.key < other.record.key ? -1 : 1;
      const restored = [...(await disk.load())].sort(byKey);
      const expected = [...(await memory.load())].sort(byKey);
      const comparable = (list: typeof restored) =>
        list.map(({ claim: _claim, subscriptions, ...rest }) => {
          const sorted = [...subscriptions].sort((one, other) => (one.topicFilter < other.topicFilter ? -1 : 1));
          return { ...rest, subscriptions: sorted };
        });
      expect(comparable(restored)).toEqual(comparable(expected));
      pairs = new Map(
        expected.map(({ claim: one, record, lastSequence }, at) => {
          const other = restored[at]?.claim ?? one;
          return [record.key, { memory: one, disk: other, sequence: lastSequence }];
        }),
      );
      stale.length = 0;
    };

    for (let at = 1; at <= STEPS; at++) {
      step();
      if (any(20) === 0) await disk.drained();
      if (at % 100 === 0) await compare();
      if (at % 800 === 0) {
        await restart(at % 1_600 === 0 ? 'terminate' : 'close');
        await compare();
      }
    }
    expect(dropped.memory.length).toBeGreaterThan(50);
  });
});
