import type { Completion } from '../ports/runtime.ts';
import type { OwnerId, WriteOutcome } from '../ports/telemetry-store.ts';
import type { DropReason, MessageFault } from './flow-counters.ts';
import type { TelemetryObserver } from './observer.ts';

/** How a refusal of the store is counted. */
export function dropReasonOf(outcome: Exclude<WriteOutcome, 'stored'>): DropReason {
  return outcome === 'full' ? 'storageFull' : 'storageFailed';
}

/** Releases every completion in order; one that throws does not keep the others from their release. */
export function releaseAll(
  completions: readonly Completion[],
  outcome: WriteOutcome,
  observer: Pick<TelemetryObserver, 'fault'>,
): void {
  for (const completion of completions) {
    try {
      completion.release(outcome);
    } catch (error) {
      observer.fault(error);
    }
  }
}

/** Tells of a dropped message; what the observer throws does not reach the sender. */
export function reportDropped(
  observer: Pick<TelemetryObserver, 'dropped' | 'fault'>,
  owner: OwnerId,
  reason: MessageFault,
  points: number,
): void {
  try {
    observer.dropped(owner, reason, points);
  } catch (error) {
    observer.fault(error);
  }
}
