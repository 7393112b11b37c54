import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

/** A value as SQLite returns it; integers are numbers unless the statement was prepared with `bigIntegers`. */
export type SqlValue = null | number | bigint | string | Uint8Array<ArrayBuffer>;
/** A result row by column name; the object has no prototype. */
export type SqlRow = Record<string, SqlValue>;

/** A prepared statement. The shape is the one kysely's `SqliteDialect` expects, plus `get`. */
export interface SqliteStatement {
  /** True if the statement returns rows. */
  readonly reader: boolean;
  all(parameters: readonly unknown[]): SqlRow[];
  get(parameters: readonly unknown[]): SqlRow | undefined;
  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  iterate(parameters: readonly unknown[]): IterableIterator<SqlRow>;
}

export interface SqliteOpenOptions {
  /** File path; it is created with mode 0600. `:memory:` is for tests of statements only. */
  readonly path: string;
  /** Opens an existing file for reading only. */
  readonly readOnly?: boolean;
  /** `full` syncs the WAL at each commit; `normal` only at checkpoints. Default `full`. */
  readonly durability?: 'full' | 'normal';
  /** Page cache, KiB. Default 2,000. */
  readonly cacheKib?: number;
}

/** Oldest SQLite without the WAL-reset corruption (sqlite.org/changes.html, 3.51.3). */
export const OLDEST_SQLITE = '3.51.3';

/** What went wrong inside SQLite, by its primary result code. */
export type SqliteFault = 'full' | 'busy' | 'constraint' | 'corrupt' | 'io' | 'other';

const FAULTS: ReadonlyMap<number, SqliteFault> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [19, 'constraint'],
  [26, 'corrupt'],
]);
/** SQLITE_IOERR_SHMSIZE: the WAL index could not grow, which is how a full disk shows itself there. */
const IOERR_SHMSIZE = 4874;

/** Classifies an error thrown by a statement; anything that is not SQLite's is `other`. */
export function sqliteFault(error: unknown): SqliteFault {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return 'other';
  if (error.errcode === IOERR_SHMSIZE) return 'full';
  return FAULTS.get(error.errcode & 0xff) ?? 'other';
}

function bind(parameters: readonly unknown[]): SQLInputValue[] {
  const bound: SQLInputValue[] = [];
  for (const value of parameters) {
    if (value === null || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') {
      bound.push(value);
    } else if (value instanceof Uint8Array) bound.push(value);
    else if (typeof value === 'boolean') bound.push(value ? 1 : 0);
    else throw new TypeError(`SQL parameter of type ${typeof value} cannot be bound`);
  }
  return bound;
}

class Statement implements SqliteStatement {
  readonly #native: StatementSync;
  readonly reader: boolean;

  constructor(native: StatementSync) {
    this.#native = native;
    this.reader = native.columns().length > 0;
  }

  all(parameters: readonly unknown[]): SqlRow[] {
    return this.#native.all(...bind(parameters));
  }

  get(parameters: readonly unknown[]): SqlRow | undefined {
    return this.#native.get(...bind(parameters));
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#native.run(...bind(parameters));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<SqlRow> {
    return this.#native.iterate(...bind(parameters));
  }
}

function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * 1_000_000 + minor * 1000 + patch;
}

/**
 * One SQLite connection with the settings every store file shares: WAL, pages of 8 KiB, incremental vacuum, a
 * checkpoint after 4096 pages, foreign keys. Fits `SqliteDialect` of kysely as its `database`.
 */
export class SqliteDriver {
  readonly #native: DatabaseSync;

  private constructor(native: DatabaseSync) {
    this.#native = native;
  }

  /** Opens or creates a file. Throws `StoreError` `sqlite-too-old` or `corrupt-file`. */
  static open(options: SqliteOpenOptions): SqliteDriver {
    const readOnly = options.readOnly ?? false;
    if (!readOnly && options.path !== ':memory:') {
      // SQLite gives the WAL and its index the mode of the main file.
      closeSync(openSync(options.path, 'a', 0o600));
      chmodSync(options.path, 0o600);
    }
    const native = new DatabaseSync(options.path, { readOnly, timeout: 5000 });
    const driver = new SqliteDriver(native);
    try {
      driver.#configure(options, readOnly);
    } catch (error) {
      native.close();
      if (sqliteFault(error) !== 'corrupt') throw error;
      throw new StoreError('corrupt-file', `${options.path} is not a readable SQLite file`, { cause: error });
    }
    return driver;
  }

  #configure(options: SqliteOpenOptions, readOnly: boolean): void {
    const version = String(this.prepare('SELECT sqlite_version() AS version').get([])?.version);
    if (versionNumber(version) < versionNumber(OLDEST_SQLITE)) {
      throw new StoreError('sqlite-too-old', `SQLite ${version} is older than ${OLDEST_SQLITE}; use a newer Node.js`);
    }
    this.exec(`PRAGMA cache_size=${-(options.cacheKib ?? 2000)}; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY`);
    if (readOnly) {
      this.exec('PRAGMA query_only=ON');
      return;
    }
    // Page size and vacuum mode only take effect before the file has its first page, hence before WAL.
    this.exec('PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL');
    this.exec(`PRAGMA synchronous=${options.durability === 'normal' ? 'NORMAL' : 'FULL'}`);
    this.exec('PRAGMA wal_autocheckpoint=4096; PRAGMA journal_size_limit=67108864');
  }

  /** Compiles one statement. With `bigIntegers` every integer column comes back as a bigint. */
  prepare(sql: string, bigIntegers = false): SqliteStatement {
    const native = this.#native.prepare(sql);
    if (bigIntegers) native.setReadBigInts(true);
    return new Statement(native);
  }

  /** Runs statements without parameters and results. */
  exec(sql: string): void {
    this.#native.exec(sql);
  }

  /** First column of the first row of a PRAGMA, e.g. `pragma('page_count')`. */
  pragma(text: string): SqlValue | undefined {
    const row = this.prepare(`PRAGMA ${text}`).get([]);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** Runs `work` in one immediate transaction: commits if it returns, rolls back and rethrows if it throws. */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    let result: T;
    try {
      result = work();
      this.exec('COMMIT');
    } catch (error) {
      this.rollback();
      throw error;
    }
    return result;
  }

  /** Rolls back; does nothing when SQLite has already done so, as after SQLITE_FULL. */
  rollback(): void {
    if (this.#native.isTransaction) this.exec('ROLLBACK');
  }

  close(): void {
    if (this.#native.isOpen) this.#native.close();
  }
}
