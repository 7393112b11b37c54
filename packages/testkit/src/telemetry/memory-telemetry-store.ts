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
}

/** The plainest possible telemetry store: the reference the other implementations are compared with. */
export class MemoryTelemetryStore implements TelemetryStore, AttributeStore {
  readonly #maxSeriesPerOwner: number;
  readonly #owners = new Map<OwnerId, Map<string, SeriesId>>();
  readonly #points = new Map<SeriesId, Map<number, Point>>();
  readonly #latest = new Map<SeriesId, Point>();
  readonly #attributes = new Map<OwnerId, Map<string, Attribute>>();
  readonly #none: ReadonlyMap<string, SeriesId> = new Map();
  #nextSeries = 1;

  constructor(options: MemoryTelemetryOptions = {}) {
    this.#maxSeriesPerOwner = options.maxSeriesPerOwner ?? 2000;
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
    const others = new Map(batch.other.map(({ index, value }) => [index, value]));
    const points: { series: SeriesId; point: Point }[] = [];
    for (let at = 0; at < batch.count; at++) {
      const series = batch.series[at] ?? 0;
      const point = toPoint(batch, at, others.get(at));
      if (point === undefined || series < 1 || series >= this.#nextSeries) return 'failed';
      points.push({ series, point });
    }
    for (const { series, point } of points) {
      const history = this.#points.get(series);
      if (history === undefined) continue;
      history.set(point.ts, point);
      const latest = this.#latest.get(series);
      if (latest === undefined || point.ts >= latest.ts) this.#latest.set(series, point);
    }
    return 'stored';
  }

  async latest(series: readonly SeriesId[]): Promise<readonly (Point | null)[]> {
    return series.map((id) => this.#latest.get(id) ?? null);
  }

  #between(series: SeriesId, from: number, to: number): Point[] {
    const points = [...(this.#points.get(series)?.values() ?? [])];
    return points.filter((point) => point.ts >= from && point.ts < to).sort((a, b) => a.ts - b.ts);
  }

  async range({ series, from, to, order, limit }: RangeQuery): Promise<readonly Point[]> {
    const points = this.#between(series, from, to);
    return (order === 'asc' ? points : points.reverse()).slice(0, limit);
  }

  async aggregate({ series, from, to, intervalMs }: AggregateQuery): Promise<readonly Bucket[]> {
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
    }
    return { removedChunks, more: false };
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
