import type {
  QueueTarget,
  SessionClaim,
  SessionRecord,
  SessionStore,
  StoreCompletion,
  StoredDelivery,
  StoredSubscription,
  StoreOutcome,
} from '@moorage/mqtt-broker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

type Message = Parameters<SessionStore['enqueue']>[0];

/** Makes stores for the contract suite. */
export interface SessionStoreFactory {
  /** Opens an empty store whose wall clock is `now`. */
  open(now: () => number): Promise<SessionStore>;
  /** Opens again what the last `open` or `reopen` made, as after a restart of the server. */
  reopen(now: () => number): Promise<SessionStore>;
  /** Ends what is open and removes its files. */
  close(): Promise<void>;
}

const NOW = 1_700_000_000_000;
const OPTIONS = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

function record(key: string, queue: Partial<SessionRecord['queue']> = {}): SessionRecord {
  return {
    key,
    space: 'space',
    clientId: `client ${key}`,
    expiryInterval: 3_600,
    queue: { messages: 1_000, bytes: 10_000_000, ageMs: 86_400_000, ...queue },
    will: null,
  };
}

function message(text: string, more: Partial<Message> = {}): Message {
  return {
    topicName: 't',
    payload: new TextEncoder().encode(text),
    qos: 1,
    retain: false,
    properties: null,
    expiresAt: Number.POSITIVE_INFINITY,
    ...more,
  };
}

function subscription(topicFilter: string): StoredSubscription {
  return { topicFilter, options: OPTIONS, grantedQoS: 1, subscriptionIdentifier: 7, enter: [topicFilter] };
}

function texts(deliveries: readonly StoredDelivery[]): string[] {
  return deliveries.map((delivery) => new TextDecoder().decode(delivery.message.payload));
}

/** A completion, and the promise of its outcome; a second outcome fails the test. */
function completion(): { readonly completion: StoreCompletion; readonly outcome: Promise<StoreOutcome> } {
  let tell: (outcome: StoreOutcome) => void = () => {};
  const outcome = new Promise<StoreOutcome>((resolve) => {
    tell = resolve;
  });
  let times = 0;
  return {
    completion: {
      release(result) {
        times++;
        expect(times).toBe(1);
        tell(result);
      },
    },
    outcome,
  };
}

