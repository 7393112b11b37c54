import type { Completion, Scheduler } from '@moorage/core';

type Outcome = Parameters<Completion['release']>[0];

const SEVERITY: Readonly<Record<Outcome, number>> = { stored: 0, full: 1, failed: 2 };

/** Longest wait for the stores, as for an acknowledgement over MQTT. architecture.md, section 2, step 5 */
const STORE_TIMEOUT_MS = 30_000;

/** The stake of a request in the stores it waits for; the worst outcome wins. */
export class Stake implements Completion {
  readonly #scheduler: Scheduler;
  #holds = 0;
  #outcome: Outcome = 'stored';
  #settled: (() => void) | null = null;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  hold(): void {
    this.#holds++;
  }

  release(outcome: Outcome): void {
    if (SEVERITY[outcome] > SEVERITY[this.#outcome]) this.#outcome = outcome;
    this.#holds--;
    if (this.#holds === 0) this.#settled?.();
  }

  /** Resolves when nothing is held any more; `failed` after 30 s without an answer. */
  settled(): Promise<Outcome> {
    if (this.#holds === 0) return Promise.resolve(this.#outcome);
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(STORE_TIMEOUT_MS, () => resolve('failed'));
      this.#settled = () => {
        cancel();
        resolve(this.#outcome);
      };
    });
  }
}
