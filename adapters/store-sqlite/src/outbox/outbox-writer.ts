import { type Extent, StoreFile } from '../sqlite/store-file.ts';
import type { StoreState } from '../sqlite/writer-messages.ts';
import { type Answer, FILE_NAME, type Operation, type OutboxWriterOptions, type RoundReply } from './messages.ts';
import { OutboxTable } from './outbox-table.ts';
import { OUTBOX_MIGRATIONS } from './schema.ts';

const READING: ReadonlySet<Operation['type']> = new Set(['load', 'read', 'list', 'statistics']);
const SHRINKING: ReadonlySet<Operation['type']> = new Set(['settle', 'removeTarget', 'expire']);

/** The only writer of the outbox file. Runs in a thread of its own. */
export class OutboxWriter {
  readonly #file: StoreFile<OutboxTable>;

  private constructor(file: StoreFile<OutboxTable>) {
    this.#file = file;
  }

  /** Opens or creates the file. Throws `StoreError`, or what SQLite says. */
  static open(options: OutboxWriterOptions): OutboxWriter {
    const particular = {
      name: FILE_NAME,
      migrations: OUTBOX_MIGRATIONS,
      cacheKib: 4_096,
      walPages: 1_024,
      trial: "INSERT INTO suspension VALUES ('trial', zeroblob(262144))",
      vacuumSlices: 8,
    };
    return new OutboxWriter(StoreFile.open({ ...options, ...particular }, (database) => new OutboxTable(database)));
  }

  get state(): StoreState {
    return this.#file.state;
  }

  get reason(): string {
    return this.#file.reason;
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(operations: readonly Operation[]): Pick<RoundReply, 'answers' | 'state' | 'reason'> {
    const { done } = this.#file.round((extent) => operations.map((operation) => this.#answer(operation, extent)));
    const answers = done ?? operations.map((): Answer => ({ outcome: 'failed', result: null }));
    return { answers, state: this.#file.state, reason: this.#file.reason };
  }

  /** Performs an operation within the round, if the extent allows it. */
  #answer(operation: Operation, extent: Extent): Answer {
    const { type } = operation;
    if (!READING.has(type)) {
      if (extent !== 'all' && (extent === 'reading' || !SHRINKING.has(type))) {
        return { outcome: this.#file.state === 'full' ? 'full' : 'failed', result: null };
      }
      this.#file.begin();
    }
    return { outcome: 'stored', result: this.#file.memory.perform(operation) };
  }

  /** True if there is background work. */
  get pending(): boolean {
    return this.#file.state === 'ok' && !this.#file.ballastHeld;
  }

  /** Does a slice of background work. */
  background(): void {
    this.#file.growBallast();
  }

  /** Writes the WAL back and closes the file; one that holds nothing is removed, so that the next start needs no thread. */
  close(): void {
    this.#file.close(() => this.#file.state === 'ok' && this.#file.memory.empty);
  }
}