/** The contract of `SessionStore`; every implementation runs it. */
export function describeSessionStore(name: string, factory: SessionStoreFactory): void {
  describe(`SessionStore: ${name}`, () => {
    let store: SessionStore;
    let now: number;
    const dropped: string[] = [];

    const watch = () =>
      store.observe({ dropped: (claim, sequence, reason) => dropped.push(`${claim.key} ${sequence} ${reason}`) });

    beforeEach(async () => {
      now = NOW;
      dropped.length = 0;
      store = await factory.open(() => now);
      watch();
    });

    afterEach(() => factory.close());

    async function reopen() {
      store = await factory.reopen(() => now);
      watch();
      return store.load();
    }

    async function stored(change: (done: StoreCompletion) => void): Promise<void> {
      const { completion: done, outcome } = completion();
      change(done);
      expect(await outcome).toBe('stored');
    }

    async function claimed(session: SessionRecord, cleanStart = false): Promise<SessionClaim> {
      const { completion: done, outcome } = completion();
      const claim = store.claim(session, cleanStart, done);
      expect(claim.key).toBe(session.key);
      expect(await outcome).toBe('stored');
      return claim;
    }

    function target(claim: SessionClaim, sequence: number, more: Partial<QueueTarget> = {}): QueueTarget {
      return {
        claim,
        sequence,
        qos: 1,
        retain: false,
        subscriptionIdentifiers: null,
        packetIdentifier: 0,
        completion: null,
        ...more,
      };
    }

    async function enqueued(claim: SessionClaim, ...sequences: number[]): Promise<void> {
      for (const sequence of sequences) {
        await stored((done) => store.enqueue(message(String(sequence)), [target(claim, sequence)], done));
      }
    }

    it('gives queued messages in order and in pages, without those before', async () => {
      const claim = await claimed(record('a'));
      await enqueued(claim, 1, 2, 3, 4, 5);
      expect(texts(await store.read(claim, 0, 2))).toEqual(['1', '2']);
      expect(texts(await store.read(claim, 2, 10))).toEqual(['3', '4', '5']);
      expect(await store.read(claim, 5, 10)).toEqual([]);
    });

    it('keeps every field of a message, order and repetition of User Properties included [K-59]', async () => {
      const claim = await claimed(record('a'));
      const full = message('x', {
        topicName: 'a/ü/\u{1f600}',
        qos: 2,
        retain: true,
        expiresAt: NOW + 5_000,
        properties: {
          payloadFormatIndicator: 1,
          messageExpiryInterval: 5,
          contentType: 'c',
          responseTopic: 'r',
          correlationData: Uint8Array.from([0, 255]),
          userProperties: [
            ['b', '1'],
            ['a', '2'],
            ['b', '1'],
          ],
        },
      });
      const shared = '$share/g/+/ü';
      const wanted = target(claim, 1, { qos: 2, retain: true, subscriptionIdentifiers: [3, 3, 1], shared });
      await stored((done) => store.enqueue(full, [wanted], done));
      const expected = {
        sequence: 1,
        qos: 2,
        retain: true,
        subscriptionIdentifiers: [3, 3, 1],
        packetIdentifier: 0,
        received: false,
        shared,
      };
      expect(await store.read(claim, 0, 10)).toMatchObject([{ ...expected, message: full }]);
      await reopen();
      const again = await claimed(record('a'));
      expect(await store.read(again, 0, 10)).toMatchObject([{ ...expected, message: full }]);
    });

    it('stores one message for many Sessions, each with its own share', async () => {
      const claims = [await claimed(record('a')), await claimed(record('b')), await claimed(record('c'))];
      await stored((done) =>
        store.enqueue(
          message('x'),
          claims.map((claim, index) => target(claim, index + 1)),
          done,
        ),
      );
      for (const [index, claim] of claims.entries()) {
        expect(await store.read(claim, 0, 10)).toMatchObject([{ sequence: index + 1 }]);
      }
      store.settle(claims[0] as SessionClaim, 1);
      expect(await store.read(claims[0] as SessionClaim, 0, 10)).toEqual([]);
      expect(await store.read(claims[1] as SessionClaim, 0, 10)).toHaveLength(1);
    });

    it('tells what is in flight, in order, and does not read it again as queued', async () => {
      const claim = await claimed(record('a'));
      await enqueued(claim, 1, 2, 3);
      store.assign(claim, 1, 10, null);
      await stored((done) => store.assign(claim, 2, 11, done));
      await stored((done) => store.markReceived(claim, 2, done));
      const own = completion();
      const outer = completion();
      store.enqueue(
        message('4'),
        [target(claim, 4, { qos: 2, packetIdentifier: 12, completion: own.completion })],
        outer.completion,
      );
      expect(await Promise.all([own.outcome, outer.outcome])).toEqual(['stored', 'stored']);
      expect(texts(await store.read(claim, 0, 10))).toEqual(['3']);
      await stored((done) => store.holdIncoming(claim, 500, done));
      await stored((done) => store.holdIncoming(claim, 501, done));
      await stored((done) => store.releaseIncoming(claim, 500, done));
      const [restored] = await reopen();
      expect(restored).toMatchObject({ lastSequence: 4, lastPacketIdentifier: 12, queuedMessages: 4 });
      const { outgoing, incoming } = await store.flights((restored as { claim: SessionClaim }).claim);
      expect(outgoing).toMatchObject([
        { sequence: 1, packetIdentifier: 10, received: false },
        { sequence: 2, packetIdentifier: 11, received: true },
        { sequence: 4, packetIdentifier: 12, received: false },
      ]);
      expect(incoming).toEqual([501]);
    });

    it('forgets settled messages, also across a restart', async () => {
      const claim = await claimed(record('a'));
      await enqueued(claim, 1, 2);
      store.settle(claim, 1);
      await enqueued(claim, 3);
      await reopen();
      expect(texts(await store.read(await claimed(record('a')), 0, 10))).toEqual(['2', '3']);
    });

    it('restores Sessions with subscriptions, Will and the time of their disconnection [MQTT-4.1.0-1] [K-45]', async () => {
      const claim = await claimed(record('a'));
      await stored((done) =>
        store.saveSubscriptions(claim, [subscription('x'), subscription('$share/g/y'), subscription('z')], [], done),
      );
      await stored((done) => store.saveSubscriptions(claim, [{ ...subscription('x'), grantedQoS: 2 }], ['z'], done));
      const will = {
        topicName: 'w',
        payload: Uint8Array.from([1]),
        qos: 1,
        retain: true,
        properties: { willDelayInterval: 5 },
      } as const;
      await stored((done) => store.disconnected(claim, { expiryInterval: 60, will, disconnectedAt: NOW + 5 }, done));
      await claimed(record('connected'));
      const restored = [...(await reopen())].sort((one, other) => (one.record.key < other.record.key ? -1 : 1));
      expect(restored).toHaveLength(2);
      expect(restored[0]).toMatchObject({
        record: { ...record('a'), expiryInterval: 60, will },
        disconnectedAt: NOW + 5,
      });
      expect(
        [...(restored[0]?.subscriptions ?? [])].sort((one, other) => (one.topicFilter < other.topicFilter ? -1 : 1)),
      ).toEqual([subscription('$share/g/y'), { ...subscription('x'), grantedQoS: 2 }]);
      expect(restored[1]).toMatchObject({ record: record('connected'), disconnectedAt: null });
    });

    it('drops a Will that was published', async () => {
      const will = { topicName: 'w', payload: Uint8Array.from([1]), qos: 0, retain: false, properties: null } as const;
      const claim = await claimed({ ...record('a'), will });
      await stored((done) => store.disconnected(claim, { expiryInterval: 60, will, disconnectedAt: NOW }, done));
      await stored((done) => store.removeWill(claim, done));
      expect(await reopen()).toMatchObject([{ record: { will: null }, disconnectedAt: NOW }]);
    });

    it('takes a Session over with everything in it, and begins anew with Clean Start [MQTT-3.1.2-4] [MQTT-3.1.2-5] [K-43]', async () => {
      const claim = await claimed(record('a'));
      await stored((done) => store.saveSubscriptions(claim, [subscription('x')], [], done));
      await enqueued(claim, 1);
      await stored((done) => store.holdIncoming(claim, 9, done));
      const second = await claimed(record('a'));
      expect(await store.read(second, 0, 10)).toHaveLength(1);
      const third = await claimed(record('a'), true);
      expect(await store.read(third, 0, 10)).toEqual([]);
      const [restored, ...more] = await reopen();
      expect(more).toEqual([]);
      expect(restored).toMatchObject({ subscriptions: [], queuedMessages: 0 });
      expect((await store.flights((restored as { claim: SessionClaim }).claim)).incoming).toEqual([]);
    });

    it('removes a Session for good [MQTT-4.1.0-2]', async () => {
      const claim = await claimed(record('a'));
      await enqueued(claim, 1);
      await stored((done) => store.remove(claim, done));
      expect(await reopen()).toEqual([]);
      expect(store.statistics()).toMatchObject({ sessions: 0, messages: 0, bytes: 0 });
    });

    it('drops the oldest message that is not in flight when a queue is over its limits, and says so [O-11]', async () => {
      const claim = await claimed(record('a', { messages: 3 }));
      await enqueued(claim, 1, 2, 3);
      await stored((done) => store.assign(claim, 1, 1, done));
      await enqueued(claim, 4, 5);
      expect(texts(await store.read(claim, 0, 10))).toEqual(['4', '5']);
      expect(dropped).toEqual(['a 2 limit', 'a 3 limit']);
    });

    it('drops what is too old or has expired, but nothing in flight', async () => {
      const claim = await claimed(record('a', { ageMs: 10_000 }));
      await enqueued(claim, 1, 2);
      await stored((done) => store.assign(claim, 1, 1, done));
      now += 5_000;
      await stored((done) => store.enqueue(message('3', { expiresAt: NOW + 8_000 }), [target(claim, 3)], done));
      await enqueued(claim, 4);
      now += 5_000;
      store.expire(now);
      expect(texts(await store.read(claim, 0, 10))).toEqual(['4']);
      expect(dropped.sort()).toEqual(['a 2 age', 'a 3 age']);
      expect((await store.flights(claim)).outgoing).toMatchObject([{ sequence: 1 }]);
    });

    it('moves a message to another Session in one change, with everything but its old place [O-10]', async () => {
      const from = await claimed(record('from'));
      const to = await claimed(record('to'));
      const properties = { contentType: 'c', userProperties: [['a', '1']] } as const;
      const full = message('x', { retain: true, properties, expiresAt: NOW + 50_000 });
      const shared = '$share/g/t';
      await stored((done) => store.enqueue(full, [target(from, 1, { qos: 1, shared, retain: true })], done));
      await enqueued(from, 2);
      await stored((done) => store.assign(from, 2, 9, done));
      await enqueued(to, 5);
      store.move(from, 1, target(to, 6, { subscriptionIdentifiers: [4], shared }));
      store.move(from, 2, target(to, 7));
      expect(await store.read(from, 0, 10)).toEqual([]);
      expect((await store.flights(from)).outgoing).toEqual([]);
      expect(store.statistics().messages).toBe(3);
      const check = async (claim: SessionClaim) => {
        const moved = await store.read(claim, 5, 10);
        const share = { subscriptionIdentifiers: [4], shared, retain: false, packetIdentifier: 0, received: false };
        expect(moved).toMatchObject([
          { sequence: 6, message: full, qos: 1, ...share },
          { sequence: 7, packetIdentifier: 0, subscriptionIdentifiers: null },
        ]);
      };
      await check(to);
      const restored = await reopen();
      expect(restored.map(({ queuedMessages }) => queuedMessages).sort()).toEqual([0, 3]);
      await check(await claimed(record('to')));
      expect(dropped).toEqual([]);
    });

    it('says so when a message to be moved is gone, and keeps to the limits of the target', async () => {
      const from = await claimed(record('from'));
      const to = await claimed(record('to', { messages: 2 }));
      await enqueued(from, 1, 2, 3);
      store.settle(from, 1);
      store.move(from, 1, target(to, 1));
      store.move(from, 2, target(to, 2));
      store.move(from, 3, target(to, 3));
      await enqueued(to, 4);
      expect(texts(await store.read(to, 0, 10))).toEqual(['3', '4']);
      expect(dropped).toEqual(['to 1 age', 'to 2 limit']);
    });

    it('moves one of the copies of a message, and settles it where the target is gone', async () => {
      const from = await claimed(record('from'));
      const other = await claimed(record('other'));
      const to = await claimed(record('to'));
      const gone = await claimed(record('gone'));
      await stored((done) => store.enqueue(message('x'), [target(from, 1), target(other, 1)], done));
      await enqueued(from, 2);
      await stored((done) => store.remove(gone, done));
      store.move(from, 1, target(to, 1));
      store.move(from, 2, target(gone, 1));
      await stored((done) => store.remove(from, done));
      store.settle(other, 1);
      expect(texts(await store.read(to, 0, 10))).toEqual(['x']);
      await reopen();
      const again = await claimed(record('to'));
      expect(texts(await store.read(again, 0, 10))).toEqual(['x']);
      store.settle(again, 1);
      await stored((done) => store.removeWill(again, done));
      expect(store.statistics()).toMatchObject({ messages: 0, bytes: 0 });
    });

    it('keeps the queue of a retired Session and nothing else, and gives its key away [O-10]', async () => {
      const will = { topicName: 'w', payload: Uint8Array.from([1]), qos: 0, retain: false, properties: null } as const;
      const claim = await claimed({ ...record('a'), will });
      await stored((done) => store.saveSubscriptions(claim, [subscription('x')], [], done));
      await stored((done) => store.holdIncoming(claim, 9, done));
      await enqueued(claim, 1, 2);
      await stored((done) => store.assign(claim, 1, 3, done));
      store.retire(claim);
      const heir = await claimed(record('a'), true);
      expect(heir).not.toBe(claim);
      await enqueued(heir, 1);
      expect(texts(await store.read(claim, 0, 10))).toEqual(['2']);
      expect((await store.flights(claim)).outgoing).toMatchObject([{ sequence: 1 }]);
      const restored = await reopen();
      const retired = restored.filter((one) => one.retired);
      expect(retired).toMatchObject([{ subscriptions: [], queuedMessages: 2, record: { space: 'space', will: null } }]);
      expect(restored.filter((one) => !one.retired)).toMatchObject([{ record: { key: 'a' }, queuedMessages: 1 }]);
      const left = (retired[0] as { claim: SessionClaim }).claim;
      expect(texts(await store.read(left, 0, 10))).toEqual(['2']);
      expect((await store.flights(left)).incoming).toEqual([]);
      await stored((done) => store.remove(left, done));
      expect(await reopen()).toMatchObject([{ record: { key: 'a' }, retired: false }]);
    });

    it('counts Sessions, messages and bytes', async () => {
      const claim = await claimed(record('a'));
      expect(store.statistics()).toMatchObject({ sessions: 1, messages: 0, bytes: 0 });
      await enqueued(claim, 1, 2);
      const { messages, bytes } = store.statistics();
      expect(messages).toBe(2);
      expect(bytes).toBeGreaterThan(0);
      store.settle(claim, 1);
      store.settle(claim, 2);
      expect(store.statistics()).toMatchObject({ messages: 0, bytes: 0 });
    });
  });
}
