import type { Clock } from '@moorage/core';

interface Entry<V> {
  readonly endpointKey: string;
  readonly value: V;
  touchedAt: number;
}

export interface BoundedTableOptions<V> {
  readonly clock: Clock;
  readonly maximum: number;
  readonly maximumPerEndpoint: number;
  /** Milliseconds after the last use. */
  readonly idleMs: number;
  /** An entry was left unused too long, or had to make room. */
  readonly dropped: (value: V) => void;
}

/**
 * State of unfinished transfers: bounded for each endpoint and in all. What was used longest ago makes room, that of the
 * same endpoint first, so that nobody is locked out by those who never finish.
 */
export class BoundedTable<V> {
  readonly #options: BoundedTableOptions<V>;
  /** In the order of use. */
  readonly #entries = new Map<string, Entry<V>>();
  readonly #keysOf = new Map<string, Set<string>>();

  constructor(options: BoundedTableOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts as use. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.touchedAt = this.#options.clock.monotonic();
    const keys = this.#keysOf.get(entry.endpointKey);
    keys?.delete(key);
    keys?.add(key);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Replaces without telling `dropped` of the old value. */
  set(endpointKey: string, key: string, value: V): void {
    this.delete(key);
    const keys = this.#keysOf.get(endpointKey) ?? new Set();
    const [oldestOfEndpoint] = keys;
    if (keys.size >= this.#options.maximumPerEndpoint && oldestOfEndpoint !== undefined) this.#drop(oldestOfEndpoint);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= this.#options.maximum && oldest !== undefined) this.#drop(oldest);
    this.#entries.set(key, { endpointKey, value, touchedAt: this.#options.clock.monotonic() });
    this.#keysOf.set(endpointKey, keys.add(key));
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const keys = this.#keysOf.get(entry.endpointKey);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(entry.endpointKey);
  }

  sweep(): void {
    const limit = this.#options.clock.monotonic() - this.#options.idleMs;
    for (const [key, entry] of this.#entries) {
      if (entry.touchedAt > limit) return;
      this.#drop(key);
    }
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    this.delete(key);
    if (entry !== undefined) this.#options.dropped(entry.value);
  }
}
