import type {
  AggregateQuery,
  Attribute,
  AttributeChange,
  AttributeScope,
  AttributeStore,
  Bucket,
  OwnerId,
  Point,
  PointBatch,
  RangeQuery,
  SeriesId,
  StoreStatistics,
  TelemetryStore,
  ValueKind,
  WriteOutcome,
} from '@moorage/core';
import { ValueKind as Kind } from '@moorage/core';
import { bucketsOf } from './reference-buckets.ts';

const DAY_MS = 86_400_000;
const LARGEST_TIME = 8.64e15;
const KINDS: readonly ValueKind[] = [Kind.Boolean, Kind.Long, Kind.Double, Kind.String, Kind.Json];
const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SHARED', 'SERVER'];

export interface MemoryTelemetryOptions {
  /** Default 2,000. */
  readonly maxSeriesPerOwner?: number;
  /** Epoch milliseconds; what is over by then is hidden. Default: nothing is, until `applyExpiry`. */
  readonly clock?: () => number;
}

/** The plainest possible telemetry store: the reference the other implementations are compared with. */
export class MemoryTelemetryStore implements TelemetryStore, AttributeStore {
  readonly #maxSeriesPerOwner: number;
  readonly #clock: () => number;
  /** When points are removed, by series and time. */
  readonly #expiries = new Map<SeriesId, Map<number, number>>();
  readonly #owners = new Map<OwnerId, Map<string, SeriesId>>();
  readonly #points = new Map<SeriesId, Map<number, Point>>();
  readonly #latest = new Map<SeriesId, Point>();
  readonly #attributes = new Map<OwnerId, Map<string, Attribute>>();
  readonly #none: ReadonlyMap<string, SeriesId> = new Map();
  #nextSeries = 1;

  constructor(options: MemoryTelemetryOptions = {}) {
    this.#maxSeriesPerOwner = options.maxSeriesPerOwner ?? 2000;
    this.#clock = options.clock ?? (() => Number.NEGATIVE_INFINITY);
  }

  seriesOf(owner: OwnerId): ReadonlyMap<string, SeriesId> {
    return this.#owners.get(owner) ?? this.#none;
  }

