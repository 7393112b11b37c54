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
  WriteOutcome,
} from '@moorage/core';
import { StoreError } from '../sqlite/store-error.ts';
import { dataPath, type StoreOptions, writerOptions } from '../sqlite/store-options.ts';
import { remoteError, ThreadClient } from '../sqlite/thread-client.ts';
import { workerFile } from '../sqlite/worker-file.ts';
import { WriterClient } from '../sqlite/writer-client.ts';
import type { StoreState } from '../sqlite/writer-messages.ts';
import { AttributeCache } from './attribute-cache.ts';
import { Columns } from './columns.ts';
import { Expiries } from './expiries.ts';
import { LatestValues, toPoints } from './latest-values.ts';
import type {
  ReaderReply,
  ReaderRequest,
  RoundRequest,
  TelemetryReady,
  TelemetryWriterOptions,
  WriterReply,
  WriterRequest,
} from './messages.ts';
import { FILE_NAME, SCOPES } from './messages.ts';
import type { RoundBuffer } from './round-buffer.ts';
import { RoundQueue } from './round-queue.ts';
import { SeriesIndex } from './series-index.ts';
import { ValueKind } from './value-kind.ts';

export interface TelemetryStoreOptions extends StoreOptions {
  /** Epoch milliseconds; also spaces the probes of a full disk, which come with writes. */
  readonly clock: () => number;
  /** Default 2,000. */
  readonly maxSeriesPerOwner?: number;
  /** Points kept in memory before they must be in a chunk, at about 17 bytes each. Default 2,000,000. */
  readonly headBudgetPoints?: number;
  /** Shortest time between two commits, 0 to 1000; more than 0 spares SD cards. Default 0. */
  readonly commitIntervalMs?: number;
}

const PROBE_INTERVAL_MS = 1000;
const LARGEST_LIMIT = 1_000_000;
const LARGEST_TIME = 8.64e15;
const LARGEST_KEY = 255;
/** Series looked at in one step of `applyExpiry`. */
const EXPIRED_SERIES = 256;
/** Work on one series at a stretch before it is read. */
const EXPIRY_BUDGET_MS = 20;

/**
 * History, latest values and attributes in one SQLite file, written by one thread in group commits and read by
 * another one, which starts with the first range or aggregate. Series ids, latest values and the attributes used last
 * are in the memory of the caller's thread.
 */
export class SqliteTelemetryStore implements TelemetryStore, AttributeStore {
  readonly #options: TelemetryStoreOptions;
  readonly #writer: WriterClient<WriterRequest, TelemetryReady, WriterReply>;
  readonly #queue: RoundQueue;
  readonly #latest = new LatestValues();
  readonly #cache = new AttributeCache();
  readonly #expiries = new Expiries();
  #series = new SeriesIndex(1);
  #reader: ThreadClient<ReaderRequest, ReaderReply> | undefined;
  #state: StoreState = 'ok';
  #lastProbe = Number.NEGATIVE_INFINITY;
  #closing = false;

