import type { AttributeScope, OwnerId } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';
import type { MessageFault } from './flow-counters.ts';

/**
 * Hears what became of telemetry and attributes: live feed, connection log, pausing of publishers. Called from inside
 * the write path, so every method must return quickly; what it throws is reported to `fault` and otherwise ignored.
 */
export interface TelemetryObserver {
  /** These points are durable. Only messages submitted with `notify`. The list may be kept and must not be changed. */
  telemetryStored(owner: OwnerId, points: PointList): void;
  /** These attributes are durable. */
  attributesStored(owner: OwnerId, scope: AttributeScope, values: PointList): void;
  /** These attributes are gone for good. */
  attributesRemoved(owner: OwnerId, scope: AttributeScope, keys: readonly string[]): void;
  /** A whole message of `points` values was dropped; `MESSAGE_FAULT_TEXTS` has the sentence for the connection log. */
  dropped(owner: OwnerId, reason: MessageFault, points: number): void;
  /** More waits for the store than allowed (true), or clearly less again (false): publishers are to be paused. */
  congestionChanged(congested: boolean): void;
  /** Something broke that must not: an exception of the store, of a completion, or of this observer. */
  fault(error: unknown): void;
}
