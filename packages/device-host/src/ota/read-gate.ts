/**
 * Lets a bounded number of reads run at the same time, the others in the order in which they asked. A connection asks
 * for one read after the other, so that many downloads go on side by side. architecture.md, Direct push
 */
export class ReadGate {
  readonly #limit: number;
  #running = 0;
  #line: (() => Promise<void>)[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `read` as soon as it is its turn; it must not reject. */
  enter(read: () => Promise<void>): void {
    if (this.#running >= this.#limit) {
      this.#line.push(read);
      return;
    }
    this.#run(read);
  }

  #run(read: () => Promise<void>): void {
    this.#running++;
    read().finally(() => {
      this.#running--;
      this.#next();
    });
  }

  #next(): void {
    const read = this.#line[this.#head];
    if (read === undefined) return;
    this.#head++;
    if (this.#head === this.#line.length || this.#head >= 1_000) {
      this.#line = this.#line.slice(this.#head);
      this.#head = 0;
    }
    this.#run(read);
  }
}
