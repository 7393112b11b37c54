import type { Completion } from '../ports/runtime.ts';
import type { OwnerId, SeriesId } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';

/** A message that waits for its keys, or behind one that does. */
export interface WaitingMessage {
  readonly points: PointList;
  readonly completion: Completion | null;
  readonly notify: boolean;
  readonly bytes: number;
  /** Epoch milliseconds; null: the points stay. */
  readonly expiresAt: number | null;
}

/**
 * Where the telemetry of one connection goes in. Messages of one sink keep their order. Made by `TelemetryIngest.sink`;
 * needs no closing. All members but `owner` belong to the ingest.
 */
export class TelemetrySink {
  readonly owner: OwnerId;
  /** View of the store, taken anew whenever a key is not found in it: a store may share one empty view among owners without series. */
  series: ReadonlyMap<string, SeriesId>;
  /** Oldest first; null while nothing waits. The first one's keys are being given series. */
  waiting: WaitingMessage[] | null = null;

  constructor(owner: OwnerId, series: ReadonlyMap<string, SeriesId>) {
    this.owner = owner;
    this.series = series;
  }
}
