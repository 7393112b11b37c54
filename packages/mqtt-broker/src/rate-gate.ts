import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Pause } from './pause.ts';
import type { RateMeter } from './rates.ts';
import { WheelTimer } from './timer-wheel.ts';

/** Holds one connection to its own rates and to those of its listener: whoever is in debt is not read, and loses nothing. */
export class RateGate {
  readonly #context: BrokerContext;
  readonly #connection: Connection;
  readonly #own: RateMeter;
  readonly #listener: RateMeter;
  readonly #timer: WheelTimer;
  #waiting = false;

  constructor(context: BrokerContext, connection: Connection, own: RateMeter, listener: RateMeter) {
    this.#context = context;
    this.#connection = connection;
    this.#own = own;
    this.#listener = listener;
    this.#timer = new WheelTimer((nowMs) => this.#goOn(nowMs));
  }

  /** A packet was read. */
  take(messages: 0 | 1, bytes: number): void {
    const nowMs = this.#context.clock.monotonic();
    this.#own.take(messages, bytes, nowMs);
    this.#listener.take(messages, bytes, nowMs);
    if (!this.#waiting) this.#goOn(nowMs);
  }

  end(): void {
    this.#context.wheel.cancel(this.#timer);
  }

  #goOn(nowMs: number): void {
    const waitMs = Math.max(this.#own.waitMs(nowMs), this.#listener.waitMs(nowMs));
    if (waitMs > 0) {
      if (!this.#waiting) {
        this.#context.count('connection.rateLimited');
        this.#connection.pause(Pause.Rate);
      }
      this.#waiting = true;
      this.#context.wheel.schedule(this.#timer, nowMs + waitMs);
    } else if (this.#waiting) {
      this.#waiting = false;
      this.#connection.resume(Pause.Rate);
    }
  }
}
