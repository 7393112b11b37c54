import { FakeTime, MemoryOutboxStore, ScriptedSender, seededRandom } from '@moorage/testkit';
import { describe, expect, it } from 'vitest';
import type { OutboxStore } from '../ports/outbox-store.ts';
import { notedCompletion, TENANT, TestWebhooks } from './testing/test-webhooks.ts';
import type { WebhookAttempt } from './webhook.ts';

/** A store that is told nothing more once its process has died, and answers late. */
class MortalStore extends MemoryOutboxStore {
  readonly #store: MemoryOutboxStore;
  readonly #random: () => number;
  alive = true;

  constructor(store: MemoryOutboxStore, random: () => number) {
    super();
    this.#store = store;
    this.#random = random;
  }

  async #ask<T>(run: (store: MemoryOutboxStore) => Promise<T>): Promise<T> {
    if (!this.alive) return new Promise(() => {});
    const answer = await run(this.#store);
    const turns = Math.floor(this.#random() * 3);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return this.alive ? answer : new Promise(() => {});
  }

  override load = () => this.#ask((store) => store.load());
  override append = (...a: Parameters<OutboxStore['append']>) => this.#ask((store) => store.append(...a));
  override read = (...a: Parameters<OutboxStore['read']>) => this.#ask((store) => store.read(...a));
  override settle = (...a: Parameters<OutboxStore['settle']>) => this.#ask((store) => store.settle(...a));
  override bury = (...a: Parameters<OutboxStore['bury']>) => this.#ask((store) => store.bury(...a));
  override suspend = (...a: Parameters<OutboxStore['suspend']>) => this.#ask((store) => store.suspend(...a));
}

describe('any course of events', () => {
  it('SEN-38 N7 loses nothing that was put down, in any order of failures and crashes, and keeps the order of a key', {
    timeout: 60_000,
  }, async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const pick = (limit: number) => Math.floor(random() * limit);
      const disk = new MemoryOutboxStore();
      const time = new FakeTime();
      const delivered: string[] = [];
      const acknowledged: string[] = [];
      const problems: unknown[] = [];
      let healthy = false;
      let process = 0;
      let number = 0;
      const answer = (current: number, text: string): WebhookAttempt => {
        // Of a process that is dead nobody hears the answer, but the receiver has the message.
        const good = healthy || pick(3) > 0;
        if (good) delivered.push(text);
        if (current !== process) return { kind: 'failed', reason: 'nobody is there' };
        return good ? { kind: 'status', status: 200 } : { kind: 'failed', reason: 'no answer' };
      };
      for (let life = 0; life < 6; life += 1) {
        process += 1;
        const current = process;
        const sender = new ScriptedSender();
        sender.answer = async ({ body }) => {
          if (current !== process) return new Promise(() => {});
          const text = new TextDecoder().decode(body);
          const turns = pick(6);
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          return answer(current, text);
        };
        healthy = life === 5;
        const store = new MortalStore(disk, random);
        const policy = { retryDelaysMs: [100, 200], queueMessages: 25, concurrency: 4 };
        const limits = { heldBytes: 20_000, retrying: 5 };
        const t = await new TestWebhooks({ store, sender, time, policy, limits, seed: 100 * seed + life }).start();
        for (let step = 0; step < 40 && !healthy; step += 1) {
          for (let more = pick(8); more > 0; more -= 1) {
            number += 1;
            const text = `k${pick(6)} ${number}`;
            const { completion } = notedCompletion();
            const body = new TextEncoder().encode(text);
            t.enqueue(
              text.split(' ')[0] ?? '',
              { eventId: text, body },
              {
                ...completion,
                release: (outcome) => outcome === 'stored' && acknowledged.push(text),
              },
            );
          }
          time.advance(pick(150));
          await t.turns();
        }
        if (healthy) {
          await t.advance(60_000, 500);
          await t.close();
        } else store.alive = false;
        problems.push(...t.reports);
      }
      expect(problems).toEqual([]);
      const { letters, total } = await disk.dead(TENANT, 0, 10_000);
      expect(await disk.statistics()).toMatchObject({ waiting: 0, dead: total });
      const dead = new Set(letters.map(({ message }) => message.eventId));
      const reached = new Set(delivered);
      const lost = acknowledged.filter((text) => !reached.has(text) && !dead.has(text));
      expect(lost, `seed ${seed}`).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(400);
      for (let key = 0; key < 6; key += 1) {
        const own = [...reached]
          .filter((text) => text.startsWith(`k${key} `))
          .map((text) => Number(text.split(' ')[1]));
        expect(own, `seed ${seed}`).toEqual([...own].sort((a, b) => a - b));
      }
    }
  });
});
