import type { Clock, Scheduler, TelemetryStore } from '@moorage/core';
import type { Logger } from 'pino';

const CHECK_INTERVAL_MS = 3_600_000;
const FIRST_CHECK_MS = 60_000;
/** How long a point whose time to live is over may still take room; reads do not show it any more. */
const EXPIRY_INTERVAL_MS = 10_000;
/** Work done at a stretch, and the pause after it in which the store serves others. */
const SLICE_MS = 20;
const PAUSE_MS = 100;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  readonly telemetry: Pick<TelemetryStore, 'applyRetention' | 'applyExpiry'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly log: Pick<Logger, 'debug' | 'error'>;
  readonly days: number;
}

/**
 * Removes what is older than the retention, an hour at a time, and points whose time to live is over, both in slices.
 * Returns the function that stops it.
 */
export function startRetention({ telemetry, clock, scheduler, log, days }: RetentionOptions): () => void {
  let stopped = false;
  const cancels = new Set<() => void>();
  /** `sweep` answers whether there is more to do. */
  const repeat = (firstMs: number, intervalMs: number, sweep: () => Promise<boolean>): void => {
    const later = (delayMs: number): void => {
      if (stopped) return;
      const cancel = scheduler.after(delayMs, () => {
        cancels.delete(cancel);
        sweep().then(
          (more) => later(more ? PAUSE_MS : intervalMs),
          (error) => {
            log.error(error, 'old telemetry could not be removed');
            later(intervalMs);
          },
        );
      });
      cancels.add(cancel);
    };
    later(firstMs);
  };
  repeat(FIRST_CHECK_MS, CHECK_INTERVAL_MS, async () => {
    const { removedChunks, more } = await telemetry.applyRetention(clock.now() - days * DAY_MS, SLICE_MS);
    if (removedChunks > 0) log.debug({ removedChunks }, 'old telemetry was removed');
    return more;
  });
  repeat(EXPIRY_INTERVAL_MS, EXPIRY_INTERVAL_MS, async () => {
    const { removedPoints, more } = await telemetry.applyExpiry(clock.now(), SLICE_MS);
    if (removedPoints > 0) log.debug({ removedPoints }, 'telemetry was removed at the end of its time to live');
    return more;
  });
  return () => {
    stopped = true;
    for (const cancel of cancels) cancel();
  };
}
