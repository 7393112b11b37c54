import { isObject, parseJson } from '@moorage/core';
import type { AccountData, StreamPoint } from '../data/account-data.ts';

/** Points of one answer. thingscale.md, 4.8 */
export const MAXIMUM_POINTS = 10_000;
/** Characters of the values of one answer. */
const MAXIMUM_CHARACTERS = 16_777_216;
/** Members of an aggregation. */
const MAXIMUM_MEMBERS = 10_000;
const PAGE = 1000;
/** Epoch milliseconds: as far from 1970 as a time may be. */
const END_OF_TIME = 8_640_000_000_000_000;
/** Every point. */
export const EVER = { from: -END_OF_TIME, to: END_OF_TIME } as const;

export interface PointRange {
  readonly channel: number;
  /** undefined: of all tags, and without one. */
  readonly tag: string | undefined;
  /** Epoch milliseconds, both included. */
  readonly from: number;
  readonly to: number;
}

/** Points of a range, ascending, page by page, so that a long range is never held whole. */
async function* pages(data: AccountData, range: PointRange): AsyncGenerator<readonly StreamPoint[]> {
  /** Points at the time that the former page ended with; the next one begins with them again. */
  let seen: ReadonlySet<string> = new Set();
  let from = range.from;
  for (;;) {
    const limit = PAGE + seen.size;
    const found = await data.points({ ...range, from, limit, latest: false });
    const page = found.filter(({ id }) => !seen.has(id));
    if (page.length > 0) yield page;
    const last = found.at(-1);
    if (last === undefined || found.length < limit) return;
    seen = new Set(found.filter(({ at }) => at === last.at).map(({ id }) => id));
    from = last.at;
  }
}

/** Points of a range, ascending; null: there are more than one answer holds. */
export async function pointsOf(data: AccountData, range: PointRange): Promise<readonly StreamPoint[] | null> {
  const points: StreamPoint[] = [];
  let characters = 0;
  for await (const page of pages(data, range)) {
    for (const point of page) characters += point.value.length;
    points.push(...page);
    if (points.length > MAXIMUM_POINTS || characters > MAXIMUM_CHARACTERS) return null;
  }
  return points;
}

/** The newest points, ascending; null: they are too long for one answer. */
export async function newestOf(
  data: AccountData,
  of: Pick<PointRange, 'channel' | 'tag'>,
  limit: number,
): Promise<readonly StreamPoint[] | null> {
  const points = await data.points({ ...of, ...EVER, limit, latest: true });
  const characters = points.reduce((sum, { value }) => sum + value.length, 0);
  return characters > MAXIMUM_CHARACTERS ? null : points;
}

export const AGGREGATIONS = ['avg', 'sum', 'min', 'max'] as const;
export type Aggregation = (typeof AGGREGATIONS)[number];

interface Tally {
  count: number;
  sum: number;
  min: number;
  max: number;
}

function add(tallies: Map<string, Tally>, name: string, value: number): void {
  const tally = tallies.get(name);
  if (tally === undefined) tallies.set(name, { count: 1, sum: value, min: value, max: value });
  else {
    tally.count++;
    tally.sum += value;
    tally.min = Math.min(tally.min, value);
    tally.max = Math.max(tally.max, value);
  }
}

/**
 * Numeric top-level members over a range, by name in the order of their first points; `empty`: no point is in it; null:
 * there are too many.
 */
export async function aggregateOf(
  data: AccountData,
  range: PointRange,
  aggregation: Aggregation,
): Promise<ReadonlyMap<string, number> | 'empty' | null> {
  const tallies = new Map<string, Tally>();
  let count = 0;
  for await (const page of pages(data, range)) {
    count += page.length;
    for (const { value } of page) {
      const members = parseJson(value);
      if (!isObject(members)) continue;
      for (const [name, member] of Object.entries(members)) {
        if (typeof member === 'number') add(tallies, name, member);
      }
      if (tallies.size > MAXIMUM_MEMBERS) return null;
    }
    if (count > MAXIMUM_POINTS) return null;
  }
  if (count === 0) return 'empty';
  const result = new Map<string, number>();
  for (const [name, tally] of tallies) {
    const value = aggregation === 'avg' ? tally.sum / tally.count : tally[aggregation];
    if (Number.isFinite(value)) result.set(name, value);
  }
  return result;
}
