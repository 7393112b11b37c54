import type { OutboxEntry, OutboxStore } from '@moorage/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../telemetry/batches.ts';
import { MemoryOutboxStore } from './memory-outbox-store.ts';
import { sampleOutboxEntry } from './sample-webhooks.ts';

/** Makes stores for the contract suite. */
export interface OutboxStoreFactory {
  /** Opens an empty store. */
  open(): Promise<OutboxStore>;
  /** Opens again what the last `open` or `reopen` made, as after a restart of the server. */
  reopen(): Promise<OutboxStore>;
  /** Ends what is open and removes its files. */
  close(): Promise<void>;
}

const A = '00000000-0000-4000-8000-0000000000a1';
const B = '00000000-0000-4000-8000-0000000000b1';
const TENANT = '00000000-0000-4000-8000-0000000000aa';
const OTHER = '00000000-0000-4000-8000-0000000000bb';
const LATER = 1_800_000_000_000;

function letter(sequence: number, more: { id?: string; expiresTime?: number } = {}) {
  const id = `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`;
  return { id, sequence, attempts: 6, lastError: `the receiver answered ${sequence}`, expiresTime: LATER, ...more };
}

const sequences = (entries: readonly OutboxEntry[]): number[] => entries.map(({ sequence }) => sequence);

/** Everything that can be read of a store. */
async function contents(store: OutboxStore) {
  const { lastSequence, queues, suspended } = await store.load();
  const byTarget = (a: { targetId: string }, b: { targetId: string }) => (a.targetId < b.targetId ? -1 : 1);
  const { waiting, dead } = await store.statistics();
  return {
    lastSequence: queues.length === 0 ? null : lastSequence,
    queues: [...queues].sort(byTarget),
    suspended: [...suspended].sort(byTarget),
    waiting,
    dead,
    lists: await Promise.all(
      [TENANT, OTHER].flatMap((tenant) => [store.waiting(tenant, 0, 1_000), store.dead(tenant, 0, 1_000)]),
    ),
  };
}

