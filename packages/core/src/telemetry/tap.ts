import type { Completion } from '../ports/runtime.ts';
import type { OwnerId } from '../ports/telemetry-store.ts';
import type { PointList } from '../values/point-list.ts';

/**
 * Hears telemetry on its way into the store and may delay its acknowledgement: what a tap puts down elsewhere is durable
 * before the device is told that its message is. A message that is dropped for a fault of its own is not heard.
 */
export interface TelemetryTap {
  /** Whether anything would be done with a message of this owner. Asked for every message, so it must be cheap. */
  wants(owner: OwnerId): boolean;
  /**
   * A message is being stored. `completion` (null: nobody waits) may be held, during the call only, and released later.
   * The list may be kept and must not be changed. Must not throw.
   */
  taken(owner: OwnerId, points: PointList, completion: Completion | null): void;
}
