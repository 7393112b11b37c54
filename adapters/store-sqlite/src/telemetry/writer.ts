import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ballast } from '../sqlite/ballast.ts';
import { SqliteDriver, type SqliteStatement, sqliteFault } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import { AttributeTable } from './attribute-table.ts';
import { columnText, textColumn } from './column-values.ts';
import { OTHER } from './columns.ts';
import { Erasure } from './erasure.ts';
import { ExpiryTable } from './expiry-table.ts';
import type { Operation, OperationResult, RoundReply, RoundRequest, StoreState, WriterOptions } from './messages.ts';
import { DATA_FILE, FREEING } from './messages.ts';
import { RoundBuffer } from './round-buffer.ts';
import { TELEMETRY_MIGRATIONS } from './schema.ts';
import { SeriesStore } from './series-store.ts';
import { ValueKind } from './value-kind.ts';

const BALLAST_FILE = 'telemetry.ballast';
/** Room beyond the ballast that must be free before writes are accepted again. */
const SPARE_BYTES = 1_048_576;
/** Pages given back to the file system per slice: 2 MiB. */
const VACUUM_PAGES = 256;
const LARGEST_TIME = 8.64e15;

interface Attempt {
  readonly refused: number[];
  readonly results: OperationResult[];
}

/** The only writer of the data file. Runs in a thread of its own, or directly in a test. */
export class TelemetryWriter {
  readonly #options: WriterOptions;
  readonly #database: SqliteDriver;
  readonly #ballast: Ballast;
  readonly #insertSeries: SqliteStatement;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly store: SeriesStore;
  readonly attributes: AttributeTable;
  readonly expiry: ExpiryTable;
  readonly #erasure: Erasure;
  readonly #slots = new Map<number, RoundBuffer>();
  #state: StoreState = 'ok';
  #reason = '';

