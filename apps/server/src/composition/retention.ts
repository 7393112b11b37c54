import type { Clock, Scheduler, TelemetryStore } from '@moorage/core';
import type { Logger } from 'pino';

const CHECK_INTERVAL_MS = 3_600_000;
const FIRST_CHECK_MS = 60_000;
/** Work done at a stretch, and the pause after it in which the store serves others. */
const SLICE_MS = 20;
const PAUSE_MS = 100;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  readonly telemetry: TelemetryStore;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly days: number;
}

/** Removes what is older than the retention, an hour at a time, in slices. Returns the function that stops it. */
export function startRetention(options: RetentionOptions): () => void {
  const { telemetry, clock, scheduler, log, days } = options;
  let stopped = false;
  let cancel = (): void => {};
  const later = (delayMs: number): void => {
    if (!stopped) cancel = scheduler.after(delayMs, () => void sweep());
  };
  const sweep = async (): Promise<void> => {
    try {
      const { removedChunks, more } = await telemetry.applyRetention(clock.now() - days * DAY_MS, SLICE_MS);
      if (removedChunks > 0) log.debug({ removedChunks }, 'old telemetry was removed');
      later(more ? PAUSE_MS : CHECK_INTERVAL_MS);
    } catch (error) {
      log.error(error, 'old telemetry could not be removed');
      later(CHECK_INTERVAL_MS);
    }
  };
  later(FIRST_CHECK_MS);
  return () => {
    stopped = true;
    cancel();
  };
}
