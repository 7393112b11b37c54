import { rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ballast } from './ballast.ts';
import { SqliteDriver, type SqliteStatement, sqliteFault } from './driver.ts';
import { type Migration, migrate } from './migrate.ts';
import { dataPath } from './store-options.ts';
import type { StoreState, WriterOptions } from './writer-messages.ts';

/** Room beyond the ballast that must be free before the store grows again. */
const SPARE_BYTES = 1_048_576;
/** Free pages given back to the file system at once: 2 MiB. */
export const VACUUM_PAGES = 256;
const PAGE_BYTES = 8192;
const CHECKPOINT = 'PRAGMA wal_checkpoint(TRUNCATE)';

/** What of a round is carried out: everything, only what does not grow, or only what reads. */
export type Extent = 'all' | 'shrinking' | 'reading';

/** What a writer keeps in memory of its file. */
export interface FileMemory {
  /** Reads the file: at the start, and before it is written again after a failure. */
  reload(): void;
  /** Takes back what the transaction changed that was rolled back; without it, the file is read. */
  rolledBack?(): void;
  /** Called after every round that did not fail, whether or not it changed anything. */
  committed?(): void;
}

/** What is particular to the file of one store. */
export interface StoreFileOptions extends WriterOptions {
  /** Name of the data file and of the ballast, without their endings; the data file says that it is this one. */
  readonly name: string;
  readonly migrations: readonly Migration[];
  /** Page cache. */
  readonly cacheKib: number;
  /** Most pages of the WAL before it is written back; fewer if the ballast is small. */
  readonly walPages: number;
  /** A statement that writes 256 KiB, to see whether writing works again. It is rolled back. */
  readonly trial: string;
  /** Shortest time between two attempts to leave the state `full`. */
  readonly probeIntervalMs: number;
  /** How often, at most, such an attempt gives 2 MiB of free pages back to the file system. */
  readonly vacuumSlices: number;
}

/** How a round ended; `done` is null where it was rolled back. */
export interface RoundResult<T> {
  readonly outcome: 'stored' | 'full' | 'failed';
  readonly done: T | null;
}

/**
 * The data file of a store and its ballast, in the hands of the only writer. Whatever goes wrong with a transaction becomes
 * a state; memory and file agree afterwards, and the file recovers by itself where that is possible.
 */
export class StoreFile<Memory extends FileMemory> {
  readonly database: SqliteDriver;
  readonly memory: Memory;
  readonly #options: StoreFileOptions;
  readonly #path: string;
  readonly #ballastPath: string;
  readonly #ballast: Ballast;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  #begun = false;
  #state: StoreState = 'ok';
  #reason = '';
  #probedAt = Number.NEGATIVE_INFINITY;

