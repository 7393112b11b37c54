import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { decodeChunk } from './chunk-codec.ts';
import { ChunkScan, overlapping } from './chunk-scan.ts';
import { columnNumber } from './column-values.ts';
import { Columns } from './columns.ts';
import type { LatestAfter, OperationResult } from './messages.ts';
import type { SeriesStore } from './series-store.ts';
import { DAY_MS } from './time-codec.ts';

/** Longest slice of background work between two commits, milliseconds. */
const SLICE_MS = 5;
/** Chunks of a cluster from which on rewriting pays. */
const CROWD = 5;
const SERIES_PAGE = 256;

/** Removal of points on request, by age, and with their owner; and the rewriting of chunks that pile up on each other. */
export class Erasure {
  readonly #store: SeriesStore;
  readonly #scan: ChunkScan;
  readonly #days: SqliteStatement;
  readonly #countBefore: SqliteStatement;
  readonly #deleteBefore: SqliteStatement;
  readonly #firstDay: SqliteStatement;
  readonly #seriesAfter: SqliteStatement;
  readonly #seriesOf: SqliteStatement;
  readonly #doom: SqliteStatement;
  readonly #deleteOwner: SqliteStatement;
  readonly #deleteAttributes: SqliteStatement;
  readonly #nextDoomed: SqliteStatement;
  readonly #undoom: SqliteStatement;
  /** Series up to which the retention pass under way has come. */
  #retentionAt = 0;
  #doomedLeft = true;

