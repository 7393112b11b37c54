import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { columnNumber } from './column-values.ts';

/**
 * When points with a time to live are removed, one row for each, in the same file and the same commits as the points. Of
 * series without such points nothing is kept, and an empty table is known to be so without asking it.
 */
export class ExpiryTable {
  readonly #database: SqliteDriver;
  readonly #put: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #deleteBefore: SqliteStatement;
  readonly #deleteSeries: SqliteStatement;
  readonly #due: SqliteStatement;
  readonly #next: SqliteStatement;
  /** By series, a time before which none of its points is due. */
  readonly #series = new Map<number, number>();

  constructor(database: SqliteDriver) {
    this.#database = database;
    this.#put = database.prepare('INSERT OR REPLACE INTO expiry (series, ts, at) VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM expiry WHERE series = ? AND ts = ?');
    this.#deleteBefore = database.prepare('DELETE FROM expiry WHERE series = ? AND ts < ? AND ts <> ?');
    this.#deleteSeries = database.prepare('DELETE FROM expiry WHERE series = ?');
    this.#due = database.prepare('SELECT ts FROM expiry WHERE series = ? AND at <= ? ORDER BY at LIMIT ?');
    this.#next = database.prepare('SELECT min(at) AS at FROM expiry WHERE series = ?');
  }

  reload(): void {
    this.#series.clear();
    for (const row of this.#database.prepare('SELECT series, min(at) AS at FROM expiry GROUP BY series').iterate([])) {
      this.#series.set(columnNumber(row.series), columnNumber(row.at));
    }
  }

  get empty(): boolean {
    return this.#series.size === 0;
  }

  has(series: number): boolean {
    return this.#series.has(series);
  }

  /** Series with such points, and a time before which none is due. */
  entries(): Iterable<readonly [series: number, at: number]> {
    return this.#series;
  }

  /** The point of this time is removed at `at`; replaces an earlier note of it. */
  put(series: number, ts: number, at: number): void {
    this.#put.run([series, ts, at]);
    const known = this.#series.get(series);
    if (known === undefined || at < known) this.#series.set(series, at);
  }

  /** The point of this time stays. */
  clear(series: number, ts: number): void {
    this.#delete.run([series, ts]);
  }

  /** Points before a time are gone, but for the one at `latest`, which outlives its history. */
  clearBefore(series: number, before: number, latest: number): void {
    this.#deleteBefore.run([series, before, latest]);
  }

  removeSeries(series: number): void {
    if (!this.#series.delete(series)) return;
    this.#deleteSeries.run([series]);
  }

  /** Times of points that are due, at most `limit`. */
  due(series: number, now: number, limit: number): number[] {
    return this.#due.all([series, now, limit]).map((row) => columnNumber(row.ts));
  }

  /** The next time at which a point of the series is due; undefined: it has none any more. */
  refresh(series: number): number | undefined {
    const at = this.#next.get([series])?.at;
    if (typeof at !== 'number') {
      this.#series.delete(series);
      return undefined;
    }
    this.#series.set(series, at);
    return at;
  }

  /** Looks at the series no sooner than at `at`. */
  postpone(series: number, at: number): void {
    this.#series.set(series, at);
  }
}
