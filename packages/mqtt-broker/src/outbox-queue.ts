import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';

/** The messages that wait in memory for one Session: all of them, or the head of the stored queue. */
export class OutboxQueue {
  readonly #context: BrokerContext;
  readonly #session: Session;
  readonly #outbox: Outbox;
  readonly #queue = new DeliveryQueue();
  /** Messages in the queue whose payload is pulled: QoS 0 must not overtake them. */
  pulls = 0;

  constructor(context: BrokerContext, session: Session, outbox: Outbox) {
    this.#context = context;
    this.#session = session;
    this.#outbox = outbox;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** So much of a stored queue is in memory that the rest stays in the store. */
  get headFull(): boolean {
    const queue = this.#queue;
    const { headMessages, headBytes } = this.#context.limits;
    return queue.length >= headMessages || queue.bytes >= headBytes;
  }

  push(delivery: Delivery): void {
    const queue = this.#queue;
    delivery.queuedAt = this.#context.clock.now();
    queue.push(delivery);
    if (delivery.source !== null) this.pulls++;
    if (delivery.sequence > 0) this.#outbox.tail.reached(delivery.sequence);
    const { counters } = this.#context;
    counters.queuedMessages++;
    counters.queuedBytes += delivery.sizeBytes;
    if (this.#session.persistent) return;
    const limit = this.#session.policy.queue;
    while (queue.length > 1 && (queue.length > limit.messages || queue.bytes > limit.bytes)) this.#drop('queue.full');
  }

  peek(): Delivery | undefined {
    return this.#queue.peek();
  }

  shift(): Delivery | undefined {
    const delivery = this.#queue.shift();
    if (delivery === undefined) return undefined;
    const { counters } = this.#context;
    if (delivery.source !== null) this.pulls--;
    counters.queuedMessages--;
    counters.queuedBytes -= delivery.sizeBytes;
    return delivery;
  }

  /** Takes everything out. */
  drain(): Delivery[] {
    const rest: Delivery[] = [];
    for (let delivery = this.shift(); delivery !== undefined; delivery = this.shift()) rest.push(delivery);
    return rest;
  }

  /** Drops what has waited longer than the policy allows. The store does so itself for what it holds. */
  expire(now: number): void {
    if (this.#session.persistent) return;
    const { ageMs } = this.#session.policy.queue;
    for (let head = this.peek(); head !== undefined; head = this.peek()) {
      if (now - head.queuedAt < ageMs) return;
      this.#drop('queue.tooOld');
    }
  }

  /** Stops reading the publisher while this queue is long. */
  holdBack(publisher: Connection): void {
    const { counters, limits } = this.#context;
    if (publisher === this.#outbox.connection) return;
    if (this.isLong(1) || counters.queuedBytes >= limits.queuedBytesHighWater) {
      this.#outbox.backPressure.hold(publisher);
    }
  }

  /** The queue has reached this share of the high-water mark. */
  isLong(share: number): boolean {
    const limit = this.#session.policy.queue;
    const mark = this.#context.limits.highWaterShare * share;
    const messages = this.#session.persistent ? this.#outbox.tail.unfinished : this.length;
    return messages > limit.messages * mark || this.#queue.bytes > limit.bytes * mark;
  }

  #drop(event: string): void {
    const oldest = this.shift();
    if (oldest === undefined) return;
    this.#context.count(event);
    oldest.lost();
  }
}
