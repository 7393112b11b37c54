/** Reads that are under way or done, by key: one read for all who ask at once. The oldest go when there are too many. */
export class ReadCache<V> {
  readonly #limit: number;
  readonly #reads = new Map<string, Promise<V>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Reads unless it is known. What `keep` refuses, and a read that fails, is not kept. */
  get(key: string, read: () => Promise<V>, keep: (value: V) => boolean = () => true): Promise<V> {
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const reading = read();
    this.#reads.set(key, reading);
    const forget = (): void => {
      if (this.#reads.get(key) === reading) this.#reads.delete(key);
    };
    reading.then((value) => {
      if (!keep(value)) forget();
    }, forget);
    for (const oldest of this.#reads.keys()) {
      if (this.#reads.size <= this.#limit) break;
      this.#reads.delete(oldest);
    }
    return reading;
  }

  /** Who asks from now on gets a new read, also where one is under way. */
  forget(key: string): void {
    this.#reads.delete(key);
  }
}
