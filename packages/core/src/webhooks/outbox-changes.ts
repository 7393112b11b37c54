import type { DeadLetter, OutboxSequence, OutboxStore } from '../ports/outbox-store.ts';
import type { Scheduler } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

export type Letter = Omit<DeadLetter, 'message' | 'createdTime'>;

/** How long a change waits for others to share its commit. A process that dies in between sends these messages again. */
const DELAY_MS = 20;
/** Pause after a change that the store did not take. */
const RETRY_MS = 1_000;
const BATCH = 1_000;
/** So many changes that the store does not take stop the sending of more. */
const MAX_PENDING = 10_000;

interface Burial {
  readonly letter: Letter;
  readonly done: () => void;
}

/** What became of messages, on its way into the store: in groups, and again until the store takes it. */
export class OutboxChanges {
  readonly #store: OutboxStore;
  readonly #scheduler: Pick<Scheduler, 'after'>;
  readonly #report: (error: unknown) => void;
  readonly #unblocked: () => void;
  #settled: OutboxSequence[] = [];
  #burials: Burial[] = [];
  #tasks: (() => Promise<WriteOutcome>)[] = [];
  #cancel: (() => void) | null = null;
  #running: Promise<boolean> | null = null;
  #closed = false;

  /** `unblocked` is called when `blocked` ends. */
  constructor(
    store: OutboxStore,
    scheduler: Pick<Scheduler, 'after'>,
    report: (error: unknown) => void,
    unblocked: () => void,
  ) {
    this.#store = store;
    this.#scheduler = scheduler;
    this.#report = report;
    this.#unblocked = unblocked;
  }

  /** True while the store lags so far behind that nothing more should be sent. */
  get blocked(): boolean {
    return this.#settled.length + this.#burials.length > MAX_PENDING;
  }

  settle(sequence: OutboxSequence): void {
    this.#settled.push(sequence);
    this.#later(DELAY_MS);
  }

  /** Resolves when the letter is durable; never if the process ends before. */
  bury(letter: Letter): Promise<void> {
    return new Promise((done) => {
      this.#burials.push({ letter, done });
      this.#later(DELAY_MS);
    });
  }

  /** Another change of the store; those given here keep their order among each other. */
  task(run: () => Promise<WriteOutcome>): void {
    this.#tasks.push(run);
    this.#later(DELAY_MS);
  }

  /** Writes what there is, as far as the store takes it; nothing is tried again later. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
    while (this.#pending && (await this.#round()));
  }

  get #pending(): boolean {
    return this.#settled.length + this.#burials.length + this.#tasks.length > 0;
  }

  #later(delayMs: number): void {
    if (this.#closed || this.#cancel !== null || this.#running !== null) return;
    this.#cancel = this.#scheduler.after(delayMs, () => {
      this.#cancel = null;
      this.#running = this.#round();
      void this.#running.then((taken) => {
        this.#running = null;
        if (this.#pending) this.#later(taken ? DELAY_MS : RETRY_MS);
      });
    });
  }

  /** One group; false: the store did not take all of it, and that part waits on. */
  async #round(): Promise<boolean> {
    const blocked = this.blocked;
    const settled = this.#settled.slice(0, BATCH);
    const burials = this.#burials.slice(0, BATCH);
    const [task] = this.#tasks;
    const letters = burials.map(({ letter }) => letter);
    // Asked in one turn, so that they share a commit.
    const [first, second, third] = await Promise.all([
      settled.length === 0 ? 'stored' : this.#ask(() => this.#store.settle(settled)),
      letters.length === 0 ? 'stored' : this.#ask(() => this.#store.bury(letters)),
      task === undefined ? 'stored' : this.#ask(task),
    ]);
    if (first === 'stored') this.#settled = this.#settled.slice(settled.length);
    if (second === 'stored') this.#burials = this.#burials.slice(burials.length);
    if (third === 'stored' && task !== undefined) this.#tasks.shift();
    if (second === 'stored') for (const { done } of burials) done();
    if (blocked && !this.blocked) this.#unblocked();
    return first === 'stored' && second === 'stored' && third === 'stored';
  }

  async #ask(run: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    try {
      return await run();
    } catch (error) {
      this.#report(error);
      return 'failed';
    }
  }
}