  private constructor(options: TelemetryStoreOptions) {
    this.#options = options;
    const isApart = () => this.#state !== 'ok';
    this.#queue = new RoundQueue({
      commitIntervalMs: options.commitIntervalMs ?? 0,
      get apart() {
        return isApart();
      },
      send: (request) => this.#writer.post(request),
      stored: (points, start, end, round, other) => this.#stored(points, start, end, round, other),
    });
    const threadOptions: TelemetryWriterOptions = {
      ...writerOptions(options, options.clock()),
      headBudgetPoints: options.headBudgetPoints ?? 2_000_000,
    };
    this.#writer = new WriterClient(
      workerFile(import.meta.url, 'telemetry-writer-thread'),
      threadOptions,
      (reply) => this.#receive(reply),
      (reason) => this.#stop(reason),
    );
  }

  /**
   * Opens or creates the store. Rejects with `StoreError`: `other-installation`, `newer-schema`, `sqlite-too-old`,
   * `corrupt-file`, or `corrupt-record` when a log record, which holds acknowledged points, is damaged.
   */
  static async open(options: TelemetryStoreOptions): Promise<SqliteTelemetryStore> {
    const store = new SqliteTelemetryStore(options);
    const reply = await store.#writer.opening;
    if (reply.type === 'refused') {
      await store.#writer.terminate();
      throw remoteError(reply.code, reply.message);
    }
    store.#load(reply);
    return store;
  }

  #load(reply: TelemetryReady): void {
    this.#series = new SeriesIndex(reply.nextSeries);
    for (const [at, key] of reply.keys.entries()) {
      this.#series.add(reply.owners[reply.ownerOf[at] ?? 0] ?? '', key, reply.ids[at] ?? 0);
    }
    const latest = Columns.of(reply.latest);
    for (const [at, series] of reply.latestSeries.entries()) this.#latest.set(series, latest, at);
    for (const [series, at] of reply.expiring) this.#expiries.note(series, at);
    this.#setState(reply.state, reply.reason);
  }

  #receive(reply: WriterReply): void {
    switch (reply.type) {
      case 'round':
        this.#setState(reply.state, reply.reason);
        this.#queue.settle(reply);
        return;
      case 'state':
        this.#setState(reply.state, reply.reason);
        return;
      case 'head':
      case 'attributesOf':
      case 'statistics':
        return;
    }
  }

  #setState(state: StoreState, reason: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#lastProbe = this.#options.clock();
    this.#options.onStateChange?.(state, reason);
  }

  #stop(reason: string): void {
    if (!this.#closing) this.#setState('failed', reason);
    this.#closing = true;
    this.#queue.abandon();
  }

  /** What to answer at once instead of asking the writer; once a second a write goes through as a probe. */
  #closedFor(): 'full' | 'failed' | undefined {
    if (this.#closing) return 'failed';
    if (this.#state === 'ok') return undefined;
    const now = this.#options.clock();
    if (now - this.#lastProbe < PROBE_INTERVAL_MS) return this.#state;
    this.#lastProbe = now;
    return undefined;
  }

  #stored(points: RoundBuffer, start: number, end: number, round: RoundRequest, firstOther: number): void {
    const { ts, num, series, kind } = points;
    let other = firstOther;
    let nextOther = round.otherIndex[other] ?? -1;
    for (let at = start; at < end; at++) {
      let value: string | bigint | undefined;
      let number = num[at] ?? 0;
      if (at === nextOther) {
        value = round.otherValue[other];
        nextOther = round.otherIndex[++other] ?? -1;
        if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) {
          number = Number(value);
          value = undefined;
        }
      }
      this.#latest.offer(series[at] ?? 0, (ts[at] ?? 0) + 0, kind[at] ?? 0, number, value);
    }
    for (const { from, to, at } of round.expiring) {
      if (from >= end) break;
      for (let index = Math.max(from, start); index < to; index++) this.#expiries.note(series[index] ?? 0, at);
    }
  }

  seriesOf(owner: OwnerId): ReadonlyMap<string, SeriesId> {
    return this.#series.of(owner);
  }

  async intern(owner: OwnerId, keys: readonly string[]): Promise<readonly SeriesId[] | 'tooMany' | 'full' | 'failed'> {
    for (const key of keys) if (key.length === 0 || key.length > LARGEST_KEY) return 'failed';
    const refusal = this.#closedFor();
    const claim = this.#series.claim(owner, keys, this.#options.maxSeriesPerOwner ?? 2000);
    if (claim === 'tooMany') return 'tooMany';
    const { ids, fresh, waiting } = claim;
    if (fresh.size === 0 && !waiting) return ids;
    if (refusal !== undefined) {
      this.#series.settle(owner, fresh, false);
      return refusal;
    }
    return this.#queue.operate(
      { type: 'intern', owner, ids: [...fresh.values()], keys: [...fresh.keys()] },
      (outcome) => {
        this.#series.settle(owner, fresh, outcome === 'stored');
        if (outcome !== 'stored') return outcome;
        // Ids that another call was waiting for may have failed, or their owner may be gone.
        const known = this.#series.of(owner);
        return keys.every((key, at) => known.get(key) === ids[at]) ? ids : 'failed';
      },
    );
  }

  async append(batch: PointBatch): Promise<WriteOutcome> {
    if (!wellFormed(batch)) return 'failed';
    return this.#closedFor() ?? this.#queue.append(batch);
  }

  async latest(series: readonly SeriesId[]): Promise<readonly (Point | null)[]> {
    await this.#expireDue(series);
    return series.map((id) => this.#latest.get(id));
  }

  async range(query: RangeQuery): Promise<readonly Point[]> {
    const { series, order } = query;
    const [from, to] = bounds(query);
    const limit = Math.max(1, Math.min(LARGEST_LIMIT, Math.floor(query.limit)));
    await this.#expireDue([series]);
    const head = await this.#head(series, from, to);
    const reply = await this.#read((request) => ({ type: 'range', request, series, from, to, order, limit, head }));
    return reply.type === 'range' ? toPoints(Columns.of(reply.points)) : [];
  }

  async aggregate(query: AggregateQuery): Promise<readonly Bucket[]> {
    const { series, intervalMs } = query;
    const [from, to] = bounds(query);
    if (!(intervalMs >= 1)) throw new StoreError('refused-query', `An interval of ${intervalMs} ms is too short`);
    await this.#expireDue([series]);
    const head = await this.#head(series, from, to);
    const reply = await this.#read((request) => ({ type: 'aggregate', request, series, from, to, intervalMs, head }));
    return reply.type === 'aggregate' ? reply.buckets : [];
  }

  async #head(series: SeriesId, from: number, to: number) {
    const reply = await this.#writer.ask((request) => ({ type: 'head', request, series, from, to }));
    return reply.type === 'head' ? reply.head : new Columns(0).parts().parts;
  }

  async #read(make: (request: number) => ReaderRequest): Promise<ReaderReply> {
    this.#reader ??= this.#startReader();
    const reply = await this.#reader.ask(make);
    if (reply.type === 'error') throw remoteError(reply.code, reply.message);
    return reply;
  }

  #startReader(): ThreadClient<ReaderRequest, ReaderReply> {
    const reader = new ThreadClient<ReaderRequest, ReaderReply>(
      workerFile(import.meta.url, 'telemetry-reader-thread'),
      { path: dataPath(this.#options.directory, FILE_NAME) },
      () => undefined,
      () => {
        if (this.#reader === reader) this.#reader = undefined;
      },
    );
    return reader;
  }

  async erase(query: {
    readonly series: SeriesId;
    readonly from: number;
    readonly to: number;
    readonly latestAfter: 'rewrite' | 'delete' | 'keep';
  }): Promise<WriteOutcome> {
    if (this.#closing) return 'failed';
    const [from, to] = bounds(query);
    const { series, latestAfter } = query;
    // Not awaited: the erasure keeps its place between the appends before and after it.
    const now = this.#options.clock();
    if (this.#expiries.isDue(series, now)) void this.#expire([series], now, EXPIRY_BUDGET_MS);
    return this.#queue.operate({ type: 'erase', series, from, to, latestAfter }, (outcome, result) => {
      if (outcome !== 'stored') return outcome;
      if (result?.type !== 'erased') return 'failed';
      if (result.latest === 'none') this.#latest.remove(series);
      else if (result.latest !== 'unchanged') this.#latest.set(series, Columns.of(result.latest), 0);
      return outcome;
    });
  }

  async removeOwner(owner: OwnerId): Promise<WriteOutcome> {
    if (this.#closing) return 'failed';
    return this.#queue.operate({ type: 'removeOwner', owner }, (outcome) => {
      if (outcome !== 'stored') return outcome;
      for (const series of this.#series.remove(owner)) {
        this.#latest.retire(series);
        this.#expiries.forget(series);
      }
      this.#cache.forget(owner);
      return outcome;
    });
  }

  async applyRetention(before: number, budgetMs: number): Promise<{ removedChunks: number; more: boolean }> {
    if (this.#closing) return { removedChunks: 0, more: false };
    return this.#queue.operate({ type: 'retention', olderThan: before, budgetMs }, (_outcome, result) =>
      result?.type === 'retained'
        ? { removedChunks: result.removedChunks, more: result.more }
        : { removedChunks: 0, more: false },
    );
  }

  async applyExpiry(now: number, budgetMs: number): Promise<{ removedPoints: number; more: boolean }> {
    const due = this.#closing ? [] : this.#expiries.due(now, EXPIRED_SERIES);
    if (due.length === 0) return { removedPoints: 0, more: false };
    const removedPoints = await this.#expire(due, now, budgetMs);
    return { removedPoints: removedPoints ?? 0, more: removedPoints !== null && this.#expiries.due(now, 1).length > 0 };
  }

  /** Removes what is due of series before they are read. A store that takes no writes is read as it is. */
  async #expireDue(series: readonly SeriesId[]): Promise<void> {
    while (!this.#expiries.empty && !this.#closing) {
      const now = this.#options.clock();
      const due = series.filter((one) => this.#expiries.isDue(one, now)).slice(0, EXPIRED_SERIES);
      if (due.length === 0 || (await this.#expire(due, now, EXPIRY_BUDGET_MS)) === null) return;
    }
  }

  /** The points removed; null: the store does not take writes. */
  #expire(series: readonly SeriesId[], now: number, budgetMs: number): Promise<number | null> {
    return this.#queue.operate({ type: 'expire', series, now, budgetMs }, (outcome, result) => {
      if (outcome !== 'stored' || result?.type !== 'expired') return null;
      for (const { series: one, latest, next } of result.series) {
        if (latest === 'none') this.#latest.remove(one);
        else if (latest !== 'unchanged') this.#latest.set(one, Columns.of(latest), 0);
        this.#expiries.looked(one, next);
      }
      return result.removedPoints;
    });
  }

  async statistics(): Promise<StoreStatistics> {
    const series = this.#series.size;
    const reply = await this.#writer.ask((request) => ({ type: 'statistics', request }));
    if (reply.type !== 'statistics') return { bytes: 0, points: 0, series, oldest: null, state: this.#state };
    const stored = await this.#read((request) => ({ type: 'oldest', request }));
    const inChunks = stored.type === 'oldest' ? stored.oldest : null;
    const oldest = inChunks === null || reply.oldestInHead === null ? null : Math.min(inChunks, reply.oldestInHead);
    const { bytes, points } = reply;
    return { bytes, points, series, oldest: oldest ?? inChunks ?? reply.oldestInHead, state: this.#state };
  }

  async save(changes: readonly AttributeChange[]): Promise<WriteOutcome> {
    for (const change of changes) if (!attributeFits(change)) return 'failed';
    const refusal = this.#closedFor();
    if (refusal !== undefined) return refusal;
    return this.#queue.operate({ type: 'attributes', changes }, (outcome) => {
      if (outcome === 'stored') this.#cache.apply(changes);
      return outcome;
    });
  }

  async read(
    owner: OwnerId,
    scope: AttributeScope | null,
    keys: readonly string[] | null,
  ): Promise<readonly Attribute[]> {
    const wanted = keys === null ? undefined : new Set(keys);
    const result: Attribute[] = [];
    for (const attribute of this.#cache.get(owner) ?? (await this.#loadAttributes(owner))) {
      if (scope !== null && attribute.scope !== scope) continue;
      if (wanted === undefined || wanted.has(attribute.key)) result.push(attribute);
    }
    return result.sort(byScopeAndKey);
  }

  async #loadAttributes(owner: OwnerId): Promise<Attribute[]> {
    const mark = this.#cache.beginLoad(owner);
    const reply = await this.#writer.ask((request) => ({ type: 'attributesOf', request, owner }));
    return this.#cache.endLoad(owner, mark, reply.type === 'attributesOf' ? reply.rows : []);
  }

  /** Waits until everything handed in has been answered, writes the log back into the file and ends the threads. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      await this.#queue.drained();
      await this.#writer.close();
    }
    await this.terminate();
  }

  /** Ends the threads at once, as a crash of the process would; unanswered writes resolve to `failed`. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#reader?.terminate();
    await this.#writer.terminate();
  }
}

/** Bounds within which every time lies; an empty range if one of them is no number. */
function bounds(query: { readonly from: number; readonly to: number }): [number, number] {
  const from = Math.max(query.from, -LARGEST_TIME);
  const to = Math.min(query.to, LARGEST_TIME + 1);
  return from < to ? [from, to] : [0, 0];
}

