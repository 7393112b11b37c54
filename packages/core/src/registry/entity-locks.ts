/** Runs tasks of one key one after the other; tasks of different keys do not wait for each other. */
export class EntityLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `task` after every earlier task of `key` has ended, whatever became of it. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#tails.set(key, ended);
    if (before !== undefined) await before;
    try {
      return await task();
    } finally {
      if (this.#tails.get(key) === ended) this.#tails.delete(key);
      end();
    }
  }
}
