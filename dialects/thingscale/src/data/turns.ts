/** Tasks of one key follow one another; those of different keys do not wait. */
export class Turns<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  /** Whether a task of this key is under way or waits. */
  isBusy(key: K): boolean {
    return this.#last.has(key);
  }

  run<T>(key: K, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    // The first task begins at once.
    const turn = before === undefined ? task() : before.then(task, task);
    this.#last.set(key, turn);
    const done = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(done, done);
    return turn;
  }
}
