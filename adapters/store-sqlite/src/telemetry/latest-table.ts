import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { columnNumber, columnValue, valueColumn } from './column-values.ts';
import { Columns, OTHER } from './columns.ts';

/**
 * The table of latest points. A row is written when a head is sealed, since until then the log still has the point:
 * the latest point of a series is the row or the newest point of its head, whichever is later.
 */
export class LatestTable {
  readonly #database: SqliteDriver;
  readonly #put: SqliteStatement;
  readonly #delete: SqliteStatement;
  #times = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY);

  constructor(database: SqliteDriver) {
    this.#database = database;
    this.#put = database.prepare('INSERT OR REPLACE INTO latest (series, ts, kind, v) VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM latest WHERE series = ?');
  }

  reload(): void {
    this.#times.fill(Number.NEGATIVE_INFINITY);
    for (const row of this.#database.prepare('SELECT series, ts FROM latest').iterate([])) {
      this.#setTime(columnNumber(row.series), columnNumber(row.ts));
    }
  }

  /** Time of the row of a series; minus infinity if there is none. */
  time(series: number): number {
    return this.#times[series] ?? Number.NEGATIVE_INFINITY;
  }

  #setTime(series: number, ts: number): void {
    if (series >= this.#times.length) {
      const grown = new Float64Array(Math.max(series + 1, this.#times.length * 2)).fill(Number.NEGATIVE_INFINITY);
      grown.set(this.#times);
      this.#times = grown;
    }
    this.#times[series] = ts;
  }

  /** Takes over the newest of points in order of arrival, unless the row is newer. */
  offer(series: number, points: Columns): void {
    let best = -1;
    let bestTs = this.time(series);
    for (let at = 0; at < points.count; at++) {
      const ts = points.ts[at] ?? 0;
      if (ts < bestTs) continue;
      best = at;
      bestTs = ts;
    }
    if (best >= 0) this.set(series, points, best);
  }

  set(series: number, points: Columns, at: number): void {
    const full = points.kind[at] ?? 0;
    const num = points.num[at] ?? 0;
    const kind = full & ~OTHER;
    const ts = points.ts[at] ?? 0;
    this.#put.run([series, ts, kind, valueColumn(kind, full >= OTHER ? (points.other[num] ?? '') : num)]);
    this.#setTime(series, ts);
  }

  remove(series: number): void {
    this.#delete.run([series]);
    this.#setTime(series, Number.NEGATIVE_INFINITY);
  }

  *all(): IterableIterator<{ readonly series: number; readonly points: Columns; readonly at: number }> {
    const rows = this.#database.prepare('SELECT series, ts, kind, v FROM latest', true).iterate([]);
    const points = new Columns(1);
    for (const row of rows) {
      const kind = columnNumber(row.kind);
      const value = columnValue(kind, row.v);
      points.clear();
      if (typeof value === 'string' || typeof value === 'bigint') points.pushOther(columnNumber(row.ts), kind, value);
      else points.push(columnNumber(row.ts), kind, Number(value));
      yield { series: columnNumber(row.series), points, at: 0 };
    }
  }
}
