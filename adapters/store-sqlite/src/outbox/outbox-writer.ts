import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Ballast } from '../sqlite/ballast.ts';
import { SqliteDriver, sqliteFault } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import {
  type Answer,
  BALLAST_FILE,
  DATA_FILE,
  type Operation,
  type RoundReply,
  type StoreState,
  type WriterOptions,
} from './messages.ts';
import { OutboxTable } from './outbox-table.ts';
import { OUTBOX_MIGRATIONS } from './schema.ts';

/** Room beyond the ballast that must be free before the store grows again. */
const SPARE_BYTES = 1_048_576;
/** Free pages given back to the file system at once, 2 MiB, and how often within one attempt to recover. */
const VACUUM_PAGES = 256;
const VACUUM_SLICES = 8;

type Extent = 'all' | 'shrinking' | 'reading';

const READING: ReadonlySet<Operation['type']> = new Set(['load', 'read', 'list', 'statistics']);
const SHRINKING: ReadonlySet<Operation['type']> = new Set(['settle', 'removeTarget', 'expire']);

/** The only writer of the outbox file. Runs in a thread of its own. */
export class OutboxWriter {
  readonly #options: WriterOptions;
  readonly #database: SqliteDriver;
  readonly #ballast: Ballast;
  readonly #table: OutboxTable;
  #state: StoreState = 'ok';
  #reason = '';
  #probedAt = Number.NEGATIVE_INFINITY;

  private constructor(options: WriterOptions, database: SqliteDriver, ballast: Ballast) {
    this.#options = options;
    this.#database = database;
    this.#ballast = ballast;
    this.#table = new OutboxTable(database);
    this.#table.reload();
  }

  /** Opens or creates the file. Throws `StoreError`, or what SQLite says. */
  static open(options: WriterOptions): OutboxWriter {
    const ballast = new Ballast(join(options.directory, BALLAST_FILE), options.ballastBytes);
    let database: SqliteDriver;
    try {
      database = openFile(options);
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault !== 'full' && fault !== 'io') throw error;
      // The WAL and its index need room even to read.
      ballast.release();
      database = openFile(options);
    }
    try {
      return new OutboxWriter(options, database, ballast);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get state(): StoreState {
    return this.#state;
  }

  get reason(): string {
    return this.#reason;
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(operations: readonly Operation[]): Pick<RoundReply, 'answers' | 'state' | 'reason'> {
    const answers = this.#answers(operations);
    return { answers, state: this.#state, reason: this.#reason };
  }

  #answers(operations: readonly Operation[]): readonly Answer[] {
    if (this.#state === 'ok' || this.#recover()) {
      for (let tries = 0; tries < 2; tries++) {
        const answers = this.#attempt(operations, 'all');
        if (answers !== null) return answers;
        if (tries === 1) break;
        // A full disk may only be a large WAL: if a checkpoint makes room, the round gets its second chance.
        this.#probedAt = Number.NEGATIVE_INFINITY;
        if (!this.#recover()) break;
      }
    }
    if (this.#state === 'full') {
      this.#ballast.release();
      const answers = this.#attempt(operations, 'shrinking');
      if (answers !== null) return answers;
    }
    const state = this.#state;
    const answers = this.#attempt(operations, 'reading');
    this.#state = state;
    return answers ?? operations.map(() => ({ outcome: 'failed', result: null }));
  }

  /** Performs what the extent allows, in one transaction; null: it was rolled back. */
  #attempt(operations: readonly Operation[], extent: Extent): readonly Answer[] | null {
    let begun = false;
    try {
      const answers = operations.map((operation): Answer => {
        const { type } = operation;
        const reads = READING.has(type);
        if (!reads && extent !== 'all' && (extent === 'reading' || !SHRINKING.has(type))) {
          return { outcome: this.#state === 'full' ? 'full' : 'failed', result: null };
        }
        if (!reads && !begun) {
          this.#database.exec('BEGIN IMMEDIATE');
          begun = true;
        }
        return { outcome: 'stored', result: this.#table.perform(operation) };
      });
      if (begun) this.#database.exec('COMMIT');
      return answers;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #fail(error: unknown): void {
    const fault = sqliteFault(error);
    const message = error instanceof Error ? error.message : String(error);
    this.#state = fault === 'full' || (fault === 'io' && this.#noRoom()) ? 'full' : 'failed';
    this.#reason = message;
    try {
      this.#database.rollback();
      this.#table.reload();
    } catch (reloadError) {
      this.#state = 'failed';
      this.#reason = `${message}; then ${reloadError instanceof Error ? reloadError.message : String(reloadError)}`;
    }
  }

  #noRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#options.directory);
    return bavail * bsize < SPARE_BYTES;
  }

  /** Tries to grow again: makes room by a checkpoint, takes the ballast back, and writes on trial. */
  #recover(): boolean {
    const now = performance.now();
    if (this.#state === 'full') {
      if (now - this.#probedAt < this.#options.probeIntervalMs) return false;
      this.#probedAt = now;
      this.#ballast.release();
      if (!this.#giveBack() || !this.#ballast.take(SPARE_BYTES)) return false;
    }
    try {
      this.#database.exec("BEGIN IMMEDIATE; INSERT INTO suspension VALUES ('trial', zeroblob(262144)); ROLLBACK");
      this.#table.reload();
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#state = 'ok';
    this.#reason = '';
    return true;
  }

  /** Writes the WAL back and returns free pages to the file system. */
  #giveBack(): boolean {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      for (let slice = 0; slice < VACUUM_SLICES && Number(this.#database.pragma('freelist_count')) > 0; slice++) {
        this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES}); PRAGMA wal_checkpoint(TRUNCATE)`);
      }
      return true;
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      return false;
    }
  }

  /** True if there is background work. */
  get pending(): boolean {
    return this.#state === 'ok' && !this.#ballast.held;
  }

  /** Does a slice of background work. */
  background(): void {
    try {
      if (!this.#ballast.held) this.#ballast.takeSome();
    } catch (error) {
      this.#ballast.release();
      this.#state = 'full';
      this.#reason = `No room for the ballast: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Writes the WAL back and closes the file; one that holds nothing is removed, so that the next start needs no thread. */
  close(): void {
    let empty = false;
    try {
      empty = this.#state === 'ok' && this.#table.empty;
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      empty = false;
    }
    this.#database.close();
    if (!empty) return;
    for (const name of [DATA_FILE, BALLAST_FILE]) rmSync(join(this.#options.directory, name), { force: true });
  }
}

function openFile(options: WriterOptions): SqliteDriver {
  const database = SqliteDriver.open({
    path: join(options.directory, DATA_FILE),
    durability: options.durability,
    cacheKib: 4_096,
  });
  try {
    const { installationId, now } = options;
    migrate(database, { file: 'outbox', installationId, migrations: OUTBOX_MIGRATIONS, now });
    database.exec(`PRAGMA wal_autocheckpoint=${checkpointPages(options.ballastBytes)}`);
    if (options.maxPages > 0) database.exec(`PRAGMA max_page_count=${options.maxPages}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** As in the other stores: what the WAL needs on a full disk must fit into the ballast. */
function checkpointPages(ballastBytes: number): number {
  return ballastBytes === 0 ? 1024 : Math.max(64, Math.min(1024, Math.floor(ballastBytes / 2 / 8192)));
}
