import type { EntityId, Point, SeriesId, TelemetryStore, WriteOutcome } from '@moorage/core';
import type { StreamPoint } from './account-data.ts';
import type { PointWriter } from './point-writer.ts';
import { parseSeriesKey, pointId, type SeriesName, seriesKey } from './series-keys.ts';

export type ChannelTelemetry = Pick<
  TelemetryStore,
  'seriesOf' | 'intern' | 'range' | 'latest' | 'erase' | 'removeOwner'
>;

/** A point that is to be written. */
export interface NewPoint {
  /** Epoch milliseconds. */
  readonly at: number;
  /** JSON text of an object. */
  readonly text: string;
}

const EVER = 8.64e15;
/** Series whose newest points are asked for at once. */
const LATEST_AT_ONCE = 1000;
/** A clock that goes back further was set right: points follow the new time. */
const CLOCK_WAS_SET_MS = 3_600_000;

/** One series of a channel: the points of one tag and one device. */
class Series implements SeriesName {
  readonly id: SeriesId;
  readonly tag: string | null;
  readonly deviceId: string | null;
  /** Time of the newest point ever taken; epoch milliseconds. */
  newest = Number.NEGATIVE_INFINITY;

  constructor(id: SeriesId, { tag, deviceId }: SeriesName) {
    this.id = id;
    this.tag = tag;
    this.deviceId = deviceId;
  }

  /** The store keeps one point of a series for each millisecond, so one that comes in the same is moved on. */
  nextTime(receivedAt: number): number {
    const behind = this.newest - receivedAt;
    const at = behind >= 0 && behind < CLOCK_WAS_SET_MS ? this.newest + 1 : receivedAt;
    this.newest = at;
    return at;
  }
}

export type OpenSeries = Pick<Series, 'id' | 'tag' | 'deviceId' | 'nextTime'>;

/** The points of one channel. */
export class ChannelStream {
  readonly owner: EntityId;
  /** Epoch milliseconds of the newest point; null: none. */
  lastUpdate: number | null = null;
  readonly #store: ChannelTelemetry;
  readonly #writer: PointWriter;
  readonly #series = new Map<string, Series>();

  constructor(owner: EntityId, store: ChannelTelemetry, writer: PointWriter) {
    this.owner = owner;
    this.#store = store;
    this.#writer = writer;
  }

  /** Takes up what the store has of these tags; a tag that was deleted has left series without points behind. */
  async load(tags: readonly string[]): Promise<void> {
    for (const [key, id] of this.#store.seriesOf(this.owner)) {
      const name = parseSeriesKey(key);
      if (name.tag === null || tags.includes(name.tag)) this.#series.set(key, new Series(id, name));
    }
    await this.#findNewest();
  }

  find(name: SeriesName): OpenSeries | undefined {
    return this.#series.get(seriesKey(name));
  }

  /** The same, made if need be. */
  async open(name: SeriesName): Promise<OpenSeries | 'tooMany' | 'full' | 'failed'> {
    const key = seriesKey(name);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const interned = await this.#store.intern(this.owner, [key]);
    if (typeof interned === 'string') return interned;
    const [id] = interned;
    if (id === undefined) return 'failed';
    const made = this.#series.get(key) ?? new Series(id, name);
    this.#series.set(key, made);
    return made;
  }

  /** Resolves when the point is durable. The time comes from `nextTime` of the series. */
  async append(series: OpenSeries, at: number, text: string): Promise<WriteOutcome> {
    const outcome = await this.#writer.append(series.id, at, text);
    if (outcome === 'stored') this.lastUpdate = Math.max(this.lastUpdate ?? at, at);
    return outcome;
  }

  /** Points with times of their own; one whose millisecond is taken is moved on to the next that is free. */
  async write(name: SeriesName, points: readonly NewPoint[]): Promise<WriteOutcome | 'tooMany'> {
    const open = await this.open(name);
    if (typeof open === 'string') return open;
    const series = this.#series.get(seriesKey(name));
    if (series === undefined) return 'failed';
    const taken = new Set<number>();
    const writes: Promise<WriteOutcome>[] = [];
    for (const { at, text } of points) {
      const free = at > series.newest ? at : await this.#freeTime(series, at, taken);
      taken.add(free);
      series.newest = Math.max(series.newest, free);
      writes.push(this.append(series, free, text));
    }
    return worst(await Promise.all(writes));
  }

