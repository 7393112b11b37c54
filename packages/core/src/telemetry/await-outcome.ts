import type { Completion, Scheduler } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';

/** Longest wait for the store, as for a device's acknowledgement. architecture.md, section 2, step 5 */
export const STORE_TIMEOUT_MS = 30_000;

/** Runs a write of one stake and waits for its outcome; `failed` after 30 s without one. */
export function awaitOutcome(scheduler: Scheduler, write: (completion: Completion) => void): Promise<WriteOutcome> {
  return new Promise((resolve) => {
    let held = false;
    const cancel = scheduler.after(STORE_TIMEOUT_MS, () => resolve('failed'));
    const settle = (outcome: WriteOutcome): void => {
      cancel();
      resolve(outcome);
    };
    write({
      hold: () => {
        held = true;
      },
      release: settle,
    });
    // Nothing to wait for: the write was empty or dropped for a fault of its own.
    if (!held) settle('stored');
  });
}
