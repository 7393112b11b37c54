import type { Clock, Completion, Scheduler } from '../ports/runtime.ts';
import type {
  AggregateQuery,
  Attribute,
  AttributeChange,
  AttributeScope,
  AttributeStore,
  Bucket,
  OwnerId,
  PointBatch,
  RangeQuery,
  SeriesId,
  StoreStatistics,
  TelemetryStore,
  WriteOutcome,
} from '../ports/telemetry-store.ts';
import { PointList } from '../values/point-list.ts';
import { type Point, ValueKind } from '../values/value.ts';
import type { TelemetryObserver } from './observer.ts';

const NO_SERIES: ReadonlyMap<string, SeriesId> = new Map();

/** A promise that the test answers. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}

/** Lets every promise reaction that is ready run. */
export async function settleAll(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

interface Timer {
  at: number;
  readonly intervalMs: number | null;
  readonly task: () => void;
}

/** Clock and event loop that move only when the test says so. */
export class FakeRuntime implements Clock, Scheduler {
  wall = 1_700_000_000_000;
  elapsed = 0;
  #endOfTurn: (() => void)[] = [];
  readonly #timers = new Set<Timer>();

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.elapsed;
  }

  endOfTurn(task: () => void): void {
    this.#endOfTurn.push(task);
  }

  every(intervalMs: number, task: () => void): () => void {
    return this.#add({ at: this.elapsed + intervalMs, intervalMs, task });
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ at: this.elapsed + delayMs, intervalMs: null, task });
  }

  endTurn(): void {
    for (const task of this.#endOfTurn.splice(0)) task();
  }

  /** Moves both clocks; timers run in their order, each followed by its promise reactions. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#moveTo(due.at);
      if (due.intervalMs === null) this.#timers.delete(due);
      else due.at += due.intervalMs;
      due.task();
      await settleAll();
    }
    this.#moveTo(end);
  }

  #moveTo(elapsed: number): void {
    this.wall += elapsed - this.elapsed;
    this.elapsed = elapsed;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }
}

/** A point as it was appended. */
export interface AppendedPoint {
  readonly owner: OwnerId;
  readonly key: string;
  readonly ts: number;
  readonly kind: number;
  readonly value: number | string | bigint;
}

/** Records what it is asked; answers at once, or when the test says so. */
export class FakeTelemetryStore implements TelemetryStore {
  readonly owners = new Map<OwnerId, Map<string, SeriesId>>();
  readonly names: { owner: OwnerId; key: string }[] = [];
  readonly appends: { batch: PointBatch; points: AppendedPoint[]; answer: Deferred<WriteOutcome> }[] = [];
  readonly interns: {
    owner: OwnerId;
    keys: readonly string[];
    answer: Deferred<'ok' | 'tooMany' | 'full' | 'failed'>;
  }[] = [];
  readonly erased: Parameters<TelemetryStore['erase']>[0][] = [];
  readonly rangeQueries: RangeQuery[] = [];
  readonly aggregateQueries: AggregateQuery[] = [];
  readonly latestPoints = new Map<SeriesId, Point>();
  rangePoints: readonly Point[] = [];
  buckets: readonly Bucket[] = [];
  eraseOutcome: WriteOutcome = 'stored';
  automatic = true;

  /** Gives keys a series beforehand. */
  know(owner: OwnerId, ...keys: string[]): SeriesId[] {
    const series = this.#seriesOf(owner);
    return keys.map((key) => {
      const known = series.get(key);
      if (known !== undefined) return known;
      this.names.push({ owner, key });
      series.set(key, this.names.length - 1);
      return this.names.length - 1;
    });
  }

  /** One empty view for all owners without series, as the port allows. */
  seriesOf(owner: OwnerId): ReadonlyMap<string, SeriesId> {
    return this.owners.get(owner) ?? NO_SERIES;
  }

  async intern(owner: OwnerId, keys: readonly string[]): Promise<readonly SeriesId[] | 'tooMany' | 'full' | 'failed'> {
    const answer = deferred<'ok' | 'tooMany' | 'full' | 'failed'>();
    this.interns.push({ owner, keys, answer });
    if (this.automatic) answer.resolve('ok');
    const outcome = await answer.promise;
    return outcome === 'ok' ? this.know(owner, ...keys) : outcome;
  }

  append(batch: PointBatch): Promise<WriteOutcome> {
    const answer = deferred<WriteOutcome>();
    this.appends.push({ batch, points: this.#read(batch), answer });
    if (this.automatic) answer.resolve('stored');
    return answer.promise;
  }

  async latest(series: readonly SeriesId[]): Promise<readonly (Point | null)[]> {
    return series.map((id) => this.latestPoints.get(id) ?? null);
  }

  async range(query: RangeQuery): Promise<readonly Point[]> {
    this.rangeQueries.push(query);
    return this.rangePoints.slice(0, query.limit);
  }

  async aggregate(query: AggregateQuery): Promise<readonly Bucket[]> {
    this.aggregateQueries.push(query);
    return this.buckets;
  }

  async erase(query: Parameters<TelemetryStore['erase']>[0]): Promise<WriteOutcome> {
    this.erased.push(query);
    return this.eraseOutcome;
  }

  async removeOwner(owner: OwnerId): Promise<WriteOutcome> {
    this.#seriesOf(owner).clear();
    return 'stored';
  }

  async applyRetention(): Promise<{ removedChunks: number; more: boolean }> {
    return { removedChunks: 0, more: false };
  }

  async applyExpiry(): Promise<{ removedPoints: number; more: boolean }> {
    return { removedPoints: 0, more: false };
  }

  async statistics(): Promise<StoreStatistics> {
    return { bytes: 0, points: 0, series: this.names.length, oldest: null, state: 'ok' };
  }

  #seriesOf(owner: OwnerId): Map<string, SeriesId> {
    let series = this.owners.get(owner);
    if (series === undefined) {
      series = new Map();
      this.owners.set(owner, series);
    }
    return series;
  }

  #read(batch: PointBatch): AppendedPoint[] {
    const other = new Map(batch.other.map(({ index, value }) => [index, value]));
    return Array.from({ length: batch.count }, (_, index) => {
      const { owner, key } = this.names[batch.series[index] ?? -1] ?? { owner: '?', key: '?' };
      const value = other.get(index) ?? batch.num[index] ?? Number.NaN;
      return { owner, key, ts: batch.ts[index] ?? Number.NaN, kind: batch.kind[index] ?? 0, value };
    });
  }
}

/** Keeps attributes in memory; answers at once, or when the test says so. */
export class FakeAttributeStore implements AttributeStore {
  readonly saves: { changes: readonly AttributeChange[]; answer: Deferred<WriteOutcome> }[] = [];
  readonly kept = new Map<string, { readonly owner: OwnerId; readonly attribute: Attribute }>();
  automatic = true;

  async save(changes: readonly AttributeChange[]): Promise<WriteOutcome> {
    const answer = deferred<WriteOutcome>();
    this.saves.push({ changes, answer });
    if (this.automatic) answer.resolve('stored');
    const outcome = await answer.promise;
    if (outcome === 'stored') for (const change of changes) this.#apply(change);
    return outcome;
  }

  async read(
    owner: OwnerId,
    scope: AttributeScope | null,
    keys: readonly string[] | null,
  ): Promise<readonly Attribute[]> {
    return [...this.kept.values()]
      .filter((entry) => entry.owner === owner)
      .map(({ attribute }) => attribute)
      .filter((attribute) => scope === null || attribute.scope === scope)
      .filter((attribute) => keys === null || keys.includes(attribute.key));
  }

  value(owner: OwnerId, scope: AttributeScope, key: string): Attribute['value'] | undefined {
    return this.kept.get(`${owner}/${scope}/${key}`)?.attribute.value;
  }

  #apply({ owner, scope, key, attribute }: AttributeChange): void {
    const name = `${owner}/${scope}/${key}`;
    if (attribute === null) this.kept.delete(name);
    else this.kept.set(name, { owner, attribute: { scope, key, ...attribute } });
  }
}