  private constructor(options: StoreFileOptions, database: SqliteDriver, ballast: Ballast, memory: Memory) {
    this.#options = options;
    this.#path = dataPath(options.directory, options.name);
    this.#ballastPath = ballastPath(options);
    this.database = database;
    this.#ballast = ballast;
    this.memory = memory;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  /** Opens or creates the file and loads what `memoryOf` makes for it. Throws `StoreError`, or what SQLite says. */
  static open<Memory extends FileMemory>(
    options: StoreFileOptions,
    memoryOf: (database: SqliteDriver) => Memory,
  ): StoreFile<Memory> {
    const ballast = new Ballast(ballastPath(options), options.ballastBytes);
    let database: SqliteDriver;
    try {
      database = openDatabase(options);
    } catch (error) {
      const fault = sqliteFault(error);
      if (fault !== 'full' && fault !== 'io') throw error;
      // The WAL and its index need room even to read.
      ballast.release();
      database = openDatabase(options);
    }
    try {
      const memory = memoryOf(database);
      memory.reload();
      return new StoreFile(options, database, ballast, memory);
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

  /**
   * Carries out a round, each attempt in one transaction: everything, if need be after a recovery; on a full disk what does
   * not grow, in the room of the ballast; else what only reads.
   */
  round<T>(work: (extent: Extent) => T): RoundResult<T> {
    if (this.#state === 'ok' || this.recover()) {
      for (let tries = 0; tries < 2; tries++) {
        const done = this.transact(() => work('all'));
        if (done !== null) return { outcome: 'stored', done };
        if (tries === 1) break;
        // A full disk may only be a large WAL: if a checkpoint makes room, the round gets its second chance.
        this.#probedAt = Number.NEGATIVE_INFINITY;
        if (!this.recover()) break;
      }
    }
    if (this.#state === 'full') {
      this.#ballast.release();
      const done = this.transact(() => work('shrinking'));
      if (done !== null) return { outcome: 'stored', done };
    }
    const { state } = this;
    const done = this.transact(() => work('reading'));
    this.#state = state;
    return { outcome: state === 'full' ? 'full' : 'failed', done };
  }

  /**
   * Runs work that may `begin` the transaction, and commits it. null: it failed, the state says how, and the memory is as
   * before.
   */
  transact<T>(work: () => T): T | null {
    this.#begun = false;
    try {
      const result = work();
      if (this.#begun) this.#commit.run([]);
      this.memory.committed?.();
      return result;
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** Begins the transaction, unless it has begun; to be called before the first change. */
  begin(): void {
    if (this.#begun) return;
    this.#begin.run([]);
    this.#begun = true;
  }

  /** Turns an error into a state and brings file and memory back to the last commit. */
  fail(error: unknown): void {
    const fault = sqliteFault(error);
    const message = messageOf(error);
    this.#state = fault === 'full' || (fault === 'io' && this.#noRoom()) ? 'full' : 'failed';
    this.#reason = message;
    try {
      this.database.rollback();
      if (this.memory.rolledBack === undefined) this.memory.reload();
      else this.memory.rolledBack();
    } catch (reloadError) {
      this.#state = 'failed';
      this.#reason = `${message}; then ${messageOf(reloadError)}`;
    }
  }

  #noRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#options.directory);
    return bavail * bsize < SPARE_BYTES;
  }

  /** Tries to grow again: makes room by a checkpoint, takes the ballast back, and writes on trial. */
  recover(): boolean {
    if (this.#state === 'full') {
      const now = performance.now();
      if (now - this.#probedAt < this.#options.probeIntervalMs) return false;
      this.#probedAt = now;
      this.#ballast.release();
      if (!this.#giveBack() || !this.#ballast.take(SPARE_BYTES)) return false;
    }
    try {
      this.database.exec(`BEGIN IMMEDIATE; ${this.#options.trial}; ROLLBACK`);
      this.memory.reload();
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.#state = 'ok';
    this.#reason = '';
    return true;
  }

  /** Writes the WAL back and returns free pages to the file system. */
  #giveBack(): boolean {
    return this.#noting(() => {
      this.database.exec(CHECKPOINT);
      const { vacuumSlices } = this.#options;
      for (let slice = 0; slice < vacuumSlices && Number(this.database.pragma('freelist_count')) > 0; slice++) {
        this.database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES}); ${CHECKPOINT}`);
      }
    });
  }

  /** Writes the WAL back; false: there was no room for it. */
  checkpoint(): boolean {
    return this.#noting(() => this.database.exec(CHECKPOINT));
  }

  /** Does what may fail without harm; an error is only the reason. */
  #noting(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#reason = messageOf(error);
      return false;
    }
  }

  /** False while there is ballast to take by `growBallast`. */
  get ballastHeld(): boolean {
    return this.#ballast.held;
  }

  /** Takes one more piece of the ballast; the state is `full` if there is no room for it. */
  growBallast(): void {
    if (this.#ballast.held) return;
    try {
      this.#ballast.takeSome();
    } catch (error) {
      this.#ballast.release();
      this.#state = 'full';
      this.#reason = `No room for the ballast: ${messageOf(error)}`;
    }
  }

  /** Bytes of the file, its WAL and index, and the ballast. */
  get sizeBytes(): number {
    const path = this.#path;
    const files = [path, `${path}-wal`, `${path}-shm`, this.#ballastPath];
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Writes the WAL back, if the disk has room for it, and closes the file; it is removed if `useless` says so. */
  close(useless: () => boolean = () => false): void {
    let remove = false;
    const written = this.#noting(() => {
      remove = useless();
      this.database.exec(CHECKPOINT);
    });
    this.database.close();
    if (!written || !remove) return;
    for (const path of [this.#path, this.#ballastPath]) rmSync(path, { force: true });
  }
}

function ballastPath({ directory, name }: StoreFileOptions): string {
  return join(directory, `${name}.ballast`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function openDatabase(options: StoreFileOptions): SqliteDriver {
  const { durability, cacheKib, installationId, migrations, now } = options;
  const database = SqliteDriver.open({ path: dataPath(options.directory, options.name), durability, cacheKib });
  try {
    migrate(database, { file: options.name, installationId, migrations, now });
    database.exec(`PRAGMA wal_autocheckpoint=${checkpointPages(options)}`);
    if (options.maxPages > 0) database.exec(`PRAGMA max_page_count=${options.maxPages}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * Pages of the WAL after which it is written back. On a full disk that needs as much room again, which the ballast must
 * give; without one nothing is promised.
 */
function checkpointPages({ ballastBytes, walPages }: StoreFileOptions): number {
  if (ballastBytes === 0) return walPages;
  return Math.max(64, Math.min(walPages, Math.floor(ballastBytes / 2 / PAGE_BYTES)));
}
