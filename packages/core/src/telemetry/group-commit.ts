import type { Clock, Scheduler } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

/** What a group commit needs to know of its batches. */
export interface GroupCommitOptions<Batch> {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Least time between the beginnings of two commits, 0 to 1000 ms. A full batch does not wait for it. */
  readonly commitIntervalMs: number;
  /** An empty batch; called once at the start and again whenever a batch is closed. */
  open(): Batch;
  write(batch: Batch): Promise<WriteOutcome>;
  /** Called once for every batch, in the order the batches were closed. */
  settle(batch: Batch, outcome: WriteOutcome): void;
  fault(error: unknown): void;
}

/**
 * One commit in flight; everything that arrives meanwhile forms the next one. A commit begins at the end of the turn,
 * so that all that was read in one turn shares it. architecture.md, section 2
 *
 * A store that never answers holds its batch, and everything behind it, for ever: nothing is released here. Whoever
 * waits has a deadline of its own.
 */
export class GroupCommit<Batch extends { readonly empty: boolean }> {
  /** The batch that is filled at present. */
  current: Batch;
  readonly #options: GroupCommitOptions<Batch>;
  readonly #full: Batch[] = [];
  #inFlight: Batch | null = null;
  #endOfTurnAsked = false;
  #cancelTimer: (() => void) | null = null;
  #notBefore = Number.NEGATIVE_INFINITY;
  #hurried = false;

  constructor(options: GroupCommitOptions<Batch>) {
    this.#options = options;
    this.current = options.open();
  }

  /** Call after something was put into `current`. */
  added(): void {
    if (this.#inFlight !== null || this.#endOfTurnAsked) return;
    this.#endOfTurnAsked = true;
    this.#options.scheduler.endOfTurn(this.#atEndOfTurn);
  }

  /** Closes the current batch because it is full. */
  closeCurrent(): void {
    this.#full.push(this.current);
    this.current = this.#options.open();
    if (this.#inFlight === null) this.#begin();
  }

  /** Commits without regard to the interval from now on (true), or with regard to it again (false). */
  hurry(hurried: boolean): void {
    this.#hurried = hurried;
    if (hurried) this.#beginIfDue();
  }

  readonly #atEndOfTurn = (): void => {
    this.#endOfTurnAsked = false;
    this.#beginIfDue();
  };

  readonly #atTimer = (): void => {
    this.#cancelTimer = null;
    this.#beginIfDue();
  };

  #beginIfDue(): void {
    if (this.#inFlight !== null) return;
    const due = this.#full.length > 0;
    if (!due && this.current.empty) return;
    const waitMs = due || this.#hurried ? 0 : this.#notBefore - this.#options.clock.monotonic();
    if (waitMs <= 0) this.#begin();
    else this.#cancelTimer ??= this.#options.scheduler.after(waitMs, this.#atTimer);
  }

  #begin(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    let batch = this.#full.shift();
    if (batch === undefined) {
      batch = this.current;
      this.current = this.#options.open();
    }
    this.#inFlight = batch;
    const intervalMs = this.#options.commitIntervalMs;
    if (intervalMs > 0) this.#notBefore = this.#options.clock.monotonic() + intervalMs;
    try {
      this.#options.write(batch).then(this.#answered, this.#broke);
    } catch (error) {
      this.#options.fault(error);
      Promise.resolve<WriteOutcome>('failed').then(this.#answered, this.#broke);
    }
  }

  readonly #answered = (outcome: WriteOutcome): void => {
    const batch = this.#inFlight;
    if (batch === null) return;
    this.#inFlight = null;
    this.#beginIfDue();
    this.#options.settle(batch, outcome);
  };

  readonly #broke = (error: unknown): void => {
    this.#options.fault(error);
    this.#answered('failed');
  };
}
