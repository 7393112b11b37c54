import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { CHUNK_POINTS, CHUNK_TEXT_BYTES, ChunkClass, classOf, encodeChunk } from './chunk-codec.ts';
import { mergeChunks, type StoredChunk } from './chunk-scan.ts';
import { columnBlob, columnNumber } from './column-values.ts';
import { Columns, OTHER } from './columns.ts';
import { Heads } from './heads.ts';
import { LatestTable } from './latest-table.ts';
import { LogRecord, type LogTotals, readLogRecord } from './log-codec.ts';
import { DAY_MS } from './time-codec.ts';

/** Log bytes kept per point of the head budget; beyond that the heads that pin the oldest records are sealed. */
const LOG_BYTES_PER_POINT = 32;
/** Log records kept at most, for the same reason. */
const LOG_RECORDS = 200_000;
/** Log records are deleted this many at a time. */
const LOG_DELETE_BATCH = 16;
/** Overlapping chunks of one (series, day) after which they are rewritten as one. */
const OVERLAP_LIMIT = 4;
const OVERLAP_ENTRIES = 10_000;

/** Whether the point of a time is left out while a head is sealed. */
export type IsErased = (ts: number) => boolean;

/**
 * Log, heads, chunks and the table of latest points: what one commit changes. All methods between `begin` and `end`
 * belong into one transaction of the caller; if that fails, `reload` brings the memory back to what is on disk.
 *
 * Invariant between commits: the points of a head are of one day, fewer than `CHUNK_POINTS`, and are the last ones of
 * their series in the log.
 */
export class SeriesStore {
  readonly latest: LatestTable;
  readonly #database: SqliteDriver;
  readonly #headBudgetPoints: number;
  readonly #record = new LogRecord();
  readonly #insertLog: SqliteStatement;
  readonly #deleteLog: SqliteStatement;
  readonly #putChunk: SqliteStatement;
  readonly #deleteChunk: SqliteStatement;
  readonly #arrival = new Columns(1024);
  readonly #rest = new Columns(64);
  #heads = new Heads(CHUNK_POINTS);
  #totals: LogTotals = { chunkPoints: 0, chunks: 0, seq: 0 };
  #totalsChanged = false;
  readonly #sealed = new Set<number>();
  #logId = 1;
  /** Sizes of the log records; the one of `#logFirst` stands at `#logSizesAt`. */
  #logSizes: number[] = [];
  #logSizesAt = 0;
  #logFirst = 1;
  #logBytes = 0;
  #trimmedTo = 0;
  #highestSeries = 0;
  /** Latest time in any chunk written since the start, per series: chunks beyond it overlap nothing. */
  #chunkEnd = new Float64Array(0);
  readonly #overlaps = new Map<string, { series: number; day: number; count: number }>();
  readonly #crowded: { series: number; day: number }[] = [];

  constructor(database: SqliteDriver, headBudgetPoints: number) {
    this.#database = database;
    this.#headBudgetPoints = headBudgetPoints;
    this.latest = new LatestTable(database);
    this.#insertLog = database.prepare('INSERT INTO log (id, b) VALUES (?, ?)');
    this.#deleteLog = database.prepare('DELETE FROM log WHERE id < ?');
    this.#putChunk = database.prepare('INSERT OR REPLACE INTO chunk (series, day, seq, n, b) VALUES (?, ?, ?, ?, ?)');
    this.#deleteChunk = database.prepare('DELETE FROM chunk WHERE series = ? AND day = ? AND seq = ?');
  }

  get heads(): Heads {
    return this.#heads;
  }

  get points(): number {
    return this.#totals.chunkPoints + this.#heads.points;
  }

  get highestSeries(): number {
    return this.#highestSeries;
  }

