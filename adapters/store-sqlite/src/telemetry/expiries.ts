import type { SeriesId } from '@moorage/core';

/** Series that have points with a time to live, and when to look at them again. */
export class Expiries {
  /** By series, a time before which none of its points is due. */
  readonly #due = new Map<SeriesId, number>();

  get empty(): boolean {
    return this.#due.size === 0;
  }

  /** A point of the series is due at `at`. */
  note(series: SeriesId, at: number): void {
    const known = this.#due.get(series);
    if (known === undefined || at < known) this.#due.set(series, at);
  }

  isDue(series: SeriesId, now: number): boolean {
    const at = this.#due.get(series);
    return at !== undefined && at <= now;
  }

  /** Series that may have a point that is due, at most `limit`. */
  due(now: number, limit: number): SeriesId[] {
    const found: SeriesId[] = [];
    for (const [series, at] of this.#due) {
      if (at > now) continue;
      found.push(series);
      if (found.length === limit) break;
    }
    return found;
  }

  /** What was due has been removed; `next`: the next time, undefined if there is none. */
  looked(series: SeriesId, next: number | undefined): void {
    if (next === undefined) this.#due.delete(series);
    else this.#due.set(series, next);
  }

  forget(series: SeriesId): void {
    this.#due.delete(series);
  }
}
