import type { Bucket } from '@moorage/core';
import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { BucketSeries } from './buckets.ts';
import { type ChunkHead, type ChunkKey, decodeChunk, readChunkHead } from './chunk-codec.ts';
import { columnBlob, columnNumber } from './column-values.ts';
import { Columns } from './columns.ts';
import { DAY_MS } from './time-codec.ts';

/** A chunk as read: checked, not yet decoded. */
export interface StoredChunk {
  readonly key: ChunkKey;
  readonly head: ChunkHead;
  readonly blob: Buffer;
}

/** Chunks, and points from the head, whose times overlap; nothing else of the series lies between `t0` and `t1`. */
interface Cluster {
  t0: number;
  t1: number;
  readonly chunks: StoredChunk[];
  head: Columns | undefined;
}

/** Longest read transaction, milliseconds; a longer read goes on in a new one at a day's border. */
const LONGEST_TRANSACTION_MS = 500;
const LARGEST_PAGE = 1024;
/** SQLite integers outside every seq. */
const ABOVE = Number.MAX_SAFE_INTEGER;

/** The UTC day of a time, and its bounds for SQLite when the time is infinite. */
function dayOf(ts: number): number {
  return Math.floor(Math.max(-8.64e15, Math.min(8.64e15, ts)) / DAY_MS);
}

/** Reads chunks, together with the points that are only in the head, over one connection. */
export class ChunkScan {
  readonly #database: SqliteDriver;
  readonly #ownsTransaction: boolean;
  readonly #ascending: SqliteStatement;
  readonly #descending: SqliteStatement;
  readonly #firstDay: SqliteStatement;
  readonly #nextSeries: SqliteStatement;

  /** `ownsTransaction` false: the caller is in a transaction already. */
  constructor(database: SqliteDriver, ownsTransaction: boolean) {
    this.#database = database;
    this.#ownsTransaction = ownsTransaction;
    const select = 'SELECT day, seq, b FROM chunk WHERE series = ?';
    this.#ascending = database.prepare(`${select} AND (day, seq) > (?, ?) AND day <= ? ORDER BY day, seq LIMIT ?`);
    this.#descending = database.prepare(
      `${select} AND (day, seq) < (?, ?) AND day >= ? ORDER BY day DESC, seq DESC LIMIT ?`,
    );
    this.#firstDay = database.prepare('SELECT day FROM chunk WHERE series = ? ORDER BY day, seq LIMIT 1');
    this.#nextSeries = database.prepare('SELECT series FROM chunk WHERE series > ? ORDER BY series LIMIT 1');
  }

  /** Points of [from, to), at most `limit`, in the order asked for; `head` wins over chunks. */
  range(series: number, from: number, to: number, order: 'asc' | 'desc', limit: number, head: Columns): Columns {
    const result = new Columns(Math.min(limit, 1024));
    for (const cluster of this.#clusters(series, from, to, order, head)) {
      const only = alone(cluster);
      const inside = only !== undefined && only.head.t0 >= from && only.head.t1 < to;
      if (inside && order === 'asc' && result.count + only.head.count <= limit) {
        decodeChunk(only.blob, only.head, result);
        continue;
      }
      const points = pointsOf(cluster);
      if (order === 'asc') {
        for (let at = 0; at < points.count && result.count < limit; at++) take(points, at, from, to, result);
      } else {
        for (let at = points.count - 1; at >= 0 && result.count < limit; at--) take(points, at, from, to, result);
      }
      if (result.count >= limit) break;
    }
    return result;
  }

  /** Buckets of [from, to) that hold points. Chunks that lie within one bucket are not decoded. */
  aggregate(series: number, from: number, to: number, intervalMs: number, head: Columns): Bucket[] {
    const buckets = new BucketSeries(from, to, intervalMs);
    for (const cluster of this.#clusters(series, from, to, 'asc', head)) {
      const only = alone(cluster);
      if (only !== undefined && buckets.addSummary(only.head)) continue;
      const points = pointsOf(cluster);
      for (let at = 0; at < points.count; at++) buckets.addPoint(points, at);
    }
    return buckets.finish();
  }

  /** Time of the oldest point in any chunk, or null. */
  oldest(): number | null {
    let oldest: number | null = null;
    let series = -1;
    for (;;) {
      const next = this.#nextSeries.get([series])?.series;
      if (typeof next !== 'number') return oldest;
      series = next;
      const day = this.#firstDay.get([series])?.day;
      if (typeof day !== 'number' || (oldest !== null && day * DAY_MS > oldest)) continue;
      for (const chunk of this.day(series, day)) {
        if (oldest === null || chunk.head.t0 < oldest) oldest = chunk.head.t0;
      }
    }
  }

  /** All chunks of one day by rising seq. */
  day(series: number, day: number): StoredChunk[] {
    const rows = this.#ascending.all([series, day, -1, day, ABOVE]);
    return rows.map((row) => toChunk(series, columnNumber(row.day), columnNumber(row.seq), columnBlob(row.b)));
  }

  *#clusters(
    series: number,
    from: number,
    to: number,
    order: 'asc' | 'desc',
    head: Columns,
  ): IterableIterator<Cluster> {
    if (!(from < to)) return;
    const headDays = splitDays(head, from, to);
    const days = [...headDays.keys()].sort((a, b) => (order === 'asc' ? a - b : b - a));
    for (const [day, chunks] of this.#days(series, dayOf(from), dayOf(to - 1), order)) {
      while (days[0] !== undefined && (order === 'asc' ? days[0] < day : days[0] > day)) {
        yield* clustersOf([], headDays.get(days[0]), order);
        days.shift();
      }
      const inRange = chunks.filter((chunk) => chunk.head.t0 < to && chunk.head.t1 >= from);
      if (days[0] === day) days.shift();
      yield* clustersOf(inRange, headDays.get(day), order);
    }
    for (const day of days) yield* clustersOf([], headDays.get(day), order);
  }

  *#days(
    series: number,
    firstDay: number,
    lastDay: number,
    order: 'asc' | 'desc',
  ): IterableIterator<[number, StoredChunk[]]> {
    const ascending = order === 'asc';
    const statement = ascending ? this.#ascending : this.#descending;
    let day = ascending ? firstDay : lastDay;
    let seq = ascending ? -1 : ABOVE;
    let page = 32;
    let current: [number, StoredChunk[]] | undefined;
    let begun = this.#begin();
    let progress = false;
    try {
      for (;;) {
        const rows = statement.all([series, day, seq, ascending ? lastDay : firstDay, page]);
        for (const row of rows) {
          const nextDay = columnNumber(row.day);
          if (current !== undefined && current[0] !== nextDay) {
            yield current;
            current = undefined;
            progress = true;
          }
          day = nextDay;
          seq = columnNumber(row.seq);
          current ??= [day, []];
          current[1].push(toChunk(series, day, seq, columnBlob(row.b)));
        }
        if (rows.length < page) break;
        page = Math.min(page * 4, LARGEST_PAGE);
        if (this.#ownsTransaction && progress && performance.now() - begun > LONGEST_TRANSACTION_MS) {
          progress = false;
          // The day under way begins anew: its chunks may have been rewritten once the transaction ends.
          current = undefined;
          seq = ascending ? -1 : ABOVE;
          this.#end();
          begun = this.#begin();
          page = LARGEST_PAGE;
        }
      }
      if (current !== undefined) yield current;
    } finally {
      this.#end();
    }
  }

  #begin(): number {
    if (this.#ownsTransaction) this.#database.exec('BEGIN');
    return performance.now();
  }

  #end(): void {
    if (this.#ownsTransaction) this.#database.rollback();
  }
}

