import { FakeCrypto, FakeTime, MemoryOutboxStore, ScriptedSender, sampleWebhook } from '@moorage/testkit';
import type { OutboxStore } from '../../ports/outbox-store.ts';
import type { Completion } from '../../ports/runtime.ts';
import type { WebhookMessage, WebhookPolicy, WebhookSigning } from '../webhook.ts';
import type { WebhookLimits, WebhookNotice } from '../webhook-options.ts';
import { Webhooks } from '../webhooks.ts';

export const TARGET = sampleWebhook().targetId;
export const TENANT = sampleWebhook().tenantId;

/** The policy of sensoro.md, 4.6. */
export const POLICY: WebhookPolicy = {
  concurrency: 8,
  timeoutMs: 10_000,
  retryDelaysMs: [1_000, 5_000, 30_000, 120_000, 600_000],
  queueMessages: 100_000,
  queueAgeMs: 86_400_000,
  suspendOn: 410,
};

export interface TestWebhooksOptions {
  readonly store?: OutboxStore;
  readonly sender?: ScriptedSender;
  readonly time?: FakeTime;
  readonly policy?: Partial<WebhookPolicy>;
  readonly limits?: Partial<WebhookLimits>;
  /** Of random numbers and ids; runs of one store need different ones. */
  readonly seed?: number;
  readonly sign?: (message: WebhookMessage, now: number) => WebhookSigning | null;
}

/** An engine that a test controls; time, store and receiver can be taken over from an earlier one, as after a restart. */
export class TestWebhooks {
  readonly store: OutboxStore;
  readonly sender: ScriptedSender;
  readonly time: FakeTime;
  readonly webhooks: Webhooks;
  readonly counted = new Map<string, number>();
  readonly notices: WebhookNotice[] = [];
  readonly reports: unknown[] = [];
  #next = 1;

  constructor(options: TestWebhooksOptions = {}) {
    this.store = options.store ?? new MemoryOutboxStore();
    this.sender = options.sender ?? new ScriptedSender();
    this.time = options.time ?? new FakeTime();
    const sign = options.sign ?? ((_, now) => ({ headers: { 'X-NONCE': String(now) } }));
    this.webhooks = new Webhooks({
      store: this.store,
      sender: async () => this.sender,
      kinds: [{ kind: 'test', policy: { ...POLICY, ...options.policy }, sign }],
      clock: this.time,
      scheduler: this.time,
      crypto: new FakeCrypto(options.seed ?? 1),
      limits: { commitIntervalMs: 0, ...options.limits },
      count: (event, amount) => this.counted.set(event, (this.counted.get(event) ?? 0) + amount),
      notice: (notice) => this.notices.push(notice),
      report: (error) => this.reports.push(error),
    });
  }

  async start(): Promise<this> {
    await this.webhooks.start();
    await this.turns();
    return this;
  }

  /** A message whose body is `<key> <number>`. */
  enqueue(orderKey: string, parts: Partial<WebhookMessage> = {}, completion: Completion | null = null): string {
    const eventId = `${orderKey} ${this.#next++}`;
    const body = new TextEncoder().encode(eventId);
    this.webhooks.enqueue(sampleWebhook({ orderKey, eventId, body, ...parts }), completion);
    return eventId;
  }

  /** Lets everything happen that needs no time. */
  async turns(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) {
      this.time.endTurn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass in steps, with all that it brings about. */
  async advance(ms: number, stepMs = 100): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.time.advance(Math.min(left, stepMs));
      await this.turns();
    }
  }

  /** Ends the engine without time passing for what does not answer. */
  async close(): Promise<void> {
    const closed = this.webhooks.close();
    await this.turns();
    this.time.advance(1_000);
    await this.turns();
    this.time.advance(1_000);
    await this.turns();
    await closed;
  }
}

/** A completion that notes what it was told. */
export function notedCompletion() {
  const outcomes: string[] = [];
  let holds = 0;
  const completion: Completion = {
    hold: () => {
      holds += 1;
    },
    release: (outcome) => void outcomes.push(outcome),
  };
  return { completion, outcomes, holds: () => holds };
}
