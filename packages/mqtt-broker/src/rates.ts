import type { SessionPolicy } from './ports.ts';

/** A bucket that refills steadily. What is taken beyond its content is a debt. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs: number;

  /** `perSecond` is above 0; holds one second's worth unless said otherwise. Times are monotonic milliseconds. */
  constructor(perSecond: number, nowMs: number, capacity: number = perSecond) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = Math.max(1, capacity);
    this.#tokens = this.#capacity;
    this.#filledAtMs = nowMs;
  }

  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= amount;
  }

  /** Takes one if there is one. */
  tryTake(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Milliseconds until there are `amount` again; 0: there are. */
  waitMs(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= amount ? 0 : (amount - this.#tokens) / this.#perMs;
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}

function bucket(perSecond: number | null, nowMs: number): TokenBucket | null {
  return perSecond === null ? null : new TokenBucket(perSecond, nowMs);
}

/** What one sender, or all senders of one listener, may send. */
export class RateMeter {
  readonly #messages: TokenBucket | null;
  readonly #bytes: TokenBucket | null;
  /** Of the policy: each holds all the messages of its time. */
  readonly #windows: readonly TokenBucket[];

  constructor(
    messagesPerSecond: number | null,
    bytesPerSecond: number | null,
    nowMs: number,
    rates: SessionPolicy['rates'] = [],
  ) {
    this.#messages = bucket(messagesPerSecond, nowMs);
    this.#bytes = bucket(bytesPerSecond, nowMs);
    this.#windows = rates.map(({ messages, seconds }) => new TokenBucket(messages / seconds, nowMs, messages));
  }

  /** Notes what was read. */
  take(messages: number, bytes: number, nowMs: number): void {
    this.#messages?.take(messages, nowMs);
    this.#bytes?.take(bytes, nowMs);
    for (const window of this.#windows) window.take(messages, nowMs);
  }

  /** Milliseconds until the debt is paid. */
  waitMs(nowMs: number): number {
    let waitMs = Math.max(this.#messages?.waitMs(0, nowMs) ?? 0, this.#bytes?.waitMs(0, nowMs) ?? 0);
    for (const window of this.#windows) waitMs = Math.max(waitMs, window.waitMs(0, nowMs));
    return waitMs;
  }
}
