import type { AttributeChange, Bucket, ExpiringPoints, OwnerId, SeriesId } from '@moorage/core';
import type { StoreErrorCode } from '../sqlite/store-error.ts';
import type { StoreState, WriterOptions } from '../sqlite/writer-messages.ts';
import type { ColumnParts } from './columns.ts';

/** Name of the file within its directory, without the ending. */
export const FILE_NAME = 'telemetry';

/** What the thread of the writer is started with. */
export interface TelemetryWriterOptions extends WriterOptions {
  readonly headBudgetPoints: number;
}

export type LatestAfter = 'rewrite' | 'delete' | 'keep';

/** A change that is no batch of points. It takes effect before the batch with the index `before` of its round. */
export type Operation = { readonly before: number } & (
  | {
      readonly type: 'intern';
      readonly owner: OwnerId;
      readonly ids: readonly SeriesId[];
      readonly keys: readonly string[];
    }
  | { readonly type: 'attributes'; readonly changes: readonly AttributeChange[] }
  | {
      readonly type: 'erase';
      readonly series: SeriesId;
      readonly from: number;
      readonly to: number;
      readonly latestAfter: LatestAfter;
    }
  | { readonly type: 'removeOwner'; readonly owner: OwnerId }
  | { readonly type: 'retention'; readonly olderThan: number; readonly budgetMs: number }
  /** Removes what is due of these series, as far as the budget reaches. */
  | { readonly type: 'expire'; readonly series: readonly SeriesId[]; readonly now: number; readonly budgetMs: number }
);

/** What an operation answers, in the order of the operations. */
export type OperationResult =
  | { readonly type: 'done' }
  | { readonly type: 'refused' }
  /** The latest point of the series afterwards; `unchanged` if the operation did not touch it. */
  | { readonly type: 'erased'; readonly latest: ColumnParts | 'unchanged' | 'none' }
  | { readonly type: 'retained'; readonly removedChunks: number; readonly more: boolean }
  | { readonly type: 'expired'; readonly removedPoints: number; readonly series: readonly ExpiredSeries[] };

/** A series of which points were removed. */
export interface ExpiredSeries {
  readonly series: SeriesId;
  readonly latest: ColumnParts | 'unchanged' | 'none';
  /** No point is due before this; undefined: none has a time to live any more. */
  readonly next: number | undefined;
}

/** Points and operations of one commit; the points are in the `RoundBuffer` of the slot. */
export interface RoundRequest {
  readonly type: 'round';
  readonly slot: number;
  /** Sent when the slot has new memory. */
  readonly memory: SharedArrayBuffer | undefined;
  /** End of each batch in the columns. */
  readonly ends: readonly number[];
  readonly otherIndex: readonly number[];
  readonly otherValue: readonly (string | bigint)[];
  readonly operations: readonly Operation[];
  /** Points with a time to live, by their place in the columns. */
  readonly expiring: readonly ExpiringPoints[];
}

export interface RoundReply {
  readonly type: 'round';
  readonly outcome: 'stored' | 'full' | 'failed';
  /** Batches, by index, that hold a value that cannot be stored; the others were. */
  readonly refused: readonly number[];
  readonly results: readonly OperationResult[];
  readonly state: StoreState;
  readonly reason: string;
}

/** To the writer's thread, besides `Close`. */
export type WriterRequest =
  | RoundRequest
  | {
      readonly type: 'head';
      readonly request: number;
      readonly series: SeriesId;
      readonly from: number;
      readonly to: number;
    }
  | { readonly type: 'attributesOf'; readonly request: number; readonly owner: OwnerId }
  | { readonly type: 'statistics'; readonly request: number };

/** An attribute as it crosses a thread. */
export interface AttributeRow {
  readonly scope: number;
  readonly key: string;
  readonly kind: number;
  readonly value: boolean | number | bigint | string;
  readonly lastUpdateTs: number;
}

/** From the writer's thread, before everything else, once the file is open. */
export interface TelemetryReady {
  readonly type: 'ready';
  readonly state: StoreState;
  readonly reason: string;
  /** Series by id, with the index of the owner in `owners`. */
  readonly ids: Int32Array<ArrayBuffer>;
  readonly ownerOf: Int32Array<ArrayBuffer>;
  readonly owners: readonly OwnerId[];
  readonly keys: readonly string[];
  readonly nextSeries: number;
  readonly latestSeries: Int32Array<ArrayBuffer>;
  readonly latest: ColumnParts;
  /** Series with points that have a time to live, and when to look at them. */
  readonly expiring: readonly (readonly [series: SeriesId, at: number])[];
}

/** From the writer's thread, once the file is open. */
export type WriterReply =
  | RoundReply
  | { readonly type: 'head'; readonly request: number; readonly head: ColumnParts }
  | { readonly type: 'attributesOf'; readonly request: number; readonly rows: readonly AttributeRow[] }
  | {
      readonly type: 'statistics';
      readonly request: number;
      readonly bytes: number;
      readonly points: number;
      readonly oldestInHead: number | null;
    }
  | { readonly type: 'state'; readonly state: StoreState; readonly reason: string };

export type ReaderRequest = { readonly request: number } & (
  | {
      readonly type: 'range';
      readonly series: SeriesId;
      readonly from: number;
      readonly to: number;
      readonly order: 'asc' | 'desc';
      readonly limit: number;
      readonly head: ColumnParts;
    }
  | {
      readonly type: 'aggregate';
      readonly series: SeriesId;
      readonly from: number;
      readonly to: number;
      readonly intervalMs: number;
      readonly head: ColumnParts;
    }
  | { readonly type: 'oldest' }
);

export type ReaderReply = { readonly request: number } & (
  | { readonly type: 'range'; readonly points: ColumnParts }
  | { readonly type: 'aggregate'; readonly buckets: readonly Bucket[] }
  | { readonly type: 'oldest'; readonly oldest: number | null }
  | { readonly type: 'error'; readonly code: StoreErrorCode | undefined; readonly message: string }
);

/** The scopes as they are stored. Never renumber. */
export const SCOPES = ['CLIENT', 'SHARED', 'SERVER'] as const;

/** Operations that make room, and so run on a full disk. */
export const FREEING: ReadonlySet<Operation['type']> = new Set(['erase', 'removeOwner', 'retention', 'expire']);