  async intern(owner: OwnerId, keys: readonly string[]): Promise<readonly SeriesId[] | 'tooMany' | 'full' | 'failed'> {
    if (keys.some((key) => key.length === 0 || key.length > 255)) return 'failed';
    const series = this.#owners.get(owner) ?? new Map<string, SeriesId>();
    const fresh = new Set(keys.filter((key) => !series.has(key)));
    if (fresh.size > 0 && series.size + fresh.size > this.#maxSeriesPerOwner) return 'tooMany';
    if (fresh.size > 0) this.#owners.set(owner, series);
    for (const key of fresh) {
      this.#points.set(this.#nextSeries, new Map());
      series.set(key, this.#nextSeries++);
    }
    return keys.map((key) => series.get(key) ?? 0);
  }

  async append(batch: PointBatch): Promise<WriteOutcome> {
    if (!expiringFits(batch)) return 'failed';
    const others = new Map(batch.other.map(({ index, value }) => [index, value]));
    const points: { series: SeriesId; point: Point; expiresAt: number | undefined }[] = [];
    for (let at = 0; at < batch.count; at++) {
      const series = batch.series[at] ?? 0;
      const point = toPoint(batch, at, others.get(at));
      if (point === undefined || series < 1 || series >= this.#nextSeries) return 'failed';
      const expiresAt = batch.expiring?.find(({ from, to }) => at >= from && at < to)?.at;
      points.push({ series, point, expiresAt });
    }
    for (const { series, point, expiresAt } of points) {
      const history = this.#points.get(series);
      if (history === undefined) continue;
      history.set(point.ts, point);
      this.#noteExpiry(series, point.ts, expiresAt);
      const latest = this.#latest.get(series);
      if (latest === undefined || point.ts >= latest.ts) this.#latest.set(series, point);
    }
    return 'stored';
  }

  #noteExpiry(series: SeriesId, ts: number, at: number | undefined): void {
    const expiries = this.#expiries.get(series);
    if (at === undefined) expiries?.delete(ts);
    else if (expiries === undefined) this.#expiries.set(series, new Map([[ts, at]]));
    else expiries.set(ts, at);
  }

  /** Removes what is over of a series; how many points. */
  #expire(series: SeriesId, now: number): number {
    const expiries = this.#expiries.get(series);
    const latest = this.#latest.get(series);
    const history = this.#points.get(series);
    let removed = 0;
    let wasLatest = false;
    for (const [ts, at] of expiries ?? []) {
      if (at > now) continue;
      expiries?.delete(ts);
      history?.delete(ts);
      wasLatest ||= ts === latest?.ts;
      removed++;
    }
    if (expiries?.size === 0) this.#expiries.delete(series);
    if (!wasLatest) return removed;
    const newest = this.#between(series, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).at(-1);
    if (newest === undefined) this.#latest.delete(series);
    else this.#latest.set(series, newest);
    return removed;
  }

  async latest(series: readonly SeriesId[]): Promise<readonly (Point | null)[]> {
    for (const id of series) this.#expire(id, this.#clock());
    return series.map((id) => this.#latest.get(id) ?? null);
  }

  #between(series: SeriesId, from: number, to: number): Point[] {
    const points = [...(this.#points.get(series)?.values() ?? [])];
    return points.filter((point) => point.ts >= from && point.ts < to).sort((a, b) => a.ts - b.ts);
  }

  async range({ series, from, to, order, limit }: RangeQuery): Promise<readonly Point[]> {
    this.#expire(series, this.#clock());
    const points = this.#between(series, from, to);
    return (order === 'asc' ? points : points.reverse()).slice(0, limit);
  }

  async aggregate({ series, from, to, intervalMs }: AggregateQuery): Promise<readonly Bucket[]> {
    this.#expire(series, this.#clock());
    return bucketsOf(this.#between(series, from, to), from, intervalMs);
  }

  async erase(query: {
    readonly series: SeriesId;
    readonly from: number;
    readonly to: number;
    readonly latestAfter: 'rewrite' | 'delete' | 'keep';
  }): Promise<WriteOutcome> {
    const { series, from, to, latestAfter } = query;
    const history = this.#points.get(series);
    if (history === undefined) return 'stored';
    this.#expire(series, this.#clock());
    for (const { ts } of this.#between(series, from, to)) history.delete(ts);
    const latest = this.#latest.get(series);
    if (latest === undefined || latest.ts < from || latest.ts >= to || latestAfter === 'keep') return 'stored';
    const before = this.#between(series, Number.NEGATIVE_INFINITY, from).at(-1);
    if (latestAfter === 'rewrite' && before !== undefined) this.#latest.set(series, before);
    else this.#latest.delete(series);
    return 'stored';
  }

  async removeOwner(owner: OwnerId): Promise<WriteOutcome> {
    for (const series of this.#owners.get(owner)?.values() ?? []) {
      this.#points.delete(series);
      this.#latest.delete(series);
      this.#expiries.delete(series);
    }
    this.#owners.get(owner)?.clear();
    this.#owners.delete(owner);
    this.#attributes.delete(owner);
    return 'stored';
  }

  /** Removes whole UTC days only, as the port leaves open. */
  async applyRetention(before: number, _budgetMs: number): Promise<{ removedChunks: number; more: boolean }> {
    const border = Math.floor(before / DAY_MS) * DAY_MS;
    let removedChunks = 0;
    for (const [series, history] of this.#points) {
      const old = this.#between(series, Number.NEGATIVE_INFINITY, border);
      for (const { ts } of old) history.delete(ts);
      if (old.length > 0) removedChunks++;
      // The latest point outlives its history, and keeps its time to live.
      const latest = this.#latest.get(series)?.ts;
      const expiries = this.#expiries.get(series);
      for (const ts of [...(expiries?.keys() ?? [])]) if (ts < border && ts !== latest) expiries?.delete(ts);
    }
    return { removedChunks, more: false };
  }

  async applyExpiry(now: number, _budgetMs: number): Promise<{ removedPoints: number; more: boolean }> {
    let removedPoints = 0;
    for (const series of [...this.#expiries.keys()]) removedPoints += this.#expire(series, now);
    return { removedPoints, more: false };
  }

  async statistics(): Promise<StoreStatistics> {
    let points = 0;
    let series = 0;
    let oldest: number | null = null;
    for (const history of this.#points.values()) {
      series++;
      points += history.size;
      for (const ts of history.keys()) if (oldest === null || ts < oldest) oldest = ts;
    }
    return { bytes: 0, points, series, oldest, state: 'ok' };
  }

  async save(changes: readonly AttributeChange[]): Promise<WriteOutcome> {
    if (!changes.every(attributeFits)) return 'failed';
    for (const { owner, scope, key, attribute } of changes) {
      const attributes = this.#attributes.get(owner) ?? new Map<string, Attribute>();
      this.#attributes.set(owner, attributes);
      if (attribute === null) attributes.delete(`${scope}:${key}`);
      else attributes.set(`${scope}:${key}`, { scope, key, ...attribute });
    }
    return 'stored';
  }

  /** By scope in the order CLIENT, SHARED, SERVER, then by key. */
  async read(
    owner: OwnerId,
    scope: AttributeScope | null,
    keys: readonly string[] | null,
  ): Promise<readonly Attribute[]> {
    const all = [...(this.#attributes.get(owner)?.values() ?? [])];
    return all
      .filter((attribute) => scope === null || attribute.scope === scope)
      .filter((attribute) => keys === null || keys.includes(attribute.key))
      .sort((a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope) || (a.key < b.key ? -1 : 1));
  }
}

/** Ranges of the batch, ascending and apart. */
function expiringFits({ expiring = [], count }: PointBatch): boolean {
  let end = 0;
  return expiring.every(({ from, to, at }) => {
    const fits = from >= end && to > from && to <= count && Number.isSafeInteger(at);
    end = to;
    return fits;
  });
}

function toPoint(batch: PointBatch, at: number, other: string | bigint | undefined): Point | undefined {
  const ts = (batch.ts[at] ?? Number.NaN) + 0;
  const kind = KINDS.find((known) => known === batch.kind[at]);
  const num = batch.num[at] ?? Number.NaN;
  if (kind === undefined || !Number.isInteger(ts) || Math.abs(ts) > LARGEST_TIME) return undefined;
  if (typeof other === 'string')
    return kind === Kind.String || kind === Kind.Json ? { ts, kind, value: other } : undefined;
  if (typeof other === 'bigint') {
    if (kind !== Kind.Long || BigInt.asIntN(64, other) !== other) return undefined;
    const number = Number(other);
    return { ts, kind, value: Number.isSafeInteger(number) ? number : other };
  }
  if (kind === Kind.Double) return Number.isFinite(num) ? { ts, kind, value: num } : undefined;
  if (kind === Kind.Long) return Number.isSafeInteger(num) ? { ts, kind, value: num } : undefined;
  if (kind === Kind.Boolean) return num === 0 || num === 1 ? { ts, kind, value: num === 1 } : undefined;
  return undefined;
}

function attributeFits({ scope, key, attribute }: AttributeChange): boolean {
  if (!SCOPES.includes(scope) || key.length === 0 || key.length > 255) return false;
  if (attribute === null) return true;
  const { kind, value } = attribute;
  if (kind === Kind.Boolean) return typeof value === 'boolean';
  if (kind === Kind.Double) return typeof value === 'number' && Number.isFinite(value);
  if (kind !== Kind.Long) return typeof value === 'string';
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}
