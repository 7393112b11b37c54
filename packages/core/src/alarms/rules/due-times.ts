/** Something that is due at a moment; a later `put` of the same thing leaves older entries behind, which are skipped. */
interface Entry<T> {
  readonly at: number;
  readonly thing: T;
}

/** What is due when, the earliest first: a binary heap. Things are compared by identity. */
export class DueTimes<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #times = new Map<T, number>();

  /** Monotonic time of the earliest; null: nothing is due. */
  get next(): number | null {
    this.#skip();
    return this.#heap[0]?.at ?? null;
  }

  get size(): number {
    return this.#times.size;
  }

  /** `at` null: not due any more. */
  put(thing: T, at: number | null): void {
    if (at === null) {
      this.#times.delete(thing);
      return;
    }
    if (this.#times.get(thing) === at) return;
    this.#times.set(thing, at);
    this.#heap.push({ at, thing });
    this.#up(this.#heap.length - 1);
    if (this.#heap.length > 1000 && this.#heap.length > 4 * this.#times.size) this.#rebuild();
  }

  /** Takes everything that is due by now. */
  take(now: number): readonly T[] {
    const due: T[] = [];
    for (;;) {
      this.#skip();
      const first = this.#heap[0];
      if (first === undefined || first.at > now) return due;
      this.#pop();
      this.#times.delete(first.thing);
      due.push(first.thing);
    }
  }

  #skip(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#times.get(first.thing) === first.at) return;
      this.#pop();
    }
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #rebuild(): void {
    const entries = [...this.#times].map(([thing, at]) => ({ at, thing })).sort((a, b) => a.at - b.at);
    this.#heap.splice(0, this.#heap.length, ...entries);
  }

  #up(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#at(parent) <= this.#at(child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #down(index: number): void {
    for (let parent = index; ; ) {
      const left = 2 * parent + 1;
      let least = parent;
      if (this.#at(left) < this.#at(least)) least = left;
      if (this.#at(left + 1) < this.#at(least)) least = left + 1;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