/** Remembers everything it hears, as lines. */
export class RecordingObserver implements TelemetryObserver {
  readonly lines: string[] = [];
  readonly faults: unknown[] = [];

  telemetryStored(owner: OwnerId, points: PointList): void {
    this.lines.push(`telemetry ${owner} ${points.keys.join()}`);
  }

  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void {
    this.lines.push(`attributes ${owner} ${scope} ${values.keys.join()}`);
  }

  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void {
    this.lines.push(`removed ${owner} ${scope} ${keys.join()}`);
  }

  dropped(owner: OwnerId, reason: string, points: number): void {
    this.lines.push(`dropped ${owner} ${reason} ${points}`);
  }

  congestionChanged(congested: boolean): void {
    this.lines.push(`congested ${congested}`);
  }

  fault(error: unknown): void {
    this.faults.push(error);
  }
}

/** A message's stake that remembers its releases in a shared list. */
export class FakeCompletion implements Completion {
  held = 0;
  readonly releases: string[] = [];
  readonly #name: string;
  readonly #log: string[];

  constructor(name = '', log: string[] = []) {
    this.#name = name;
    this.#log = log;
  }

  hold(): void {
    this.held += 1;
  }

  release(outcome: WriteOutcome): void {
    this.releases.push(outcome);
    this.#log.push(`${this.#name} ${outcome}`);
  }
}

/** A message of Long points, one for each key. */
export function longs(values: Record<string, number>, ts = 1000): PointList {
  const points = new PointList();
  for (const [key, value] of Object.entries(values)) points.add(ts, key, ValueKind.Long, value);
  return points;
}
