/** Bounds of `GuessLimiter`; the defaults are those of recognition.md, section 5. */
export interface GuessLimits {
  readonly failures: number;
  readonly windowMs: number;
  readonly delayMs: number;
  /** Pairs remembered; beyond it the oldest are forgotten. */
  readonly maximumPairs: number;
}

const DEFAULTS: GuessLimits = { failures: 10, windowMs: 60_000, delayMs: 5_000, maximumPairs: 100_000 };

interface Record {
  failures: number;
  windowStart: number;
}

/**
 * Slows down who guesses: failures are counted for each pair of address and presented name, so that a good device
 * behind the same router is never delayed. Nothing is refused because of its address. recognition.md, section 5
 */
export class GuessLimiter {
  readonly #limits: GuessLimits;
  readonly #pairs = new Map<string, Record>();

  constructor(limits: Partial<GuessLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Milliseconds by which the answer to this failed attempt is to be delayed. `now` is monotonic. */
  failed(address: string, name: string, now: number): number {
    const key = `${address}\n${name}`;
    let record = this.#pairs.get(key);
    if (record === undefined || now - record.windowStart >= this.#limits.windowMs) {
      this.#pairs.delete(key);
      record = { failures: 0, windowStart: now };
      this.#pairs.set(key, record);
      if (this.#pairs.size > this.#limits.maximumPairs) this.#forgetOldest();
    }
    record.failures++;
    return record.failures > this.#limits.failures ? this.#limits.delayMs : 0;
  }

  /** Are there failures that a success would wipe out? */
  get some(): boolean {
    return this.#pairs.size > 0;
  }

  succeeded(address: string, name: string): void {
    this.#pairs.delete(`${address}\n${name}`);
  }

  #forgetOldest(): void {
    for (const key of this.#pairs.keys()) {
      this.#pairs.delete(key);
      return;
    }
  }
}
