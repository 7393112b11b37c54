/** A bucket that refills steadily and holds one second's worth. What is taken beyond its content is a debt. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens: number;
  #filledAtMs: number;

  /** `perSecond` is above 0; times are monotonic milliseconds. */
  constructor(perSecond: number, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = Math.max(1, perSecond);
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

  constructor(messagesPerSecond: number | null, bytesPerSecond: number | null, nowMs: number) {
    this.#messages = bucket(messagesPerSecond, nowMs);
    this.#bytes = bucket(bytesPerSecond, nowMs);
  }

  /** Notes what was read. */
  take(messages: number, bytes: number, nowMs: number): void {
    this.#messages?.take(messages, nowMs);
    this.#bytes?.take(bytes, nowMs);
  }

  /** Milliseconds until the debt is paid. */
  waitMs(nowMs: number): number {
    return Math.max(this.#messages?.waitMs(0, nowMs) ?? 0, this.#bytes?.waitMs(0, nowMs) ?? 0);
  }
}