  constructor(database: SqliteDriver, store: SeriesStore) {
    this.#store = store;
    this.#scan = new ChunkScan(database, false);
    this.#days = database.prepare('SELECT DISTINCT day FROM chunk WHERE series = ? AND day >= ? AND day <= ?');
    this.#countBefore = database.prepare(
      'SELECT count(*) AS chunks, coalesce(sum(n), 0) AS points FROM chunk WHERE series = ? AND day < ?',
    );
    this.#deleteBefore = database.prepare('DELETE FROM chunk WHERE series = ? AND day < ?');
    this.#firstDay = database.prepare('SELECT day FROM chunk WHERE series = ? ORDER BY day LIMIT 1');
    this.#seriesAfter = database.prepare('SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?');
    this.#seriesOf = database.prepare('SELECT id FROM series WHERE owner = ?');
    this.#doom = database.prepare('INSERT OR IGNORE INTO doomed (series) VALUES (?)');
    this.#deleteOwner = database.prepare('DELETE FROM series WHERE owner = ?');
    this.#deleteAttributes = database.prepare('DELETE FROM attribute WHERE owner = ?');
    this.#nextDoomed = database.prepare('SELECT series FROM doomed ORDER BY series LIMIT 1');
    this.#undoom = database.prepare('DELETE FROM doomed WHERE series = ?');
  }

  /** Removes [from, to) of a series. A damaged chunk in the way leaves everything as it is: `refused`. */
  erase(series: number, from: number, to: number, latestAfter: LatestAfter): OperationResult {
    const store = this.#store;
    if (!store.heads.alive(series) || !(from < to)) return { type: 'erased', latest: 'unchanged' };
    const latestTs = this.#latestTime(series);
    const hit = latestTs >= from && latestTs < to;
    try {
      this.#eraseChunks(series, from, to);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'corrupt-record') return { type: 'refused' };
      throw error;
    }
    store.seal(series, { from, to });
    if (!hit || latestAfter === 'keep') return { type: 'erased', latest: 'unchanged' };
    if (latestAfter === 'rewrite') {
      const none = new Columns(1);
      const before = this.#scan.range(series, Number.NEGATIVE_INFINITY, from, 'desc', 1, none);
      if (before.count > 0) {
        store.latest.set(series, before, 0);
        return { type: 'erased', latest: before.parts().parts };
      }
    }
    store.latest.remove(series);
    return { type: 'erased', latest: 'none' };
  }

  #latestTime(series: number): number {
    const head = this.#store.head(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    let latest = this.#store.latest.time(series);
    for (let at = 0; at < head.count; at++) latest = Math.max(latest, head.ts[at] ?? latest);
    return latest;
  }

  #eraseChunks(series: number, from: number, to: number): void {
    const first = Math.floor(Math.max(from, -8.64e15) / DAY_MS);
    const last = Math.floor(Math.min(to - 1, 8.64e15) / DAY_MS);
    const days = this.#days.all([series, first, last]).map((row) => columnNumber(row.day));
    // All are read before the first is changed, so that a damaged one leaves the range whole.
    const affected = days.flatMap((day) =>
      this.#scan.day(series, day).filter((chunk) => chunk.head.t0 < to && chunk.head.t1 >= from),
    );
    for (const chunk of affected) {
      if (chunk.head.t0 >= from && chunk.head.t1 < to) {
        this.#store.removeChunk(chunk);
        continue;
      }
      const points = new Columns(chunk.head.count);
      decodeChunk(chunk.blob, chunk.head, points);
      const kept = new Columns(chunk.head.count);
      kept.pushRange(points, Number.NEGATIVE_INFINITY, from);
      kept.pushRange(points, to, Number.POSITIVE_INFINITY);
      this.#store.shrinkChunk(chunk, kept);
    }
  }

  /** Takes an owner out of sight at once; its chunks go in slices, see `step`. */
  removeOwner(owner: string): void {
    for (const row of this.#seriesOf.all([owner])) {
      const series = columnNumber(row.id);
      this.#store.heads.dismiss(series);
      this.#store.latest.remove(series);
      this.#doom.run([series]);
    }
    this.#deleteOwner.run([owner]);
    this.#deleteAttributes.run([owner]);
    this.#doomedLeft = true;
  }

  /** Removes whole days before the one of `before`, for at most about `budgetMs`; a later call goes on from there. */
  retain(before: number, budgetMs: number): OperationResult {
    const store = this.#store;
    const end = performance.now() + budgetMs;
    const day = Math.floor(before / DAY_MS);
    let removedChunks = 0;
    for (;;) {
      const page = this.#seriesAfter.all([this.#retentionAt, SERIES_PAGE]);
      for (const row of page) {
        const series = columnNumber(row.id);
        if (store.heads.count(series) > 0 && store.heads.dayStart(series) < day * DAY_MS) store.seal(series);
        const first = this.#firstDay.get([series])?.day;
        if (typeof first === 'number' && first < day) removedChunks += this.#removeBefore(series, day);
        this.#retentionAt = series;
        if (performance.now() >= end) return { type: 'retained', removedChunks, more: true };
      }
      if (page.length < SERIES_PAGE) break;
    }
    this.#retentionAt = 0;
    return { type: 'retained', removedChunks, more: false };
  }

  #removeBefore(series: number, day: number): number {
    const counted = this.#countBefore.get([series, day]);
    const chunks = columnNumber(counted?.chunks);
    this.#deleteBefore.run([series, day]);
    this.#store.noteRemoved(chunks, columnNumber(counted?.points));
    return chunks;
  }

  /** True if `step` may have something to do. */
  get pending(): boolean {
    return this.#doomedLeft || this.#store.crowded;
  }

  /** A slice of background work, within a transaction of the caller. */
  step(): void {
    if (this.#doomedLeft) this.#removeDoomed();
    else this.#relieve();
  }

  #removeDoomed(): void {
    const end = performance.now() + SLICE_MS;
    do {
      const series = this.#nextDoomed.get([])?.series;
      if (typeof series !== 'number') {
        this.#doomedLeft = false;
        return;
      }
      const first = this.#firstDay.get([series])?.day;
      if (typeof first === 'number') this.#removeBefore(series, first + 1);
      else this.#undoom.run([series]);
    } while (performance.now() < end);
  }

  #relieve(): void {
    const crowded = this.#store.takeCrowded();
    if (crowded === undefined || !this.#store.heads.alive(crowded.series)) return;
    try {
      for (const cluster of overlapping(this.#scan.day(crowded.series, crowded.day))) {
        if (cluster.length >= CROWD) this.#store.rewrite(crowded.series, cluster);
      }
    } catch (error) {
      // A damaged chunk stays as it is: the reader reports it.
      if (!(error instanceof StoreError)) throw error;
    }
  }
}
