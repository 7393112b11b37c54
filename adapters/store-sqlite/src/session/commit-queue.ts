import { StoreError } from '../sqlite/store-error.ts';
import type { RoundReply } from './messages.ts';
import { Round } from './round.ts';

/** What the queue needs from the store. */
export interface CommitPort {
  send(operations: Uint8Array<ArrayBuffer>): void;
  /** A round has ended; called before its completions are. */
  finished(round: Round, reply: Omit<RoundReply, 'type'>): void;
}

/**
 * Most rows and bytes of one commit; an operation that is larger alone is a commit of its own. Each commit writes the last
 * page of every queue it touches: measured with 100 queues, rows cost 20 % less in commits of 4,000 than of 2,000.
 */
const ROUND_ROWS = 4_000;
const ROUND_BYTES = 4_194_304;

const ABANDONED: Omit<RoundReply, 'type'> = {
  outcome: 'failed',
  refused: [],
  dropped: [],
  answers: [],
  totals: { messages: 0, bytes: 0 },
  retained: { messages: 0, bytes: 0 },
  state: 'failed',
  reason: 'thread ended',
  elapsedMs: 0,
};

/** Collects operations into rounds: while one is being committed, the next one grows. */
export class CommitQueue {
  readonly #port: CommitPort;
  #open = new Round();
  /** Full ones that wait behind the one under way. */
  #ready: Round[] = [];
  #flying: Round | null = null;
  #spare: Round[] = [];
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(port: CommitPort) {
    this.#port = port;
  }

  /** The round that takes the next operation. */
  round(): Round {
    if (this.#open.weight >= ROUND_ROWS || this.#open.writer.at >= ROUND_BYTES) {
      this.#ready.push(this.#open);
      this.#open = this.#spare.pop() ?? new Round();
    }
    if (!this.#scheduled && this.#flying === null) {
      this.#scheduled = true;
      // What arrives in the same turn of the event loop shares a commit.
      setImmediate(this.#turnEnded);
    }
    return this.#open;
  }

  /** What the rounds that are under way will change, about. */
  get pending(): { readonly addedMessages: number; readonly addedBytes: number; readonly settledMessages: number } {
    let addedMessages = 0;
    let addedBytes = 0;
    let settledMessages = 0;
    for (const round of this.#waiting()) {
      addedMessages += round.addedMessages;
      addedBytes += round.addedBytes;
      settledMessages += round.settledMessages;
    }
    return { addedMessages, addedBytes, settledMessages };
  }

  /** Resolves once everything handed in has been answered. */
  drained(): Promise<void> {
    if (this.#flying === null && this.#open.weight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The round under way has ended. The next one goes before anybody is told. */
  settle(reply: RoundReply): void {
    const round = this.#flying;
    if (round === null) return;
    this.#flying = null;
    this.#pump();
    this.#finish(round, reply);
    round.clear();
    this.#spare.push(round);
    if (this.#flying !== null || this.#open.weight > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Answers everything with `failed`: the thread is gone. */
  abandon(): void {
    const rounds = [...this.#waiting()];
    this.#flying = null;
    this.#ready = [];
    this.#open = new Round();
    for (const round of rounds) this.#finish(round, ABANDONED);
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  *#waiting(): Iterable<Round> {
    if (this.#flying !== null) yield this.#flying;
    yield* this.#ready;
    yield this.#open;
  }

  readonly #turnEnded = (): void => {
    this.#scheduled = false;
    if (this.#flying === null) this.#pump();
  };

  #pump(): void {
    const round = this.#ready.shift() ?? this.#open;
    if (round.weight === 0) return;
    if (round === this.#open) this.#open = this.#spare.pop() ?? new Round();
    this.#flying = round;
    this.#port.send(round.writer.slice());
  }

  #finish(round: Round, reply: Omit<RoundReply, 'type'>): void {
    this.#port.finished(round, reply);
    const outcomes = round.outcomes(reply);
    const { completions, reads } = round;
    for (let index = 0; index < completions.length; index++) completions[index]?.release(outcomes.of(index));
    for (let index = 0; index < reads.length; index++) {
      const answer = reply.answers[index];
      if (answer !== undefined && answer !== null) reads[index]?.resolve(answer);
      else {
        const code = reply === ABANDONED ? 'worker-stopped' : 'corrupt-record';
        reads[index]?.reject(new StoreError(code, `The session store cannot be read: ${reply.reason}`));
      }
    }
  }
}