  private constructor(options: WriterOptions, database: SqliteDriver, ballast: Ballast) {
    this.#options = options;
    this.#database = database;
    this.#ballast = ballast;
    this.store = new SeriesStore(database, options.headBudgetPoints);
    this.attributes = new AttributeTable(database);
    this.expiry = new ExpiryTable(database);
    this.#erasure = new Erasure(database, this.store, this.expiry);
    this.#insertSeries = database.prepare('INSERT INTO series (id, owner, key) VALUES (?, ?, ?)');
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  /** Opens or creates the file and reads it. Throws `StoreError`. */
  static open(options: WriterOptions): TelemetryWriter {
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
      const writer = new TelemetryWriter(options, database, ballast);
      writer.#reload();
      return writer;
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

  /** Series by owner, for the start. */
  *series(): IterableIterator<{ readonly id: number; readonly owner: string; readonly key: string }> {
    for (const row of this.#database.prepare('SELECT id, owner, key FROM series ORDER BY owner').iterate([])) {
      yield { id: Number(row.id), owner: columnText(row.owner), key: columnText(row.key) };
    }
  }

  /** Brings the memory to what is on disk. */
  #reload(): void {
    this.store.reload();
    this.expiry.reload();
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(request: RoundRequest): RoundReply {
    if (request.memory !== undefined) this.#slots.set(request.slot, new RoundBuffer(request.memory));
    const points = this.#slots.get(request.slot) ?? NO_POINTS;
    const frees = request.operations.some((operation) => FREEING.has(operation.type));
    if (this.#state === 'ok' || this.#recover() || frees) {
      for (let tries = 0; tries < 2; tries++) {
        const attempt = this.#attempt(request, points);
        if (attempt !== undefined) {
          if (this.#state !== 'ok') this.#giveBack();
          return this.#reply('stored', attempt);
        }
        // A full disk may only be a large WAL: if a checkpoint makes room, the round gets its second chance.
        if (!this.#recover()) break;
      }
    }
    return this.#reply(this.#state === 'full' ? 'full' : 'failed', { refused: [], results: [] });
  }

  #reply(outcome: RoundReply['outcome'], attempt: Attempt): RoundReply {
    const { refused, results } = attempt;
    return { type: 'round', outcome, refused, results, state: this.#state, reason: this.#reason };
  }

  #attempt(request: RoundRequest, points: RoundBuffer): Attempt | undefined {
    const refused: number[] = [];
    const results: OperationResult[] = [];
    return this.#transact(() => {
      this.store.begin();
      let start = 0;
      let other = 0;
      let next = 0;
      let range = 0;
      const { ends, operations, otherIndex, expiring } = request;
      for (let batch = 0; batch <= ends.length; batch++) {
        for (let operation = operations[next]; operation?.before === batch; operation = operations[++next]) {
          results.push(this.#operate(operation));
        }
        const end = ends[batch] ?? start;
        const valid = this.#valid(request, points, start, end, other);
        if (valid) this.#append(request, points, start, end, other);
        else refused.push(batch);
        if (valid && (range < expiring.length || !this.expiry.empty))
          this.#noteExpiries(request, points, start, end, range);
        while ((expiring[range]?.from ?? end) < end) range++;
        while (other < otherIndex.length && (otherIndex[other] ?? 0) < end) other++;
        start = end;
      }
      this.store.end();
      return { refused, results };
    });
  }

  /** Runs work in a transaction; on an error the state says what happened and the memory is as before. */
  #transact<T>(work: () => T): T | undefined {
    try {
      this.#begin.run([]);
      const result = work();
      this.#commit.run([]);
      return result;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    const fault = sqliteFault(error);
    const message = error instanceof Error ? error.message : String(error);
    this.#state = fault === 'full' || (fault === 'io' && this.#noRoom()) ? 'full' : 'failed';
    this.#reason = message;
    try {
      this.#database.rollback();
      this.#reload();
    } catch (reloadError) {
      this.#state = 'failed';
      this.#reason = `${message}; then ${reloadError instanceof Error ? reloadError.message : String(reloadError)}`;
    }
  }

  #noRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#options.directory);
    return bavail * bsize < SPARE_BYTES;
  }

  /** Tries to accept writes again: makes room by a checkpoint, takes the ballast back, and writes on trial. */
  #recover(): boolean {
    if (this.#state === 'full') {
      this.#ballast.release();
      if (!this.#truncateWal() || !this.#ballast.take(SPARE_BYTES)) return false;
    }
    try {
      this.#database.exec('BEGIN IMMEDIATE; INSERT INTO log (id, b) VALUES (-1, zeroblob(262144)); ROLLBACK');
      this.#reload();
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#state = 'ok';
    this.#reason = '';
    return true;
  }

  #truncateWal(): boolean {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return true;
    } catch (error) {
      this.#reason = error instanceof Error ? error.message : String(error);
      return false;
    }
  }

  /** After points were removed from a full file: returns its free pages to the file system. */
  #giveBack(): void {
    if (!this.#truncateWal()) return;
    for (let pages = Number(this.#database.pragma('freelist_count')); pages > 0; pages -= VACUUM_PAGES) {
      try {
        this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (!this.#truncateWal()) return;
    }
    this.#recover();
  }

  #operate(operation: Operation): OperationResult {
    switch (operation.type) {
      case 'intern':
        for (const [index, key] of operation.keys.entries()) {
          const id = operation.ids[index] ?? 0;
          this.#insertSeries.run([id, operation.owner, textColumn(key)]);
          this.store.admit(id);
        }
        return { type: 'done' };
      case 'attributes':
        this.attributes.apply(operation.changes);
        return { type: 'done' };
      case 'erase':
        return this.#erasure.erase(operation.series, operation.from, operation.to, operation.latestAfter);
      case 'removeOwner':
        this.#erasure.removeOwner(operation.owner);
        return { type: 'done' };
      case 'retention':
        return this.#erasure.retain(operation.olderThan, operation.budgetMs);
      case 'expire':
        return this.#erasure.expire(operation.series, operation.now, operation.budgetMs);
    }
  }

  #valid(request: RoundRequest, points: RoundBuffer, start: number, end: number, firstOther: number): boolean {
    const { ts, num, series, kind } = points;
    const highest = this.store.highestSeries;
    let other = firstOther;
    let nextOther = request.otherIndex[other] ?? -1;
    for (let at = start; at < end; at++) {
      const time = ts[at] ?? 0;
      const id = series[at] ?? 0;
      if (Math.floor(time) !== time || time > LARGEST_TIME || time < -LARGEST_TIME || id < 1 || id > highest)
        return false;
      if (at === nextOther) {
        if (!otherFits(kind[at] ?? 0, request.otherValue[other])) return false;
        nextOther = request.otherIndex[++other] ?? -1;
      } else if (!numberFits(kind[at] ?? 0, num[at] ?? 0)) return false;
    }
    return true;
  }

  #append(request: RoundRequest, points: RoundBuffer, start: number, end: number, firstOther: number): void {
    const { ts, num, series, kind } = points;
    const store = this.store;
    let other = firstOther;
    let nextOther = request.otherIndex[other] ?? -1;
    for (let at = start; at < end; at++) {
      // Adding zero makes negative zero positive.
      const time = (ts[at] ?? 0) + 0;
      const id = series[at] ?? 0;
      const plain = kind[at] ?? 0;
      if (at !== nextOther) {
        store.append(id, time, plain, num[at] ?? 0, undefined);
        continue;
      }
      const value = request.otherValue[other];
      nextOther = request.otherIndex[++other] ?? -1;
      const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
      if (Number.isSafeInteger(number)) store.append(id, time, plain, number, undefined);
      else store.append(id, time, plain | OTHER, 0, value);
    }
  }

