import type { OutboxEntry, OutboxSequence } from '../ports/outbox-store.ts';

/** A message that is being sent or waits for its next attempt; the first of its lane. */
export interface Delivery {
  readonly sequence: OutboxSequence;
  readonly lane: Lane;
  /** null: to be read again. */
  entry: OutboxEntry | null;
  attempts: number;
  lastError: string | null;
  /** Monotonic milliseconds of the next attempt, while `retrying`. */
  dueAt: number;
  /** What the signer was told of the time last; it never gets the same again. */
  signedAt: number;
  state: 'active' | 'retrying' | 'buried';
}

const COMPACT_AT = 1_024;

/**
 * Messages of one target with the same order key, behind the one that has its turn. All of them are known by number, the
 * first few perhaps with their contents.
 */
export class Lane {
  readonly key: string;
  current: Delivery | null = null;
  /** Messages that were taken out and whose letters are not durable yet; nothing of the lane is sent before they are. */
  burials = 0;
  #waiting: (OutboxEntry | OutboxSequence)[] = [];
  #head = 0;
  /** So many at the head have their contents. */
  #filled = 0;

  constructor(key: string) {
    this.key = key;
  }

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** True if the next message to be put in may have its contents: those before it have theirs. */
  get takesContents(): boolean {
    return this.#filled === this.length;
  }

  push(next: OutboxEntry | OutboxSequence): void {
    if (typeof next !== 'number') this.#filled += 1;
    this.#waiting.push(next);
  }

  shift(): OutboxEntry | OutboxSequence | undefined {
    const first = this.#waiting[this.#head];
    if (first === undefined) return undefined;
    this.#head += 1;
    if (this.#filled > 0) this.#filled -= 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Sequence of the first one that waits. */
  get first(): OutboxSequence | undefined {
    const first = this.#waiting[this.#head];
    return typeof first === 'object' ? first.sequence : first;
  }

  /** Keeps the contents of a message if it is the first one known by number alone; false: it is not. */
  fill(entry: OutboxEntry): boolean {
    const place = this.#head + this.#filled;
    if (this.#waiting[place] !== entry.sequence) return false;
    this.#waiting[place] = entry;
    this.#filled += 1;
    return true;
  }
}

/** Deliveries by the time of their next attempt. */
export class RetryList {
  readonly #sorted: Delivery[] = [];

  get size(): number {
    return this.#sorted.length;
  }

  get first(): Delivery | undefined {
    return this.#sorted[0];
  }

  insert(delivery: Delivery): void {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle]?.dueAt ?? 0) <= delivery.dueAt) low = middle + 1;
      else high = middle;
    }
    this.#sorted.splice(low, 0, delivery);
  }

  remove(delivery: Delivery): void {
    const place = this.#sorted.indexOf(delivery);
    if (place >= 0) this.#sorted.splice(place, 1);
  }
}
