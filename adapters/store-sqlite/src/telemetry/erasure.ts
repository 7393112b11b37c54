import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import { decodeChunk } from './chunk-codec.ts';
import { ChunkScan, overlapping } from './chunk-scan.ts';
import { columnNumber } from './column-values.ts';
import { Columns } from './columns.ts';
import type { ExpiryTable } from './expiry-table.ts';
import type { ExpiredSeries, LatestAfter, OperationResult } from './messages.ts';
import type { SeriesStore } from './series-store.ts';
import { DAY_MS } from './time-codec.ts';

/** Longest slice of background work between two commits, milliseconds. */
const SLICE_MS = 5;
/** Chunks of a cluster from which on rewriting pays. */
const CROWD = 5;
const SERIES_PAGE = 256;
/** Points of one series that expire in one step. */
const EXPIRED_POINTS = 5000;
/** A damaged chunk keeps its points, and is tried again after this. Milliseconds. */
const DAMAGED_RETRY_MS = 3_600_000;

/** Removal of points on request, by age, and with their owner; and the rewriting of chunks that pile up on each other. */
export class Erasure {
  readonly #store: SeriesStore;
  readonly #expiry: ExpiryTable;
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

  constructor(database: SqliteDriver, store: SeriesStore, expiry: ExpiryTable) {
    this.#store = store;
    this.#expiry = expiry;
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
    store.seal(series, (ts) => ts >= from && ts < to);
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

  /** Removes the points of these series that are due, for at most about `budgetMs`, the first series in any case. */
  expire(series: readonly number[], now: number, budgetMs: number): OperationResult {
    const end = performance.now() + budgetMs;
    const done: ExpiredSeries[] = [];
    let removedPoints = 0;
    for (const one of series) {
      const times = this.#store.heads.alive(one) ? this.#expiry.due(one, now, EXPIRED_POINTS) : [];
      let latest: ExpiredSeries['latest'] = 'unchanged';
      try {
        if (times.length > 0) latest = this.#eraseTimes(one, times);
        for (const ts of times) this.#expiry.clear(one, ts);
        removedPoints += times.length;
        done.push({ series: one, latest, next: this.#expiry.refresh(one) });
      } catch (error) {
        if (!(error instanceof StoreError && error.code === 'corrupt-record')) throw error;
        const next = now + DAMAGED_RETRY_MS;
        this.#expiry.postpone(one, next);
        done.push({ series: one, latest, next });
      }
      if (performance.now() >= end) break;
    }
    return { type: 'expired', removedPoints, series: done };
  }

  /** Removes points of a series by their times; the newest that remains becomes its latest, if that was one of them. */
  #eraseTimes(series: number, times: readonly number[]): ExpiredSeries['latest'] {
    const store = this.#store;
    const gone = new Set(times);
    const isGone = (ts: number): boolean => gone.has(ts);
    const wasLatest = gone.has(this.#latestTime(series));
    const days = new Map<number, [first: number, last: number]>();
    for (const ts of times) {
      const day = Math.floor(ts / DAY_MS);
      const [first, last] = days.get(day) ?? [ts, ts];
      days.set(day, [Math.min(first, ts), Math.max(last, ts)]);
    }
    // All are read before the first is changed, so that a damaged one leaves the series whole.
    const affected = Array.from(days, ([day, [first, last]]) =>
      this.#scan.day(series, day).filter(({ head }) => head.t0 <= last && head.t1 >= first),
    ).flat();
    const kept = affected.map((chunk) => {
      const points = new Columns(chunk.head.count);
      decodeChunk(chunk.blob, chunk.head, points);
      const rest = new Columns(chunk.head.count);
      rest.pushExcept(points, isGone);
      return rest;
    });
    for (const [at, chunk] of affected.entries()) {
      const rest = kept[at];
      if (rest !== undefined && rest.count < chunk.head.count) store.shrinkChunk(chunk, rest);
    }
    const { ts, count } = store.head(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    if (ts.subarray(0, count).some(isGone)) store.seal(series, isGone);
    return wasLatest ? this.#newestAgain(series) : 'unchanged';
  }

  #newestAgain(series: number): ExpiredSeries['latest'] {
    const store = this.#store;
    const [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const newest = this.#scan.range(series, from, to, 'desc', 1, store.head(series, from, to));
    if (newest.count === 0) {
      store.latest.remove(series);
      return 'none';
    }
    store.latest.set(series, newest, 0);
    return newest.parts().parts;
  }

  /** Takes an owner out of sight at once; its chunks go in slices, see `step`. */
  removeOwner(owner: string): void {
    for (const row of this.#seriesOf.all([owner])) {
      const series = columnNumber(row.id);
      this.#store.heads.dismiss(series);
      this.#store.latest.remove(series);
      this.#expiry.removeSeries(series);
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
    if (this.#expiry.has(series)) this.#expiry.clearBefore(series, day * DAY_MS, this.#latestTime(series));
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