  /** Keeps when the points of a batch are due; one that is written without a time to live stays. */
  #noteExpiries({ expiring }: RoundRequest, points: RoundBuffer, start: number, end: number, firstRange: number): void {
    const { expiry, store } = this;
    let range = firstRange;
    for (let at = start; at < end; at++) {
      while ((expiring[range]?.to ?? end) <= at) range++;
      const current = expiring[range];
      const series = points.series[at] ?? 0;
      const ts = (points.ts[at] ?? 0) + 0;
      if (current !== undefined && at >= current.from) {
        if (store.heads.alive(series)) expiry.put(series, ts, current.at);
      } else if (expiry.has(series)) expiry.clear(series, ts);
    }
  }

  /** True if there is background work. */
  get pending(): boolean {
    return this.#state === 'ok' && (!this.#ballast.held || this.#erasure.pending);
  }

  /** Does a slice of background work; true if there is more. */
  background(): boolean {
    if (!this.pending) return false;
    try {
      if (!this.#ballast.held) this.#ballast.takeSome();
    } catch (error) {
      this.#ballast.release();
      this.#state = 'full';
      this.#reason = `No room for the ballast: ${error instanceof Error ? error.message : String(error)}`;
      return false;
    }
    if (this.#erasure.pending) {
      this.#transact(() => {
        this.store.begin();
        this.#erasure.step();
        this.store.end();
      });
    }
    return this.pending;
  }

  /** Bytes of all files of the store. */
  get sizeBytes(): number {
    const path = join(this.#options.directory, DATA_FILE);
    const files = [path, `${path}-wal`, `${path}-shm`, join(this.#options.directory, BALLAST_FILE)];
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Writes the WAL back into the file and closes it. */
  close(): void {
    this.#truncateWal();
    this.#database.close();
  }
}

const NO_POINTS = RoundBuffer.allocate(0);

function openFile(options: WriterOptions): SqliteDriver {
  const database = SqliteDriver.open({ path: join(options.directory, DATA_FILE), durability: options.durability });
  try {
    migrate(database, {
      file: 'telemetry',
      installationId: options.installationId,
      migrations: TELEMETRY_MIGRATIONS,
      now: options.now,
    });
    database.exec(`PRAGMA wal_autocheckpoint=${checkpointPages(options.ballastBytes)}`);
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
function checkpointPages(ballastBytes: number): number {
  return ballastBytes === 0 ? 4096 : Math.max(64, Math.min(4096, Math.floor(ballastBytes / 2 / 8192)));
}

function numberFits(kind: number, value: number): boolean {
  if (kind === ValueKind.Double) return value - value === 0;
  if (kind === ValueKind.Long) return Number.isSafeInteger(value);
  return kind === ValueKind.Boolean && (value === 0 || value === 1);
}

function otherFits(kind: number, value: string | bigint | undefined): boolean {
  if (typeof value === 'string') return kind === ValueKind.String || kind === ValueKind.Json;
  return typeof value === 'bigint' && kind === ValueKind.Long && BigInt.asIntN(64, value) === value;
}
