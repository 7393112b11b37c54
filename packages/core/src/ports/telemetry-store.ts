import type { Point, ValueKind } from '../values/value.ts';

/** The entity that owns series and attributes: a lower-case UUID. */
export type OwnerId = string;

/** A series is one key of one owner. The number is small, given by the store, and stable for the life of the data. */
export type SeriesId = number;

/**
 * Points to store, as columns of at least `count` entries. Later entries win over earlier ones of the same series and
 * time. The store may keep and transfer the buffers: the caller does not touch them again.
 */
export interface PointBatch {
  readonly count: number;
  readonly series: Int32Array<ArrayBuffer>;
  /** Epoch milliseconds, an integer within ±8.64e15. */
  readonly ts: Float64Array<ArrayBuffer>;
  /** `ValueKind` of each point. */
  readonly kind: Uint8Array<ArrayBuffer>;
  /** Double, Long within the safe integers, Boolean as 0 or 1; ignored where `other` has the point. Never NaN or infinite. */
  readonly num: Float64Array<ArrayBuffer>;
  /** String and Json text, and Long beyond the safe integers; ascending by index. */
  readonly other: readonly { readonly index: number; readonly value: string | bigint }[];
  /** Points that have a time to live; ascending and apart. Absent: none. */
  readonly expiring?: readonly ExpiringPoints[];
}

/** The points [from, to) of a batch, by index. */
export interface ExpiringPoints {
  readonly from: number;
  readonly to: number;
  /** When they are removed, epoch milliseconds. */
  readonly at: number;
}

/** `stored`: durable by the policy in force. `full`: nothing was stored, there is no room. `failed`: nothing may be assumed. */
export type WriteOutcome = 'stored' | 'full' | 'failed';

export interface RangeQuery {
  readonly series: SeriesId;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly to: number;
  readonly order: 'asc' | 'desc';
  /** 1 to 1,000,000. */
  readonly limit: number;
}

export type AggregateFunction = 'min' | 'max' | 'avg' | 'sum' | 'count';

export interface AggregateQuery {
  readonly series: SeriesId;
  readonly from: number;
  readonly to: number;
  /** At least 1. Buckets begin at `from`; the last one is cut at `to`. */
  readonly intervalMs: number;
}

/** What a bucket holds; functions are derived from it. Numbers count Long and Double together. */
export interface Bucket {
  /** Start of the bucket; its end is `from + intervalMs`, cut at the end of the query. */
  readonly from: number;
  /** Points by kind, the index being `ValueKind`; index 0 is unused. */
  readonly counts: readonly [number, number, number, number, number, number];
  /** Over Long and Double points; absent if there are none. `longSum` is exact as long as every number is a Long, else undefined. */
  readonly sum: number;
  readonly longSum: bigint | undefined;
  readonly min: number | bigint | undefined;
  readonly max: number | bigint | undefined;
  /** Smallest and largest text (String and Json points), by code unit. */
  readonly minText: string | undefined;
  readonly maxText: string | undefined;
}

export interface StoreStatistics {
  /** Bytes of all files of this store. */
  readonly bytes: number;
  readonly points: number;
  readonly series: number;
  /** Time of the oldest point, or null when empty. */
  readonly oldest: number | null;
  readonly state: 'ok' | 'full' | 'failed';
}

/**
 * History of all series. A point of the same series and time replaces the older one, whatever its type; late and
 * unordered points are always accepted.
 *
 * A point with a time to live is hidden from every read from that moment on, by the store's clock; if it was the latest
 * one, the newest point that remains is. Written again without one, it stays.
 */
export interface TelemetryStore {
  /**
   * The series of an owner by key, from memory. Follows later `intern` and `removeOwner` calls, except that an owner
   * without series may get a shared empty view: after `intern` ask again.
   */
  seriesOf(owner: OwnerId): ReadonlyMap<string, SeriesId>;
  /**
   * Gives every key a series. All or nothing: `tooMany` when the owner would have more than the configured number of
   * series. Keys are 1 to 255 characters.
   */
  intern(owner: OwnerId, keys: readonly string[]): Promise<readonly SeriesId[] | 'tooMany' | 'full' | 'failed'>;
  /** Resolves when the whole batch is durable. Batches of one caller are stored in the order of the calls. */
  append(batch: PointBatch): Promise<WriteOutcome>;
  /** The newest point by time of each series; sees every append that has resolved. */
  latest(series: readonly SeriesId[]): Promise<readonly (Point | null)[]>;
  /** Points of [from, to). Sees every append that has resolved. */
  range(query: RangeQuery): Promise<readonly Point[]>;
  /** Buckets that hold at least one point, ascending. */
  aggregate(query: AggregateQuery): Promise<readonly Bucket[]>;
  /**
   * Removes the points of [from, to). If the latest point falls into the range, `latest` becomes, by `latestAfter`,
   * the newest remaining point before `from` (`rewrite`), nothing (`delete`), or stays as it is (`keep`).
   */
  erase(query: {
    readonly series: SeriesId;
    readonly from: number;
    readonly to: number;
    readonly latestAfter: 'rewrite' | 'delete' | 'keep';
  }): Promise<WriteOutcome>;
  /** Removes all series, points and attributes of an owner; may go on in slices, also after a restart. */
  removeOwner(owner: OwnerId): Promise<WriteOutcome>;
  /** Removes points older than `before` (epoch milliseconds), working for at most about `budgetMs`. */
  applyRetention(before: number, budgetMs: number): Promise<{ readonly removedChunks: number; readonly more: boolean }>;
  /**
   * Removes the points of all series whose time to live is over at `now` (epoch milliseconds), working for at most about
   * `budgetMs`. Reads do not wait for it.
   */
  applyExpiry(now: number, budgetMs: number): Promise<{ readonly removedPoints: number; readonly more: boolean }>;
  statistics(): Promise<StoreStatistics>;
}

export type AttributeScope = 'CLIENT' | 'SHARED' | 'SERVER';

export interface Attribute {
  readonly scope: AttributeScope;
  readonly key: string;
  readonly kind: ValueKind;
  readonly value: boolean | number | bigint | string;
  /** Epoch milliseconds of the last write. */
  readonly lastUpdateTs: number;
}

/** A write (`attribute`) or a removal (`attribute` null) of one attribute. */
export interface AttributeChange {
  readonly owner: OwnerId;
  readonly scope: AttributeScope;
  readonly key: string;
  readonly attribute: Pick<Attribute, 'kind' | 'value' | 'lastUpdateTs'> | null;
}

/** Attributes of all owners, in three scopes; the same key may exist in several. */
export interface AttributeStore {
  /** All changes or none; resolves when durable. Applied in order. */
  save(changes: readonly AttributeChange[]): Promise<WriteOutcome>;
  /** Attributes of an owner; all scopes when `scope` is null, all keys when `keys` is null. Sees every resolved save. */
  read(owner: OwnerId, scope: AttributeScope | null, keys: readonly string[] | null): Promise<readonly Attribute[]>;
}
