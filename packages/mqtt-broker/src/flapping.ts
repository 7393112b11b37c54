import type { FlappingLimits } from './limits.ts';

/** Pairs remembered; the one that was first seen is forgotten for a new one. */
const MAXIMUM_PAIRS = 100_000;

interface Pair {
  /** Monotonic milliseconds of the first CONNECT in the window. */
  sinceMs: number;
  connects: number;
  /** Monotonic milliseconds; 0: not refused. */
  refusedUntilMs: number;
}

/**
 * Notices clients that connect, with success, again and again. Counted for each pair of address and identity, never for an
 * address: many devices share one behind NAT. Refused CONNECTs do not count and do not lengthen a refusal, so firmware
 * that retries twice a second is served again as soon as its minute is over. The connection that stands is left alone.
 */
export class Flapping {
  readonly #limits: FlappingLimits;
  readonly #pairs = new Map<string, Pair>();

  constructor(limits: FlappingLimits) {
    this.#limits = limits;
  }

  /** Takes note of a CONNECT that would be accepted; false: it is one too many. */
  mayConnect(remoteAddress: string, identity: string, nowMs: number): boolean {
    const name = `${remoteAddress}\u0000${identity}`;
    const { connects, windowMs, refusalMs } = this.#limits;
    const pair = this.#pairs.get(name);
    if (pair !== undefined && pair.refusedUntilMs > nowMs) return false;
    if (pair === undefined || pair.refusedUntilMs > 0 || nowMs - pair.sinceMs >= windowMs) {
      this.#pairs.delete(name);
      if (this.#pairs.size >= MAXIMUM_PAIRS) this.#forgetOldest();
      this.#pairs.set(name, { sinceMs: nowMs, connects: 1, refusedUntilMs: 0 });
      return true;
    }
    pair.connects++;
    if (pair.connects <= connects) return true;
    pair.refusedUntilMs = nowMs + refusalMs;
    return false;
  }

  /** Forgets pairs whose window and refusal are over. */
  expire(nowMs: number): void {
    for (const [name, { sinceMs, refusedUntilMs }] of this.#pairs) {
      if (nowMs - sinceMs >= this.#limits.windowMs && refusedUntilMs <= nowMs) this.#pairs.delete(name);
    }
  }

  #forgetOldest(): void {
    for (const name of this.#pairs.keys()) {
      this.#pairs.delete(name);
      return;
    }
  }
}
