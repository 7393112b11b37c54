import type { Subscription } from './subscription.ts';

/** The subscriptions of one Session by Topic Filter as the client wrote it; the only one takes no table. */
export class SubscriptionTable {
  #only: Subscription | null;
  #all: Map<string, Subscription> | null = null;

  constructor(first: Subscription) {
    this.#only = first;
  }

  get size(): number {
    return this.#all === null ? Number(this.#only !== null) : this.#all.size;
  }

  get(topicFilter: string): Subscription | undefined {
    if (this.#all !== null) return this.#all.get(topicFilter);
    return this.#only?.topicFilter === topicFilter ? this.#only : undefined;
  }

  /** Enters a subscription, in the place of one with an equal filter. */
  set(subscription: Subscription): void {
    const { topicFilter } = subscription;
    if (this.#all !== null) this.#all.set(topicFilter, subscription);
    else if (this.#only === null || this.#only.topicFilter === topicFilter) this.#only = subscription;
    else {
      this.#all = new Map([
        [this.#only.topicFilter, this.#only],
        [topicFilter, subscription],
      ]);
      this.#only = null;
    }
  }

  delete(topicFilter: string): void {
    if (this.#all !== null) this.#all.delete(topicFilter);
    else if (this.#only?.topicFilter === topicFilter) this.#only = null;
  }

  /** In the order in which they were made. */
  values(): Iterable<Subscription> {
    if (this.#all !== null) return this.#all.values();
    return this.#only === null ? [] : [this.#only];
  }
}