/** The contract of `OutboxStore`; every implementation runs it. */
export function describeOutboxStore(name: string, factory: OutboxStoreFactory): void {
  describe(`OutboxStore: ${name}`, () => {
    let store: OutboxStore;
    beforeEach(async () => {
      store = await factory.open();
    });
    afterEach(() => factory.close());
    const reopen = async () => {
      store = await factory.reopen();
    };

    it('is empty at first, and answers every call', async () => {
      expect(await store.load()).toEqual({ lastSequence: 0, queues: [], suspended: [] });
      expect(await store.read(A, 0, 10)).toEqual([]);
      expect(await store.settle([1])).toBe('stored');
      expect(await store.bury([letter(1)])).toBe('stored');
      expect(await store.revive(letter(1).id, TENANT, 2, 0)).toBeNull();
      expect(await store.waiting(TENANT, 0, 10)).toEqual({ entries: [], total: 0 });
      expect(await store.dead(TENANT, 0, 10)).toEqual({ letters: [], total: 0 });
      expect(await store.removeTarget(A)).toBe('stored');
      expect(await store.suspend(A, null)).toBe('stored');
      expect(await store.expire(LATER, 10)).toBe('stored');
      expect(await store.append([])).toBe('stored');
      expect(await store.statistics()).toMatchObject({ waiting: 0, dead: 0, state: 'ok' });
    });

    it('SEN-38 gives back what was put down, also after a restart', async () => {
      const odd = sampleOutboxEntry(3, {
        targetId: B,
        tenantId: OTHER,
        kind: 'other',
        eventId: 'ereignis \u00e9\u{1f600}',
        orderKey: '',
        url: 'http://receiver.example.org:8080/a?b=c&d=%20',
        contentType: 'text/plain',
        body: Uint8Array.from({ length: 256 }, (_, index) => index),
      });
      const entries = [sampleOutboxEntry(1), sampleOutboxEntry(2, { body: new Uint8Array(0) }), odd];
      expect(await store.append(entries)).toBe('stored');
      for (const _ of [1, 2]) {
        expect(await store.read(A, 0, 10)).toEqual(entries.slice(0, 2));
        expect(await store.read(B, 0, 10)).toEqual([odd]);
        expect(await store.load()).toMatchObject({ lastSequence: 3, suspended: [] });
        expect((await store.load()).queues).toEqual(
          expect.arrayContaining([
            { targetId: A, kind: 'test', messages: 2, oldest: 1 },
            { targetId: B, kind: 'other', messages: 1, oldest: 3 },
          ]),
        );
        await reopen();
      }
    });

    it('keeps the bytes of the call, whatever becomes of the buffer they were in', async () => {
      const buffer = new Uint8Array(100_000).fill(7);
      const stored = store.append([sampleOutboxEntry(1, { body: buffer.subarray(50_000, 50_010) })]);
      expect(await stored).toBe('stored');
      expect(buffer).toHaveLength(100_000);
      buffer.fill(9);
      await reopen();
      const [entry] = await store.read(A, 0, 1);
      expect(entry?.message.body).toEqual(new Uint8Array(10).fill(7));
    });

    it('reads a queue in slices of messages and of bytes, without gaps', async () => {
      const body = new Uint8Array(262_144);
      for (let first = 1; first <= 40; first += 10) {
        await store.append(Array.from({ length: 10 }, (_, index) => sampleOutboxEntry(first + index, { body })));
      }
      await store.append([sampleOutboxEntry(41, { targetId: B })]);
      expect(sequences(await store.read(A, 3, 2))).toEqual([4, 5]);
      const read: number[] = [];
      for (let slice = sequences(await store.read(A, 0, 100)); slice.length > 0; ) {
        expect(slice.length).toBeLessThanOrEqual(17);
        read.push(...slice);
        slice = sequences(await store.read(A, read.at(-1) ?? 0, 100));
      }
      expect(read).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    });

    it('forgets what was settled, and takes changes in the order of the calls', async () => {
      const outcomes = await Promise.all([
        store.append([1, 2, 3].map((sequence) => sampleOutboxEntry(sequence))),
        store.settle([2]),
        store.append([sampleOutboxEntry(4)]),
        store.settle([4, 99]),
      ]);
      expect(outcomes).toEqual(['stored', 'stored', 'stored', 'stored']);
      expect(sequences(await store.read(A, 0, 10))).toEqual([1, 3]);
      await reopen();
      expect(sequences(await store.read(A, 0, 10))).toEqual([1, 3]);
      const [read] = await Promise.all([store.read(A, 0, 10), store.settle([1, 3])]);
      expect(sequences(read)).toEqual([1, 3]);
      expect(await store.load()).toMatchObject({ queues: [] });
    });

    it('SEN-36 makes dead letters of waiting messages and back, in their tenant alone', async () => {
      await store.append([1, 2, 3].map((sequence) => sampleOutboxEntry(sequence)));
      await store.append([sampleOutboxEntry(4, { targetId: B, tenantId: OTHER })]);
      expect(await store.bury([letter(1), letter(3), letter(4), letter(77)])).toBe('stored');
      await reopen();
      expect(sequences(await store.read(A, 0, 10))).toEqual([2]);
      const { letters, total } = await store.dead(TENANT, 0, 10);
      expect(total).toBe(2);
      expect(letters).toEqual([
        { ...sampleOutboxEntry(3), ...letter(3) },
        { ...sampleOutboxEntry(1), ...letter(1) },
      ]);
      expect(await store.revive(letter(1).id, OTHER, 5, 17)).toBeNull();
      const revived = { sequence: 5, createdTime: 17, message: sampleOutboxEntry(1).message };
      expect(await store.revive(letter(1).id, TENANT, 5, 17)).toEqual(revived);
      expect(await store.revive(letter(1).id, TENANT, 6, 17)).toBeNull();
      await reopen();
      expect(await store.read(A, 2, 10)).toEqual([revived]);
      expect(await store.statistics()).toMatchObject({ waiting: 2, dead: 2 });
      // Settling is for what waits.
      await store.settle([3]);
      expect((await store.dead(TENANT, 0, 10)).total).toBe(1);
    });

    it('lists a tenant from the newest on, in pages', async () => {
      for (let sequence = 1; sequence <= 9; sequence += 1) {
        const tenantId = sequence === 5 ? OTHER : TENANT;
        const targetId = sequence === 5 ? '00000000-0000-4000-8000-0000000000c1' : sequence % 2 === 0 ? A : B;
        await store.append([sampleOutboxEntry(sequence, { tenantId, targetId })]);
      }
      const page = await store.waiting(TENANT, 2, 3);
      expect(page.total).toBe(8);
      expect(sequences(page.entries)).toEqual([7, 6, 4]);
      await store.bury([2, 3, 5, 8].map((sequence) => letter(sequence)));
      expect(sequences((await store.dead(TENANT, 0, 2)).letters)).toEqual([8, 3]);
      expect(sequences((await store.dead(TENANT, 2, 2)).letters)).toEqual([2]);
      expect(sequences((await store.dead(OTHER, 0, 2)).letters)).toEqual([5]);
      expect(sequences((await store.waiting(TENANT, 0, 10)).entries)).toEqual([9, 7, 6, 4, 1]);
    });

    it('removes dead letters that are past their time, and the oldest of too many', async () => {
      await store.append(Array.from({ length: 12 }, (_, index) => sampleOutboxEntry(index + 1)));
      await store.append([sampleOutboxEntry(13, { targetId: B })]);
      await store.bury([1, 2, 3, 4].map((sequence) => letter(sequence, { expiresTime: 1_000 })));
      await store.bury([5, 6, 7, 8, 13].map((sequence) => letter(sequence)));
      expect(await store.expire(999, 100)).toBe('stored');
      expect((await store.dead(TENANT, 0, 100)).total).toBe(9);
      await store.expire(1_000, 100);
      expect(sequences((await store.dead(TENANT, 0, 100)).letters)).toEqual([13, 8, 7, 6, 5]);
      await store.expire(1_000, 3);
      await reopen();
      expect(sequences((await store.dead(TENANT, 0, 100)).letters)).toEqual([13, 8, 7, 6]);
      expect((await store.waiting(TENANT, 0, 100)).total).toBe(4);
    });

    it('removes everything of a target', async () => {
      await store.append([1, 2, 3].map((sequence) => sampleOutboxEntry(sequence)));
      await store.append([sampleOutboxEntry(4, { targetId: B })]);
      await store.bury([letter(2), letter(4)]);
      await store.suspend(A, 'https://a.example.org/');
      expect(await store.removeTarget(A)).toBe('stored');
      await reopen();
      expect(await contents(store)).toMatchObject({ queues: [], suspended: [], waiting: 0, dead: 1 });
      await store.append([sampleOutboxEntry(5)]);
      expect(sequences(await store.read(A, 0, 10))).toEqual([5]);
    });

    it('remembers suspensions until they are lifted', async () => {
      await store.suspend(A, 'https://a.example.org/');
      await store.suspend(B, 'https://b.example.org/');
      await store.suspend(A, 'https://newer.example.org/');
      await reopen();
      expect((await contents(store)).suspended).toEqual([
        { targetId: A, url: 'https://newer.example.org/' },
        { targetId: B, url: 'https://b.example.org/' },
      ]);
      await store.suspend(A, null);
      await reopen();
      expect((await contents(store)).suspended).toEqual([{ targetId: B, url: 'https://b.example.org/' }]);
    });

    it('is the same as the memory store after any changes', async () => {
      const random = seededRandom(11);
      const pick = (limit: number) => Math.floor(random() * limit);
      const model = new MemoryOutboxStore();
      let last = 0;
      const letters: string[] = [];
      for (let step = 1; step <= 300; step += 1) {
        const any = () => Math.max(1, last - pick(40));
        const targetId = pick(2) === 0 ? A : B;
        const both = async <T>(change: (to: OutboxStore) => Promise<T>) => {
          expect(await change(store)).toEqual(await change(model));
        };
        const what = pick(12);
        if (what < 4) {
          const entries = Array.from({ length: pick(5) }, (_, index) =>
            sampleOutboxEntry(last + index + 1, { targetId, tenantId: targetId === A ? TENANT : OTHER }),
          );
          last += entries.length;
          await both((to) => to.append(entries));
        } else if (what < 6) {
          const settled = [any(), any()];
          await both((to) => to.settle(settled));
        } else if (what < 8) {
          const dead = letter(any(), {
            id: `00000000-0000-4000-8000-${String(step).padStart(12, 'd')}`,
            expiresTime: step,
          });
          letters.push(dead.id);
          await both((to) => to.bury([dead]));
        } else if (what < 9 && letters.length > 0) {
          const id = letters[pick(letters.length)] ?? '';
          last += 1;
          const sequence = last;
          await both((to) => to.revive(id, TENANT, sequence, step));
        } else if (what === 9) await both((to) => to.expire(step - 60, 20));
        else if (what === 10) {
          const url = pick(2) === 0 ? null : `https://${step}.example.org/`;
          await both((to) => to.suspend(targetId, url));
        } else if (pick(10) === 0) await both((to) => to.removeTarget(targetId));
        if (step % 50 === 0) await reopen();
        if (step % 10 === 0) {
          const after = any();
          await both((to) => to.read(targetId, after, 5));
          expect(await contents(store)).toEqual(await contents(model));
        }
      }
    });
  });
}
