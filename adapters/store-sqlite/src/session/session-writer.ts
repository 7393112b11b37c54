import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Ballast } from '../sqlite/ballast.ts';
import { SqliteDriver, type SqliteStatement, sqliteFault } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import { Endings } from './endings.ts';
import { DATA_FILE, type RoundReply, type SessionReply, type StoreState, type WriterOptions } from './messages.ts';
import { QueueTable } from './queue-table.ts';
import { RetainedTable } from './retained-table.ts';
import { type Extent, RoundApply, type Tables } from './round-apply.ts';
import { SESSION_MIGRATIONS } from './schema.ts';
import { SessionTable } from './session-table.ts';

const BALLAST_FILE = 'session.ballast';
/** Room beyond the ballast that must be free before the store grows again. */
const SPARE_BYTES = 1_048_576;
/** Free pages given back to the file system at once, 2 MiB, and how often within one attempt to recover. */
const VACUUM_PAGES = 256;
const VACUUM_SLICES = 8;

/** The only writer of the session file. Runs in a thread of its own. */
export class SessionWriter {
  readonly #options: WriterOptions;
  readonly #database: SqliteDriver;
  readonly #ballast: Ballast;
  readonly #tables: Tables;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  #state: StoreState = 'ok';
  #reason = '';
  #probedAt = Number.NEGATIVE_INFINITY;

  private constructor(options: WriterOptions, database: SqliteDriver, ballast: Ballast) {
    this.#options = options;
    this.#database = database;
    this.#ballast = ballast;
    const sessions = new SessionTable(database);
    const queue = new QueueTable(database, sessions);
    const retained = new RetainedTable(database, options.retainedMaximumBytes);
    this.#tables = { sessions, queue, retained, endings: new Endings(database, sessions, queue, retained) };
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  /** Opens or creates the file and reads the tallies. Throws `StoreError`. */
  static open(options: WriterOptions): SessionWriter {
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
      const writer = new SessionWriter(options, database, ballast);
      writer.#tables.sessions.load();
      writer.#tables.retained.load();
      writer.#tables.endings.load();
      return writer;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  ready(): Extract<SessionReply, { type: 'ready' }> {
    const { sessions, retained } = this.#tables;
    const row = this.#database
      .prepare(
        'SELECT max((SELECT ifnull(max(id), 0) FROM session), (SELECT ifnull(max(session), 0) FROM doomed)) AS id',
      )
      .get([]);
    return {
      type: 'ready',
      nextSession: Number(row?.id ?? 0) + 1,
      totals: sessions.totals,
      retained: retained.totals,
      lastChange: retained.highest,
      retainedSpaces: retained.spaces,
    };
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(operations: Uint8Array): RoundReply {
    const startedAt = performance.now();
    const reply = this.#round(operations);
    return { ...reply, elapsedMs: performance.now() - startedAt };
  }

  #round(operations: Uint8Array): RoundReply {
    if (this.#state === 'ok' || this.#recover()) {
      for (let tries = 0; tries < 2; tries++) {
        const done = this.#attempt(operations, 'all');
        if (done !== null) return this.#reply('stored', done);
        if (tries === 1) break;
        // A full disk may only be a large WAL: if a checkpoint makes room, the round gets its second chance.
        this.#probedAt = Number.NEGATIVE_INFINITY;
        if (!this.#recover()) break;
      }
    }
    if (this.#state === 'full') {
      this.#ballast.release();
      const done = this.#attempt(operations, 'shrinking');
      if (done !== null) return this.#reply('stored', done);
    }
    const { state } = this;
    const done = this.#attempt(operations, 'reading');
    this.#state = state;
    return this.#reply(state === 'full' ? 'full' : 'failed', done);
  }

  #reply(outcome: RoundReply['outcome'], done: RoundApply | null): RoundReply {
    const { sessions, retained } = this.#tables;
    return {
      type: 'round',
      outcome,
      refused: done?.refused ?? [],
      dropped: done?.dropped ?? [],
      answers: done?.answers ?? [],
      totals: sessions.totals,
      retained: retained.totals,
      state: this.#state,
      reason: this.#reason,
      elapsedMs: 0,
    };
  }

  #attempt(operations: Uint8Array, extent: Extent): RoundApply | null {
    const apply = new RoundApply(this.#tables, operations, extent, () => this.#begin.run([]));
    return this.#transact(() => apply.run()) ? apply : null;
  }

  /** Runs work that may begin a transaction; on an error the state says what happened and the memory is as before. */
  #transact(work: () => boolean): boolean {
    const { sessions, retained } = this.#tables;
    try {
      if (work()) this.#commit.run([]);
      sessions.committed();
      retained.committed();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    const fault = sqliteFault(error);
    const message = error instanceof Error ? error.message : String(error);
    this.#state = fault === 'full' || (fault === 'io' && this.#noRoom()) ? 'full' : 'failed';
    this.#reason = message;
    const { sessions, queue, endings, retained } = this.#tables;
    try {
      this.#database.rollback();
      queue.rolledBack();
      sessions.rolledBack();
      retained.rolledBack();
      endings.load();
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
      this.#database.exec('BEGIN IMMEDIATE; INSERT INTO message (id, b) VALUES (-1, zeroblob(262144)); ROLLBACK');
      this.#tables.sessions.load();
      this.#tables.retained.load();
      this.#tables.endings.load();
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
    return this.#state === 'ok' && (!this.#ballast.held || this.#tables.endings.pending);
  }

  /** Does a slice of background work. */
  background(): Extract<SessionReply, { type: 'background' }> {
    const dropped: number[] = [];
    const { sessions, queue, endings, retained } = this.#tables;
    try {
      if (!this.#ballast.held) this.#ballast.takeSome();
    } catch (error) {
      this.#ballast.release();
      this.#state = 'full';
      this.#reason = `No room for the ballast: ${error instanceof Error ? error.message : String(error)}`;
    }
    const stored =
      this.#state === 'ok' &&
      endings.pending &&
      this.#transact(() => {
        this.#begin.run([]);
        endings.step(dropped);
        queue.flush();
        sessions.flush();
        retained.flush();
        return true;
      });
    return {
      type: 'background',
      dropped: stored ? dropped : [],
      totals: sessions.totals,
      retained: retained.totals,
      state: this.#state,
      reason: this.#reason,
    };
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Writes the WAL back into the file, if the disk has room for it, and closes it. */
  close(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
    }
    this.#database.close();
  }
}

function openFile(options: WriterOptions): SqliteDriver {
  const database = SqliteDriver.open({
    path: join(options.directory, DATA_FILE),
    durability: options.durability,
    cacheKib: 16_384,
  });
  try {
    const { installationId, now } = options;
    migrate(database, { file: 'session', installationId, migrations: SESSION_MIGRATIONS, now });
    database.exec(`PRAGMA wal_autocheckpoint=${checkpointPages(options.ballastBytes)}`);
    if (options.maxPages > 0) database.exec(`PRAGMA max_page_count=${options.maxPages}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** As in the telemetry store: what the WAL needs on a full disk must fit into the ballast. */
function checkpointPages(ballastBytes: number): number {
  return ballastBytes === 0 ? 4096 : Math.max(64, Math.min(4096, Math.floor(ballastBytes / 2 / 8192)));
}
