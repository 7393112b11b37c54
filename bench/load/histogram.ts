/** Values of one doubling are told apart in so many steps: within 1.6 % of the truth. */
const STEPS = 64;
const DOUBLINGS = 64;

/** A summary as it is printed, in microseconds. */
export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Counts durations in steps that grow with them. */
export class Histogram {
  readonly #counts = new Float64Array(STEPS * DOUBLINGS);
  #total = 0;
  #sum = 0;
  #max = 0;

  /** Takes a duration in milliseconds. */
  add(ms: number): void {
    const ns = Math.max(0, ms * 1e6);
    const doubling = ns < STEPS ? 0 : Math.floor(Math.log2(ns)) - 5;
    const step = ns < STEPS ? Math.floor(ns) : Math.floor(ns / 2 ** (doubling - 1)) - STEPS;
    const slot = doubling * STEPS + step;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#total++;
    this.#sum += ns;
    if (ns > this.#max) this.#max = ns;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#sum = 0;
    this.#max = 0;
  }

  /** null: nothing was counted. */
  summary(): Percentiles | null {
    if (this.#total === 0) return null;
    const us = (ns: number) => Math.round(ns / 100) / 10;
    return {
      count: this.#total,
      mean: us(this.#sum / this.#total),
      p50: us(this.#at(0.5)),
      p90: us(this.#at(0.9)),
      p99: us(this.#at(0.99)),
      p999: us(this.#at(0.999)),
      max: us(this.#max),
    };
  }

  #at(share: number): number {
    const wanted = Math.max(1, Math.round(share * this.#total));
    let seen = 0;
    for (let slot = 0; slot < this.#counts.length; slot++) {
      seen += this.#counts[slot] ?? 0;
      if (seen < wanted) continue;
      const doubling = Math.floor(slot / STEPS);
      const step = slot % STEPS;
      const value = doubling === 0 ? step : (STEPS + step + 0.5) * 2 ** (doubling - 1);
      return Math.min(value, this.#max);
    }
    return this.#max;
  }
}
