import type { Bucket } from '@moorage/core';
import { ChunkClass, type ChunkHead } from './chunk-codec.ts';
import { type Columns, OTHER } from './columns.ts';
import { ValueKind } from './value-kind.ts';

type Counts = [number, number, number, number, number, number];

interface OpenBucket {
  readonly from: number;
  readonly to: number;
  readonly counts: Counts;
  sum: number;
  /** Exact sum of the Longs: the part below 2^53, and the rest. */
  safeSum: number;
  bigSum: bigint;
  min: number | bigint | undefined;
  max: number | bigint | undefined;
  minText: string | undefined;
  maxText: string | undefined;
}

/** Collects points by rising time into the buckets of one query. */
export class BucketSeries {
  readonly #from: number;
  readonly #to: number;
  readonly #intervalMs: number;
  readonly #done: Bucket[] = [];
  #open: OpenBucket | undefined;

  constructor(from: number, to: number, intervalMs: number) {
    this.#from = from;
    this.#to = to;
    this.#intervalMs = intervalMs;
  }

  #bucketAt(ts: number): OpenBucket {
    if (this.#open !== undefined && ts < this.#open.to) return this.#open;
    this.#close();
    const from = this.#from + Math.floor((ts - this.#from) / this.#intervalMs) * this.#intervalMs;
    this.#open = {
      from,
      to: Math.min(from + this.#intervalMs, this.#to),
      counts: [0, 0, 0, 0, 0, 0],
      sum: 0,
      safeSum: 0,
      bigSum: 0n,
      min: undefined,
      max: undefined,
      minText: undefined,
      maxText: undefined,
    };
    return this.#open;
  }

  /** Adds a whole chunk by its header; false if its points have to be looked at. */
  addSummary(head: ChunkHead): boolean {
    if (head.t0 < this.#from || head.t1 >= this.#to || head.class === ChunkClass.Text) return false;
    const bucket = this.#bucketAt(head.t0);
    if (head.t1 >= bucket.to) return false;
    if (head.class === ChunkClass.Boolean) {
      bucket.counts[ValueKind.Boolean] += head.count;
      return true;
    }
    const { summary } = head;
    const allLong = head.firstKindCount === head.count;
    if (summary === undefined || (allLong && !summary.exact)) return false;
    bucket.counts[ValueKind.Long] += head.firstKindCount;
    bucket.counts[ValueKind.Double] += head.count - head.firstKindCount;
    if (allLong) addSafe(bucket, summary.sum);
    bucket.sum += summary.sum;
    if (bucket.min === undefined || summary.min < bucket.min) bucket.min = summary.min;
    if (bucket.max === undefined || summary.max > bucket.max) bucket.max = summary.max;
    return true;
  }

  /** Adds one point; those outside the query are ignored. */
  addPoint(points: Columns, at: number): void {
    const ts = points.ts[at] ?? 0;
    if (ts < this.#from || ts >= this.#to) return;
    const bucket = this.#bucketAt(ts);
    const full = points.kind[at] ?? 0;
    const num = points.num[at] ?? 0;
    const kind = full & ~OTHER;
    if (kind === ValueKind.Long || kind === ValueKind.Double) {
      const other = full >= OTHER ? points.other[num] : undefined;
      const value = typeof other === 'bigint' ? other : num;
      bucket.counts[kind]++;
      bucket.sum += Number(value);
      if (typeof value === 'bigint') bucket.bigSum += value;
      else if (kind === ValueKind.Long) addSafe(bucket, value);
      if (bucket.min === undefined || value < bucket.min) bucket.min = value;
      if (bucket.max === undefined || value > bucket.max) bucket.max = value;
    } else if (kind === ValueKind.Boolean) bucket.counts[kind]++;
    else if (kind === ValueKind.String || kind === ValueKind.Json) {
      bucket.counts[kind]++;
      const text = String(points.other[num]);
      if (bucket.minText === undefined || text < bucket.minText) bucket.minText = text;
      if (bucket.maxText === undefined || text > bucket.maxText) bucket.maxText = text;
    }
  }

  #close(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { from, counts, min, max, minText, maxText } = open;
    if (counts.every((count) => count === 0)) return;
    const onlyLongs = counts[ValueKind.Long] > 0 && counts[ValueKind.Double] === 0;
    const longSum = onlyLongs ? open.bigSum + BigInt(open.safeSum) : undefined;
    const sum = longSum === undefined ? open.sum : Number(longSum);
    this.#done.push({ from, counts, sum, longSum, min, max, minText, maxText });
  }

  finish(): Bucket[] {
    this.#close();
    return this.#done;
  }
}

function addSafe(bucket: OpenBucket, value: number): void {
  const sum = bucket.safeSum + value;
  if (Number.isSafeInteger(sum)) bucket.safeSum = sum;
  else {
    bucket.bigSum += BigInt(bucket.safeSum) + BigInt(value);
    bucket.safeSum = 0;
  }
}