  /** Rebuilds the memory from the file. Throws `StoreError` `corrupt-record` if a log record is damaged. */
  reload(): void {
    this.#heads = new Heads(CHUNK_POINTS);
    const heads = this.#heads;
    this.#sealed.clear();
    this.#totalsChanged = false;
    this.#totals = { chunkPoints: 0, chunks: 0, seq: 0 };
    for (const row of this.#database.prepare('SELECT id FROM series').iterate([])) this.admit(columnNumber(row.id));
    // Ids of removed series are not given again: the log may still hold their points.
    const sequence = this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'series'").get([]);
    this.#highestSeries = sequence === undefined ? 0 : columnNumber(sequence.seq);
    this.latest.reload();
    this.#logSizes = [];
    this.#logSizesAt = 0;
    this.#logBytes = 0;
    this.#logId = 0;
    this.#trimmedTo = 0;
    for (const row of this.#database.prepare('SELECT id, b FROM log ORDER BY id').iterate([])) {
      const id = columnNumber(row.id);
      const record = columnBlob(row.b);
      if (this.#logSizes.length === 0) this.#logFirst = id;
      this.#totals = readLogRecord(id, record, {
        point: (series, ts, kind, num, other) => heads.append(series, id, ts, kind, num, other),
        seal: (series, kept) => heads.drop(series, heads.count(series) - kept, id, this.#rest),
      });
      this.#logSizes.push(record.length);
      this.#logBytes += record.length;
      this.#logId = id;
    }
    this.#logId++;
    if (this.#logSizes.length === 0) this.#logFirst = this.#logId;
    heads.takeTouched();
  }

  /** Makes a series known. */
  admit(series: number): void {
    this.#heads.admit(series);
    this.#highestSeries = Math.max(this.#highestSeries, series);
  }

  begin(): void {
    this.#record.begin();
  }

  /** Adds a point; one of a series that has been removed is dropped. */
  append(series: number, ts: number, kind: number, num: number, other: string | bigint | undefined): void {
    this.#record.point(series, ts, kind, num, other);
    this.#heads.append(series, this.#logId, ts, kind, num, other);
  }

  /** Writes all points of a head into chunks, except those that are `erased`. */
  seal(series: number, erased?: IsErased): void {
    const count = this.#heads.count(series);
    if (count === 0) return;
    this.#arrival.clear();
    this.#heads.copy(series, count, this.#arrival);
    this.#sealArrival(series, count, erased);
  }

  /** Writes the seals and the log record and deletes the records nobody needs. */
  end(): void {
    for (const series of this.#heads.takeTouched()) this.#sealTouched(series);
    const byteBudget = this.#headBudgetPoints * LOG_BYTES_PER_POINT;
    for (;;) {
      const oldest = this.#heads.oldest();
      if (oldest === undefined) break;
      const headsFit = this.#heads.budgetPoints <= this.#headBudgetPoints;
      const logFits = this.#logBytes <= byteBudget && this.#logId - this.#logFirst <= LOG_RECORDS;
      if (headsFit && (logFits || oldest.logId === this.#logId)) break;
      this.seal(oldest.series);
      this.#trimSizes(this.#heads.oldest()?.logId ?? this.#logId);
    }
    for (const series of this.#sealed) this.#record.seal(series, this.#heads.count(series));
    this.#sealed.clear();
    if (this.#record.empty && !this.#totalsChanged) return;
    this.#totalsChanged = false;
    const record = this.#record.finish(this.#totals);
    this.#insertLog.run([this.#logId, record]);
    this.#logSizes.push(record.length);
    this.#logBytes += record.length;
    this.#logId++;
    this.#trimLog();
  }

  /** Takes the records below `needed` out of the byte count; they are deleted in batches. */
  #trimSizes(needed: number): void {
    while (this.#logFirst < needed && this.#logSizesAt < this.#logSizes.length) {
      this.#logBytes -= this.#logSizes[this.#logSizesAt++] ?? 0;
      this.#logFirst++;
    }
    if (this.#logSizesAt > 4096 && this.#logSizesAt * 2 > this.#logSizes.length) {
      this.#logSizes = this.#logSizes.slice(this.#logSizesAt);
      this.#logSizesAt = 0;
    }
  }

  #trimLog(): void {
    // The newest record always stays: ids go on from it, and it holds the totals.
    const needed = Math.min(this.#heads.oldest()?.logId ?? this.#logId, this.#logId - 1);
    this.#trimSizes(needed);
    if (this.#logFirst - this.#trimmedTo < LOG_DELETE_BATCH) return;
    this.#deleteLog.run([this.#logFirst]);
    this.#trimmedTo = this.#logFirst;
  }

  #sealTouched(series: number): void {
    const total = this.#heads.count(series);
    if (total === 0) return;
    const arrival = this.#arrival;
    arrival.clear();
    this.#heads.copy(series, total, arrival);
    const lastDay = Math.floor((arrival.ts[total - 1] ?? 0) / DAY_MS);
    let sealed = total;
    while (sealed > 0 && Math.floor((arrival.ts[sealed - 1] ?? 0) / DAY_MS) === lastDay) sealed--;
    sealed += Math.floor((total - sealed) / CHUNK_POINTS) * CHUNK_POINTS;
    if (arrival.other.length > 0) sealed = total;
    if (sealed > 0) this.#sealArrival(series, sealed, undefined);
  }

  /** Seals the first points of the head, all of which have been copied to `#arrival`. */
  #sealArrival(series: number, sealed: number, erased: IsErased | undefined): void {
    const arrival = this.#arrival;
    this.latest.offer(series, arrival);
    this.#sealed.add(series);
    this.#heads.drop(series, sealed, this.#logId, this.#rest);
    arrival.count = sealed;
    if (erased === undefined) {
      this.writePoints(series, arrival);
      return;
    }
    const kept = new Columns(sealed);
    kept.pushExcept(arrival, erased);
    this.writePoints(series, kept);
  }

  /** Writes points of one series, in any order, later ones winning, as new chunks. */
  writePoints(series: number, points: Columns): void {
    const sorted = points.sortedAndReplaced();
    let start = 0;
    while (start < sorted.count) {
      const day = Math.floor((sorted.ts[start] ?? 0) / DAY_MS);
      const chunkClass = classOf(sorted.kind[start] ?? 0);
      let end = start;
      let pure = true;
      while (end < sorted.count && (sorted.ts[end] ?? 0) < (day + 1) * DAY_MS) {
        if (classOf(sorted.kind[end] ?? 0) !== chunkClass) pure = false;
        end++;
      }
      if (pure && start === 0 && end === sorted.count && end <= CHUNK_POINTS && chunkClass !== ChunkClass.Text) {
        this.#writeChunk(series, day, sorted);
      } else this.#writeDay(series, day, sorted, start, end);
      start = end;
    }
  }

  /** Splits the points of a day into pieces that may each be one chunk. */
  #writeDay(series: number, day: number, sorted: Columns, start: number, end: number): void {
    const pieces = [new Columns(), new Columns(), new Columns()] as const;
    let textBytes = 0;
    for (let at = start; at < end; at++) {
      const kind = sorted.kind[at] ?? 0;
      const chunkClass = classOf(kind);
      const piece = pieces[chunkClass];
      if (chunkClass === ChunkClass.Text) textBytes += String(sorted.other[sorted.num[at] ?? 0]).length;
      piece.pushFrom(sorted, at);
      if (piece.count < CHUNK_POINTS && (chunkClass !== ChunkClass.Text || textBytes < CHUNK_TEXT_BYTES)) continue;
      if (chunkClass === ChunkClass.Text) textBytes = 0;
      this.#writeChunk(series, day, piece);
      piece.clear();
    }
    for (const piece of pieces) if (piece.count > 0) this.#writeChunk(series, day, piece);
  }

  #writeChunk(series: number, day: number, points: Columns): void {
    const key = { series, day, seq: ++this.#totals.seq };
    this.#putChunk.run([series, day, key.seq, points.count, encodeChunk(key, points)]);
    this.#totals.chunkPoints += points.count;
    this.#totals.chunks++;
    this.#totalsChanged = true;
    this.#noteOverlap(series, day, points.ts[0] ?? 0, points.ts[points.count - 1] ?? 0);
  }

  #noteOverlap(series: number, day: number, t0: number, t1: number): void {
    if (series >= this.#chunkEnd.length) {
      const grown = new Float64Array(Math.max(1024, (series + 1) * 2)).fill(Number.NEGATIVE_INFINITY);
      grown.set(this.#chunkEnd);
      this.#chunkEnd = grown;
    }
    const end = this.#chunkEnd[series] ?? Number.NEGATIVE_INFINITY;
    if (t1 > end) this.#chunkEnd[series] = t1;
    if (t0 > end) return;
    const name = `${series}:${day}`;
    const entry = this.#overlaps.get(name) ?? { series, day, count: 0 };
    this.#overlaps.set(name, entry);
    if (++entry.count >= OVERLAP_LIMIT) {
      this.#overlaps.delete(name);
      this.#crowded.push({ series, day });
    } else if (this.#overlaps.size > OVERLAP_ENTRIES) {
      for (const oldest of this.#overlaps.keys()) {
        this.#overlaps.delete(oldest);
        break;
      }
    }
  }

  /** A (series, day) in which chunks have piled up on each other since it was last rewritten, or nothing. */
  takeCrowded(): { readonly series: number; readonly day: number } | undefined {
    return this.#crowded.pop();
  }

  /** True if `takeCrowded` has something. */
  get crowded(): boolean {
    return this.#crowded.length > 0;
  }

  /** Replaces chunks that overlap by chunks of their merged points. */
  rewrite(series: number, chunks: readonly StoredChunk[]): void {
    const merged = mergeChunks(chunks);
    for (const chunk of chunks) this.removeChunk(chunk);
    this.writePoints(series, merged);
    this.#overlaps.delete(`${series}:${chunks[0]?.key.day}`);
  }

  removeChunk(chunk: StoredChunk): void {
    this.#deleteChunk.run([chunk.key.series, chunk.key.day, chunk.key.seq]);
    this.noteRemoved(1, chunk.head.count);
  }

  /** Replaces the points of a chunk by some of them; its place in the order of writes stays. */
  shrinkChunk(chunk: StoredChunk, points: Columns): void {
    if (points.count === 0) {
      this.removeChunk(chunk);
      return;
    }
    const { series, day, seq } = chunk.key;
    this.#putChunk.run([series, day, seq, points.count, encodeChunk(chunk.key, points)]);
    this.noteRemoved(0, chunk.head.count - points.count);
  }

  /** Takes removed chunks out of the totals. */
  noteRemoved(chunks: number, points: number): void {
    this.#totals.chunks -= chunks;
    this.#totals.chunkPoints -= points;
    this.#totalsChanged = true;
  }

  /** Points of the head of a series in [from, to), in order of arrival. */
  head(series: number, from: number, to: number): Columns {
    const arrival = this.#arrival;
    arrival.clear();
    this.#heads.copy(series, this.#heads.count(series), arrival);
    const points = new Columns(Math.max(arrival.count, 1));
    points.pushRange(arrival, from, to);
    return points;
  }

  /** Time of the oldest point in any head, or null. */
  oldestInHeads(): number | null {
    let oldest: number | null = null;
    for (const series of this.#heads.filled()) {
      if (oldest !== null && this.#heads.dayStart(series) > oldest) continue;
      const points = this.head(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      for (let at = 0; at < points.count; at++) {
        const ts = points.ts[at] ?? 0;
        if (oldest === null || ts < oldest) oldest = ts;
      }
    }
    return oldest;
  }

  /** The latest point of a series by table and head; only for the start. */
  *allLatest(): IterableIterator<{ readonly series: number; readonly points: Columns; readonly at: number }> {
    yield* this.latest.all();
    for (const series of this.#heads.filled()) {
      const points = this.head(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      const at = newest(points);
      if ((points.ts[at] ?? 0) >= this.latest.time(series)) yield { series, points, at };
    }
  }
}

/** Index of the point with the greatest time, of equal ones the last. */
export function newest(points: Columns): number {
  let best = 0;
  for (let at = 1; at < points.count; at++) if ((points.ts[at] ?? 0) >= (points.ts[best] ?? 0)) best = at;
  return best;
}

/** The value of a point outside the number column, if it has one. */
export function otherOf(points: Columns, at: number): string | bigint | undefined {
  return (points.kind[at] ?? 0) >= OTHER ? points.other[points.num[at] ?? 0] : undefined;
}