/** True if the columns reach as far as the count says, and what names their points ascends within it. */
function wellFormed({ count, ts, num, series, kind, other, expiring = [] }: PointBatch): boolean {
  if (!(count >= 0) || count > Math.min(ts.length, num.length, series.length, kind.length)) return false;
  let previous = -1;
  for (const { index } of other) {
    if (!(index > previous)) return false;
    previous = index;
  }
  let end = 0;
  for (const { from, to, at } of expiring) {
    if (!(from >= end && to > from && to <= count && Number.isSafeInteger(at))) return false;
    end = to;
  }
  return true;
}

function attributeFits({ scope, key, attribute }: AttributeChange): boolean {
  if (!SCOPES.includes(scope) || key.length === 0 || key.length > LARGEST_KEY) return false;
  if (attribute === null) return true;
  const { kind, value } = attribute;
  if (!Number.isSafeInteger(attribute.lastUpdateTs)) return false;
  switch (kind) {
    case ValueKind.Boolean:
      return typeof value === 'boolean';
    case ValueKind.Long:
      return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
    case ValueKind.Double:
      return typeof value === 'number' && Number.isFinite(value);
    case ValueKind.String:
    case ValueKind.Json:
      return typeof value === 'string';
  }
}

function byScopeAndKey(a: Attribute, b: Attribute): number {
  const scope = SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope);
  if (scope !== 0) return scope;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