/** The chunk of a cluster that is nothing else. */
function alone(cluster: Cluster): StoredChunk | undefined {
  return cluster.chunks.length === 1 && cluster.head === undefined ? cluster.chunks[0] : undefined;
}

function take(points: Columns, at: number, from: number, to: number, result: Columns): void {
  const ts = points.ts[at] ?? 0;
  if (ts >= from && ts < to) result.pushFrom(points, at);
}

function toChunk(series: number, day: number, seq: number, blob: Buffer): StoredChunk {
  const key = { series, day, seq };
  return { key, head: readChunkHead(key, blob), blob };
}

function splitDays(head: Columns, from: number, to: number): Map<number, Columns> {
  const days = new Map<number, Columns>();
  const sorted = head.sortedAndReplaced();
  for (let at = 0; at < sorted.count; at++) {
    const ts = sorted.ts[at] ?? 0;
    if (ts < from || ts >= to) continue;
    const day = Math.floor(ts / DAY_MS);
    let points = days.get(day);
    if (points === undefined) {
      points = new Columns();
      days.set(day, points);
    }
    points.pushFrom(sorted, at);
  }
  return days;
}

/** Groups the chunks of one day, and its head points, into clusters that do not overlap. */
function clustersOf(chunks: readonly StoredChunk[], head: Columns | undefined, order: 'asc' | 'desc'): Cluster[] {
  const clusters = overlapping(chunks).map((members): Cluster => {
    const t1 = members.reduce((latest, chunk) => Math.max(latest, chunk.head.t1), Number.NEGATIVE_INFINITY);
    return { t0: members[0]?.head.t0 ?? 0, t1, chunks: members, head: undefined };
  });
  if (head !== undefined && head.count > 0) {
    const whole: Cluster = { t0: head.ts[0] ?? 0, t1: head.ts[head.count - 1] ?? 0, chunks: [], head };
    for (let at = clusters.length - 1; at >= 0; at--) {
      const cluster = clusters[at];
      if (cluster === undefined || cluster.t0 > whole.t1 || cluster.t1 < whole.t0) continue;
      whole.t0 = Math.min(whole.t0, cluster.t0);
      whole.t1 = Math.max(whole.t1, cluster.t1);
      whole.chunks.push(...cluster.chunks);
      clusters.splice(at, 1);
    }
    clusters.push(whole);
    clusters.sort((a, b) => a.t0 - b.t0);
  }
  return order === 'asc' ? clusters : clusters.reverse();
}

/** Groups of chunks of one day that overlap in time, by rising time; a chunk alone is a group of one. */
export function overlapping(chunks: readonly StoredChunk[]): StoredChunk[][] {
  const sorted = [...chunks].sort((a, b) => a.head.t0 - b.head.t0);
  const groups: StoredChunk[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const chunk of sorted) {
    const group = groups.at(-1);
    if (group === undefined || chunk.head.t0 > end) groups.push([chunk]);
    else group.push(chunk);
    end = Math.max(end, chunk.head.t1);
  }
  return groups;
}

/** The points of chunks, by rising time, of equal times the one in the highest chunk. */
export function mergeChunks(chunks: readonly StoredChunk[], head?: Columns): Columns {
  const all = new Columns(chunks.reduce((sum, chunk) => sum + chunk.head.count, head?.count ?? 0));
  const bySeq = chunks.length > 1 ? [...chunks].sort((a, b) => a.key.seq - b.key.seq) : chunks;
  for (const chunk of bySeq) decodeChunk(chunk.blob, chunk.head, all);
  if (head !== undefined) for (let at = 0; at < head.count; at++) all.pushFrom(head, at);
  return all.sortedAndReplaced();
}

function pointsOf(cluster: Cluster): Columns {
  return mergeChunks(cluster.chunks, cluster.head);
}
