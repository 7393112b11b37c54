import type { Point, SeriesId, ValueKind } from '@moorage/core';
import { type Columns, OTHER } from './columns.ts';
import { ValueKind as Kind } from './value-kind.ts';

const NONE = 0;
/** The series has been removed: points that were under way are ignored. */
const RETIRED = 0xff;

/** The latest point of every series, in columns by series id. */
export class LatestValues {
  #ts = new Float64Array(1024);
  #num = new Float64Array(1024);
  /** `ValueKind`, with `OTHER` if the value is in `#other`; 0 if there is no point. */
  #kind = new Uint8Array(1024);
  readonly #other = new Map<SeriesId, string | bigint>();

  #reserve(series: SeriesId): void {
    if (series < this.#ts.length) return;
    const size = Math.max(series + 1, this.#ts.length * 2);
    const ts = new Float64Array(size);
    ts.set(this.#ts);
    this.#ts = ts;
    const num = new Float64Array(size);
    num.set(this.#num);
    this.#num = num;
    const kind = new Uint8Array(size);
    kind.set(this.#kind);
    this.#kind = kind;
  }

  /** Takes a point over if none is later; of equal times the one offered last stays. */
  offer(series: SeriesId, ts: number, kind: number, num: number, other: string | bigint | undefined): void {
    if (series >= this.#ts.length) this.#reserve(series);
    const old = this.#kind[series] ?? NONE;
    if (old === RETIRED) return;
    if (old !== NONE && ts < (this.#ts[series] ?? 0)) return;
    this.#ts[series] = ts;
    if (other === undefined) {
      this.#num[series] = num;
      this.#kind[series] = kind;
      if (old >= OTHER) this.#other.delete(series);
    } else {
      this.#kind[series] = kind | OTHER;
      this.#other.set(series, other);
    }
  }

  /** Sets the latest point to point `at` of columns, whatever was there. */
  set(series: SeriesId, points: Columns, at: number): void {
    this.remove(series);
    const full = points.kind[at] ?? 0;
    const num = points.num[at] ?? 0;
    this.offer(series, points.ts[at] ?? 0, full & ~OTHER, num, full >= OTHER ? points.other[num] : undefined);
  }

  remove(series: SeriesId): void {
    const old = this.#kind[series] ?? NONE;
    if (old === NONE || old === RETIRED) return;
    this.#kind[series] = NONE;
    this.#other.delete(series);
  }

  /** Forgets a series for good. */
  retire(series: SeriesId): void {
    this.#reserve(series);
    this.#kind[series] = RETIRED;
    this.#other.delete(series);
  }

  get(series: SeriesId): Point | null {
    const full = this.#kind[series] ?? NONE;
    if (full === NONE || full === RETIRED) return null;
    return toPoint(this.#ts[series] ?? 0, full, this.#num[series] ?? 0, this.#other.get(series));
  }
}

/** A point as the port gives it; `full` is a kind with or without `OTHER`. */
export function toPoint(ts: number, full: number, num: number, other: string | bigint | undefined): Point {
  const kind = kindOf(full & ~OTHER);
  if (full >= OTHER) return { ts, kind, value: other ?? '' };
  return { ts, kind, value: kind === Kind.Boolean ? num === 1 : num };
}

/** All points of columns. */
export function toPoints(points: Columns): Point[] {
  const result: Point[] = [];
  for (let at = 0; at < points.count; at++) {
    const full = points.kind[at] ?? 0;
    const num = points.num[at] ?? 0;
    result.push(toPoint(points.ts[at] ?? 0, full, num, full >= OTHER ? points.other[num] : undefined));
  }
  return result;
}

const KINDS: readonly ValueKind[] = [Kind.Boolean, Kind.Boolean, Kind.Long, Kind.Double, Kind.String, Kind.Json];

/** A stored number as a kind; the codec has checked that it is one. */
export function kindOf(number: number): ValueKind {
  return KINDS[number] ?? Kind.Json;
}
