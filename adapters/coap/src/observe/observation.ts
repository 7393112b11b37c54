import type { Clock } from '@moorage/core';
import type { CoapObservation, DeviceCoapAnswer } from '@moorage/dialect-api';
import { dropAnswer } from '../requests/responses.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import type { Outlet, Response } from '../transport/outlet.ts';
import type { Delivery } from '../transport/transmissions.ts';

/** Notifications that wait for the acknowledgement of the one before. */
const MAXIMUM_WAITING = 100;
/** After this time a notification is confirmable in any case, to learn whether its client still wants it. RFC 7641, 4.5 */
const CONFIRM_AFTER_MS = 86_400_000;

interface Notification {
  readonly answer: DeviceCoapAnswer;
  readonly done: (arrived: boolean) => void;
}

export interface ObservationParts {
  readonly endpoint: Endpoint;
  readonly token: Uint8Array;
  readonly isConfirmable: boolean;
  readonly clock: Clock;
  readonly outlet: Outlet;
  /** The message of an answer; the last one is without Observe. */
  readonly prepare: (answer: DeviceCoapAnswer, isLast: boolean) => Promise<Response>;
  /** Called once, when the observation is over for whatever reason. */
  readonly over: (why: 'ended' | 'cancelled' | 'lost') => void;
  /** A notification could not be made. */
  readonly failed: (error: unknown) => void;
}

/**
 * One observation: its notifications leave one after the other, each when the one before is acknowledged, so that there
 * is one unfinished message at most. RFC 7252, 4.7; RFC 7641, 4.5.1
 */
export class Observation {
  readonly #parts: ObservationParts;
  readonly #waiting: Notification[] = [];
  #route: CoapObservation | null = null;
  #current: Notification | null = null;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #confirmedAt: number;
  #lastMessageId: number | null = null;
  #last: DeviceCoapAnswer | null = null;

  constructor(parts: ObservationParts) {
    this.#parts = parts;
    this.#confirmedAt = parts.clock.monotonic();
  }

  get token(): Uint8Array {
    return this.#parts.token;
  }

  get endpoint(): Endpoint {
    return this.#parts.endpoint;
  }

  /** What the route ended the observation with before it was open. */
  get lastAnswer(): DeviceCoapAnswer | null {
    return this.#last;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** The route has accepted it. */
  accepted(route: CoapObservation): void {
    this.#route = route;
    if (this.#state === 'over') route.close();
  }

  /** The first answer has been sent: notifications may follow. */
  opened(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#next();
  }

  readonly notify = (answer: DeviceCoapAnswer): Promise<boolean> =>
    new Promise((resolve) => {
      if (this.#state === 'over' || this.#waiting.length >= MAXIMUM_WAITING) {
        dropAnswer(answer);
        resolve(false);
        return;
      }
      this.#waiting.push({ answer, done: resolve });
      this.#next();
    });

  /** Sends a last answer and is over. */
  readonly end = (answer: DeviceCoapAnswer): void => {
    const wasOpen = this.#state === 'open';
    if (this.#state === 'over') {
      dropAnswer(answer);
      return;
    }
    this.close('ended');
    this.#last = answer;
    if (wasOpen) this.#sendLast(answer).catch(this.#parts.failed);
  };

  close(why: 'ended' | 'cancelled' | 'lost'): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#parts.over(why);
    this.#route?.close();
    this.#finish(false);
    for (const { answer, done } of this.#waiting.splice(0)) {
      dropAnswer(answer);
      done(false);
    }
  }

  /** A Reset for a notification that was not confirmable. */
  isRejectedBy(messageId: number): boolean {
    return this.#lastMessageId === messageId;
  }

  #next(): void {
    if (this.#state !== 'open' || this.#current !== null) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#current = next;
    this.#send(next).catch((error: unknown) => {
      this.#parts.failed(error);
      if (this.#current === next) this.#finish(false);
      this.#next();
    });
  }

  async #send(notification: Notification): Promise<void> {
    const { outlet, token, endpoint, clock, isConfirmable } = this.#parts;
    const response = await this.#parts.prepare(notification.answer, false);
    if (this.#current !== notification) return;
    if (isConfirmable || clock.monotonic() - this.#confirmedAt > CONFIRM_AFTER_MS) {
      outlet.confirm(response, token, endpoint, (delivery) => this.#delivered(notification, delivery));
      return;
    }
    this.#lastMessageId = outlet.tell(response, token, endpoint);
    this.#finish(true);
    this.#next();
  }

  #delivered(notification: Notification, delivery: Delivery): void {
    if (this.#current !== notification) return;
    this.#finish(delivery === 'acknowledged');
    if (delivery === 'acknowledged') {
      this.#confirmedAt = this.#parts.clock.monotonic();
      this.#next();
    } else {
      this.close(delivery === 'reset' ? 'cancelled' : 'lost');
    }
  }

  #finish(arrived: boolean): void {
    const current = this.#current;
    this.#current = null;
    current?.done(arrived);
  }

  async #sendLast(answer: DeviceCoapAnswer): Promise<void> {
    const { outlet, token, endpoint, isConfirmable } = this.#parts;
    const response = await this.#parts.prepare(answer, true);
    if (isConfirmable) outlet.confirm(response, token, endpoint, () => undefined);
    else outlet.tell(response, token, endpoint);
  }
}