  async #freeTime({ id }: Series, wanted: number, taken: ReadonlySet<number>): Promise<number> {
    for (let from = wanted; ; from += LATEST_AT_ONCE) {
      const stored = await this.#store.range({
        series: id,
        from,
        to: from + LATEST_AT_ONCE,
        order: 'asc',
        limit: LATEST_AT_ONCE,
      });
      const times = new Set(stored.map(({ ts }) => ts));
      for (let at = from; at < from + LATEST_AT_ONCE; at++) if (!times.has(at) && !taken.has(at)) return at;
    }
  }

  /** Points of [from, to], ascending, of one tag or (undefined) of all; at most `limit`, the first or the newest ones. */
  async points(
    tag: string | null | undefined,
    range: { readonly from: number; readonly to: number; readonly limit: number; readonly latest: boolean },
  ): Promise<readonly StreamPoint[]> {
    const { from, limit, latest } = range;
    if (limit < 1) return [];
    const to = Math.min(range.to, EVER) + 1;
    const order = latest ? 'desc' : 'asc';
    let found: { readonly series: Series; readonly point: Point }[] = [];
    const direction = latest ? -1 : 1;
    for (const series of await this.#worthReading(tag, range)) {
      const points = await this.#store.range({ series: series.id, from, to, order, limit });
      if (points.length === 0) continue;
      for (const point of points) found.push({ series, point });
      found.sort((a, b) => direction * (a.point.ts - b.point.ts || a.series.id - b.series.id));
      // No more than twice as many as asked for are ever held.
      found = found.slice(0, limit);
    }
    if (latest) found.reverse();
    return found.map(({ series, point }) => streamPoint(series, point));
  }

  /** The newest points of all stand in the series whose own newest points are the newest. */
  async #worthReading(
    tag: string | null | undefined,
    {
      from,
      to,
      limit,
      latest,
    }: { readonly from: number; readonly to: number; readonly limit: number; readonly latest: boolean },
  ): Promise<readonly Series[]> {
    const candidates = [...this.#series.values()].filter((series) => tag === undefined || series.tag === tag);
    if (!latest || candidates.length <= limit || from > -EVER || to < EVER) return candidates;
    const newest = await this.#newestOf(candidates);
    return candidates
      .map((series, index) => ({ series, ts: newest[index]?.ts ?? Number.NEGATIVE_INFINITY }))
      .sort((a, b) => b.ts - a.ts)
      .slice(0, limit)
      .map(({ series }) => series);
  }

  /** Forgets the series of a tag and erases their points. */
  async eraseTag(tag: string): Promise<WriteOutcome> {
    const erased = [...this.#series].filter(([, series]) => series.tag === tag);
    for (const [key] of erased) this.#series.delete(key);
    await this.#writer.settled();
    for (const [, { id }] of erased) {
      const outcome = await this.#store.erase({ series: id, from: -EVER, to: EVER, latestAfter: 'delete' });
      if (outcome !== 'stored') return outcome;
    }
    await this.#findNewest();
    return 'stored';
  }

  /** Erases everything. Nothing may be written any more. */
  async remove(): Promise<WriteOutcome> {
    this.#series.clear();
    this.lastUpdate = null;
    await this.#writer.settled();
    return this.#store.removeOwner(this.owner);
  }

  async #findNewest(): Promise<void> {
    const all = [...this.#series.values()];
    const newest = await this.#newestOf(all);
    this.lastUpdate = null;
    for (const [index, series] of all.entries()) {
      const ts = newest[index]?.ts;
      if (ts === undefined) continue;
      series.newest = Math.max(series.newest, ts);
      this.lastUpdate = Math.max(this.lastUpdate ?? ts, ts);
    }
  }

  async #newestOf(series: readonly Series[]): Promise<readonly (Point | null)[]> {
    const found: (Point | null)[] = [];
    for (let start = 0; start < series.length; start += LATEST_AT_ONCE) {
      const part = series.slice(start, start + LATEST_AT_ONCE);
      found.push(...(await this.#store.latest(part.map(({ id }) => id))));
    }
    return found;
  }
}

function streamPoint({ id, tag, deviceId }: Series, { ts, value }: Point): StreamPoint {
  return { id: pointId(id, ts), tag, deviceId, value: String(value), at: ts };
}

export function worst(outcomes: readonly WriteOutcome[]): WriteOutcome {
  if (outcomes.includes('failed')) return 'failed';
  return outcomes.includes('full') ? 'full' : 'stored';
}
