const SECOND_MS = 1000;

/** At most `limit` requests of one account in any second. thingscale.md, 2.1 */
export class RequestWindow {
  readonly #limit: number;
  /** Times of the requests that were let through, the oldest first; never more than `limit`. */
  readonly #times = new Map<string, number[]>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `at`: milliseconds that never go back. */
  admits(key: string, at: number): boolean {
    const times = this.#times.get(key) ?? [];
    const [oldest = 0] = times;
    if (times.length === this.#limit) {
      if (at - oldest < SECOND_MS) return false;
      times.shift();
    }
    times.push(at);
    this.#times.set(key, times);
    return true;
  }
}

interface Bucket {
  level: number;
  at: number;
}

/** One request per second of one device, `burst` at once. thingscale.md, 4.7 */
export class DeviceBuckets {
  readonly #burst: number;
  readonly #maximumDevices: number;
  /** In the order of their last requests. */
  readonly #buckets = new Map<string, Bucket>();

  /** Beyond `maximumDevices` those that were silent longest are forgotten. */
  constructor(burst: number, maximumDevices: number) {
    this.#burst = burst;
    this.#maximumDevices = maximumDevices;
  }

  /** `at`: milliseconds that never go back. */
  admits(key: string, at: number): boolean {
    const known = this.#buckets.get(key);
    const level = known === undefined ? this.#burst : known.level + (at - known.at) / SECOND_MS;
    const full = Math.min(level, this.#burst);
    const admitted = full >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { level: admitted ? full - 1 : full, at });
    this.#forget(at);
    return admitted;
  }

  #forget(at: number): void {
    for (const [key, bucket] of this.#buckets) {
      const isFull = at - bucket.at >= this.#burst * SECOND_MS;
      if (!isFull && this.#buckets.size <= this.#maximumDevices) return;
      this.#buckets.delete(key);
    }
  }
}
