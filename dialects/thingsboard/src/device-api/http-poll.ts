import type { DeviceRef } from '@moorage/core';
import type { DeviceCommand, DeviceDesk, DeviceHttpAnswer, DeviceRequest, Listening } from '@moorage/dialect-api';
import { bare, json, pollEnded } from './http-answers.ts';

/** Section 9 */
const DEFAULT_TIMEOUT_MS = 60_000;

export interface Poll {
  readonly kind: DeviceCommand['kind'];
  /** 0: as usual. */
  readonly timeoutMs: number;
  /** JSON text; undefined: it is not for this poll. */
  readonly format: (command: DeviceCommand) => string | undefined;
}

/** Waits for one command; 408 if none comes in time. */
export function pollOnce(
  request: DeviceRequest,
  desk: DeviceDesk,
  device: DeviceRef,
  { kind, timeoutMs, format }: Poll,
): Promise<DeviceHttpAnswer> {
  return new Promise((resolve) => {
    let listening: Listening | null = null;
    let over = false;
    let gone = false;
    const settle = (answer: DeviceHttpAnswer): void => {
      if (over) return;
      over = true;
      cancelTimeout();
      listening?.close();
      resolve(answer);
    };
    const take = (command: DeviceCommand, delivered: (arrived: boolean) => void): boolean => {
      const body = over ? undefined : format(command);
      if (body === undefined) return false;
      settle(json(body));
      // Whoever hands the command over has to learn first that it was taken. Section 4.3: delivered when returned.
      Promise.resolve().then(() => delivered(!gone));
      return true;
    };
    const cancelTimeout = desk.after(timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : timeoutMs, () => settle(bare(408)));
    listening = desk.listen(device, [kind], take, (why) => settle(pollEnded(why)));
    if (over) listening.close();
    request.onGone(() => {
      gone = true;
      settle(bare(408));
    });
  });
}
