import type { Clock } from '@moorage/core';

interface Bucket {
  left: number;
  at: number;
}

const MAXIMUM_ADDRESSES = 10_000;

/** A token bucket for each address, the 10,000 latest; a new one begins full. */
export class AddressRates {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #atOnce: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perSecond: number, atOnce: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#atOnce = atOnce;
  }

  /** False: this address has used up its share. */
  take(address: string): boolean {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(address);
    if (bucket === undefined) {
      this.#buckets.set(address, { left: this.#atOnce - 1, at: now });
      this.#forgetOldest();
      return true;
    }
    bucket.left = Math.min(this.#atOnce, bucket.left + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAXIMUM_ADDRESSES) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
