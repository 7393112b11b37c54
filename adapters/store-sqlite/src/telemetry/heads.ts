import { type Columns, OTHER } from './columns.ts';
import { DAY_MS } from './time-codec.ts';

/** Points of a block; a series takes memory in these steps. */
const BLOCK_POINTS = 8;
const SLAB_BLOCKS = 4096;

/** Fields of a series in the table, so that one append touches one cache line. */
const COUNT = 0;
const FIRST = 1;
const LAST = 2;
const STATE = 3;
const TEXT_BYTES = 4;
const FIELDS = 8;

const ALIVE = 1;
/** Noted in `touched` since the last `takeTouched`. */
const TOUCHED = 2;

interface Slab {
  /** Time and number of each point, side by side. */
  readonly data: Float64Array<ArrayBuffer>;
  readonly kind: Uint8Array<ArrayBuffer>;
}

/**
 * The points of every series that are in the log but in no chunk yet, in order of arrival. Columns and chained blocks
 * instead of arrays per series: an append allocates nothing, and a series with one point costs 200 bytes.
 */
export class Heads {
  readonly #sealAt: number;
  #table = new Int32Array(1024 * FIELDS);
  /** Start of the day of the head's first point. */
  #dayStart = new Float64Array(1024);
  /** Log record of the head's oldest point. */
  #firstLog = new Float64Array(1024);
  readonly #slabs: Slab[] = [];
  #next = new Int32Array(0);
  #free = -1;
  #blocks = 0;
  readonly #other = new Map<number, (string | bigint)[]>();
  #touched: number[] = [];
  /** Series in the order their heads began, with the record; stale entries are skipped. */
  #queue: { series: number; logId: number }[] = [];
  #queueAt = 0;

  /** Points in all heads. */
  points = 0;
  /** Bytes of text in all heads. */
  textBytes = 0;

  constructor(sealAt: number) {
    this.#sealAt = sealAt;
  }

  /** Memory in use, in points: whole blocks, and text at 16 bytes a point. */
  get budgetPoints(): number {
    return this.#blocks * BLOCK_POINTS + Math.ceil(this.textBytes / 16);
  }

