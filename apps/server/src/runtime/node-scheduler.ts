import type { Scheduler } from '@moorage/core';

/** Longest delay of a timer of Node; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The event loop of Node. */
export class NodeScheduler implements Scheduler {
  #waiting: (() => void)[] = [];
  readonly #runAll = (): void => this.#run();

  /**
   * The check phase of the event loop comes right after the poll phase, which reads all sockets that are ready. What a
   * task itself asks for is run one turn later, so that reading is never starved.
   */
  endOfTurn(task: () => void): void {
    if (this.#waiting.push(task) === 1) setImmediate(this.#runAll);
  }

  every(intervalMs: number, task: () => void): () => void {
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel = this.after(intervalMs, () => {
        arm();
        task();
      });
    };
    if (intervalMs > LONGEST_DELAY_MS) {
      arm();
      return () => cancel();
    }
    const timer = setInterval(task, intervalMs).unref();
    return () => clearInterval(timer);
  }

  after(delayMs: number, task: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      const step = Math.min(remainingMs, LONGEST_DELAY_MS);
      timer = setTimeout(() => (remainingMs > step ? arm(remainingMs - step) : task()), step).unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  }

  #run(): void {
    const tasks = this.#waiting;
    this.#waiting = [];
    let done = 0;
    try {
      for (const task of tasks) {
        done++;
        task();
      }
    } finally {
      // A task that throws is reported by the process; the others have not failed and are not lost.
      for (const task of tasks.slice(done)) this.endOfTurn(task);
    }
  }
}
