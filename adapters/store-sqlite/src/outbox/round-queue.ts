import type { Answer, Operation } from './messages.ts';

/** An operation and whoever waits for its answer. */
export interface Asked {
  readonly operation: Operation;
  readonly answered: (answer: Answer) => void;
}

/** Most operations and bytes of bodies of one commit. */
const ROUND_OPERATIONS = 256;
const ROUND_BYTES = 8_388_608;

/** Collects operations into rounds: while one is being committed, the next one grows. */
export class OutboxRounds {
  readonly #commit: (round: readonly Asked[]) => Promise<void>;
  #waiting: Asked[] = [];
  #busy = false;
  #scheduled = false;
  #idle: (() => void)[] = [];

  /** `commit` answers everything in the round, and never rejects. */
  constructor(commit: (round: readonly Asked[]) => Promise<void>) {
    this.#commit = commit;
  }

  ask(operation: Operation): Promise<Answer> {
    return new Promise((answered) => {
      this.#waiting.push({ operation, answered });
      if (this.#busy || this.#scheduled) return;
      this.#scheduled = true;
      // What is asked in the same turn of the event loop shares a commit.
      setImmediate(() => {
        this.#scheduled = false;
        void this.#run();
      });
    });
  }

  /** Resolves once everything that was asked has been answered. */
  drained(): Promise<void> {
    if (!this.#busy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) await this.#commit(this.#take());
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #take(): readonly Asked[] {
    let count = 0;
    let bytes = 0;
    for (const { operation } of this.#waiting) {
      if (count > 0 && (count >= ROUND_OPERATIONS || bytes >= ROUND_BYTES)) break;
      if (operation.type === 'append') bytes += operation.entries.bodies.length;
      count += 1;
    }
    const round = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return round;
  }
}