  /** Makes a series known; points of others are ignored. */
  admit(series: number): void {
    if ((series + 1) * FIELDS > this.#table.length) this.#growTable(series + 1);
    this.#table[series * FIELDS + STATE] = ALIVE;
  }

  /** Forgets a series and its points. */
  dismiss(series: number): void {
    if (!this.alive(series)) return;
    this.drop(series, this.count(series));
    this.#table[series * FIELDS + STATE] = 0;
  }

  alive(series: number): boolean {
    return ((this.#table[series * FIELDS + STATE] ?? 0) & ALIVE) !== 0;
  }

  count(series: number): number {
    return this.#table[series * FIELDS + COUNT] ?? 0;
  }

  /** Start of the UTC day of the head's first point. */
  dayStart(series: number): number {
    return this.#dayStart[series] ?? 0;
  }

  #growTable(series: number): void {
    const size = Math.max(series, (this.#table.length / FIELDS) * 2);
    const table = new Int32Array(size * FIELDS);
    table.set(this.#table);
    this.#table = table;
    const dayStart = new Float64Array(size);
    dayStart.set(this.#dayStart);
    this.#dayStart = dayStart;
    const firstLog = new Float64Array(size);
    firstLog.set(this.#firstLog);
    this.#firstLog = firstLog;
  }

  /** Adds a point of log record `logId` to an admitted series. */
  append(
    series: number,
    logId: number,
    ts: number,
    kind: number,
    num: number,
    other: string | bigint | undefined,
  ): void {
    const table = this.#table;
    const row = series * FIELDS;
    const state = table[row + STATE] ?? 0;
    if ((state & ALIVE) === 0) return;
    const count = table[row + COUNT] ?? 0;
    let block = table[row + LAST] ?? 0;
    if (count % BLOCK_POINTS === 0) block = this.#extend(row, block, count);
    let touch = count + 1 >= this.#sealAt;
    if (count === 0) {
      this.#dayStart[series] = Math.floor(ts / DAY_MS) * DAY_MS;
      this.#firstLog[series] = logId;
      this.#queue.push({ series, logId });
    } else {
      const inDay = ts - (this.#dayStart[series] ?? 0);
      if (inDay < 0 || inDay >= DAY_MS) touch = true;
    }
    const slab = this.#slabs[Math.floor(block / SLAB_BLOCKS)];
    if (slab === undefined) return;
    const at = (block % SLAB_BLOCKS) * BLOCK_POINTS + (count % BLOCK_POINTS);
    slab.data[at * 2] = ts;
    slab.kind[at] = kind;
    if (kind < OTHER) slab.data[at * 2 + 1] = num;
    else {
      const size = this.#keepOther(series, row, other ?? '', slab.data, at * 2 + 1);
      if (size > TEXT_SEAL_BYTES) touch = true;
    }
    table[row + COUNT] = count + 1;
    this.points++;
    if (touch && (state & TOUCHED) === 0) {
      table[row + STATE] = state | TOUCHED;
      this.#touched.push(series);
    }
  }

  #keepOther(series: number, row: number, value: string | bigint, data: Float64Array, at: number): number {
    let list = this.#other.get(series);
    if (list === undefined) {
      list = [];
      this.#other.set(series, list);
    }
    data[at] = list.length;
    list.push(value);
    const sizeBytes = typeof value === 'string' ? value.length + 24 : 32;
    const total = (this.#table[row + TEXT_BYTES] ?? 0) + sizeBytes;
    this.#table[row + TEXT_BYTES] = total;
    this.textBytes += sizeBytes;
    return total;
  }

  #extend(row: number, last: number, count: number): number {
    if (this.#free < 0) this.#addSlab();
    const block = this.#free;
    this.#free = this.#next[block] ?? -1;
    this.#next[block] = -1;
    this.#blocks++;
    if (count === 0) this.#table[row + FIRST] = block;
    else this.#next[last] = block;
    this.#table[row + LAST] = block;
    return block;
  }

  #addSlab(): void {
    const start = this.#slabs.length * SLAB_BLOCKS;
    const size = SLAB_BLOCKS * BLOCK_POINTS;
    this.#slabs.push({ data: new Float64Array(size * 2), kind: new Uint8Array(size) });
    if (start + SLAB_BLOCKS > this.#next.length) {
      const next = new Int32Array(Math.max(start + SLAB_BLOCKS, this.#next.length * 2));
      next.set(this.#next);
      this.#next = next;
    }
    for (let block = start; block < start + SLAB_BLOCKS; block++) this.#next[block] = block + 1;
    this.#next[start + SLAB_BLOCKS - 1] = -1;
    this.#free = start;
  }

  /** Adds the first `count` points of a series to `target`, in order of arrival. */
  copy(series: number, count: number, target: Columns): void {
    target.reserve(count);
    const other = this.#other.get(series);
    const { ts, num, kind } = target;
    let block = this.#table[series * FIELDS + FIRST] ?? 0;
    let place = target.count;
    for (let start = 0; start < count; start += BLOCK_POINTS) {
      if (start > 0) block = this.#next[block] ?? 0;
      const slab = this.#slabs[Math.floor(block / SLAB_BLOCKS)];
      if (slab === undefined) break;
      const first = (block % SLAB_BLOCKS) * BLOCK_POINTS;
      const end = first + Math.min(BLOCK_POINTS, count - start);
      for (let at = first; at < end; at++) {
        ts[place] = slab.data[at * 2] ?? 0;
        num[place] = slab.data[at * 2 + 1] ?? 0;
        kind[place++] = slab.kind[at] ?? 0;
      }
    }
    if (other !== undefined) {
      for (let at = target.count; at < place; at++) {
        if ((kind[at] ?? 0) < OTHER) continue;
        target.other.push(other[num[at] ?? 0] ?? '');
        num[at] = target.other.length - 1;
      }
    }
    target.count = place;
  }

  /** Removes the first `count` points of a series; the rest, if any, came with record `logId`. */
  drop(series: number, count: number, logId = 0, rest?: Columns): void {
    const row = series * FIELDS;
    const total = this.count(series);
    if (count === 0 || total === 0) return;
    const kept = total - count;
    if (kept > 0 && rest !== undefined) {
      rest.clear();
      this.copy(series, total, rest);
    }
    const last = this.#table[row + LAST] ?? 0;
    this.#next[last] = this.#free;
    this.#free = this.#table[row + FIRST] ?? 0;
    this.#blocks -= Math.ceil(total / BLOCK_POINTS);
    this.points -= total;
    this.textBytes -= this.#table[row + TEXT_BYTES] ?? 0;
    this.#table[row + TEXT_BYTES] = 0;
    this.#table[row + COUNT] = 0;
    this.#other.delete(series);
    if (rest === undefined) return;
    for (let at = total - kept; at < total; at++) {
      const kind = rest.kind[at] ?? 0;
      const num = rest.num[at] ?? 0;
      this.append(series, logId, rest.ts[at] ?? 0, kind, num, kind < OTHER ? undefined : rest.other[num]);
    }
  }

  /** The series that reached the seal size or hold points of several days since the last call. */
  takeTouched(): readonly number[] {
    const touched = this.#touched;
    if (touched.length === 0) return touched;
    this.#touched = [];
    for (const series of touched) {
      const at = series * FIELDS + STATE;
      this.#table[at] = (this.#table[at] ?? 0) & ~TOUCHED;
    }
    return touched;
  }

  /** The series whose head holds the oldest log record in use, or nothing when all heads are empty. */
  oldest(): { readonly series: number; readonly logId: number } | undefined {
    for (;;) {
      const entry = this.#queue[this.#queueAt];
      if (entry === undefined) {
        this.#queue = [];
        this.#queueAt = 0;
        return undefined;
      }
      if (this.count(entry.series) > 0 && this.#firstLog[entry.series] === entry.logId) return entry;
      this.#queueAt++;
      if (this.#queueAt > 4096 && this.#queueAt * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#queueAt);
        this.#queueAt = 0;
      }
    }
  }

  /** Every series with points. */
  *filled(): IterableIterator<number> {
    for (let series = 0; series * FIELDS < this.#table.length; series++) {
      if (this.count(series) > 0) yield series;
    }
  }
}

/** A head with more text than this is sealed at the end of the commit. */
const TEXT_SEAL_BYTES = 262_144;
