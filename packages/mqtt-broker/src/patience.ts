import { ReasonCode } from '@moorage/mqtt-codec';
import type { BackPressure } from './back-pressure.ts';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Pause } from './pause.ts';
import { PayloadError } from './payload-pull.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** What one connection waits for, and how long it may: its stores, full stores, others' queues, and its own client. */
export class Patience {
  readonly #context: BrokerContext;
  readonly #connection: Connection;
  #holders: Set<BackPressure> | null = null;
  /** Monotonic milliseconds; Infinity: not so. */
  #heldSinceMs = NEVER;
  #fullSinceMs = NEVER;
  #blockedSinceMs = NEVER;
  #blockedProgress = 0;

  constructor(context: BrokerContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
  }

  /** The queue of a subscriber is long. */
  holdBack(queue: BackPressure): void {
    this.#holders ??= new Set();
    if (this.#holders.size === 0) {
      this.#heldSinceMs = this.#context.clock.monotonic();
      this.#context.count('publisher.heldBack');
      this.#connection.pause(Pause.BackPressure);
      this.#connection.watch();
    }
    this.#holders.add(queue);
  }

  letGo(queue: BackPressure): void {
    if (!this.#holders?.delete(queue) || this.#holders.size > 0) return;
    this.#heldSinceMs = NEVER;
    this.#connection.resume(Pause.BackPressure);
  }

  /** reliability.md and mqtt.md: a full store cannot be told to 3.x, so the sender is not read and at last closed. */
  storeFull(): void {
    if (this.#fullSinceMs === NEVER) this.#fullSinceMs = this.#context.clock.monotonic();
    this.#connection.pause(Pause.StoreFull);
    this.#connection.watch();
  }

  /** The client takes bytes again. */
  drained(): void {
    this.#blockedSinceMs = NEVER;
  }

  /** The look once a second; false: no more is needed. */
  check(nowMs: number): boolean {
    const connection = this.#connection;
    const { limits } = this.#context;
    const waitingSinceMs = connection.inbox?.waitingSinceMs ?? NEVER;
    if (nowMs - waitingSinceMs >= limits.acknowledgementTimeoutMs) {
      connection.closeByServer(ReasonCode.ServerBusy, 'A store did not answer in time.');
      return false;
    }
    if (nowMs - this.#fullSinceMs >= limits.storeFullTimeoutMs) {
      connection.closeByServer(ReasonCode.QuotaExceeded, 'A store was full.');
      return false;
    }
    if (nowMs - this.#heldSinceMs >= limits.backPressureMs) {
      for (const queue of [...(this.#holders ?? [])]) {
        queue.forget(connection, true);
        this.letGo(queue);
      }
    }
    if (connection.output.blocked && this.#makesNoProgress(nowMs)) {
      if (connection.output.awaitsPiece) {
        connection.pullFailed(new PayloadError('timeout', 'A piece of a payload did not come in time.'));
        return false;
      }
      this.#context.count('connection.noProgress');
      connection.closeByServer(ReasonCode.QuotaExceeded, 'The client did not take any bytes.');
      return false;
    }
    return (
      waitingSinceMs !== NEVER || this.#fullSinceMs !== NEVER || this.#holders !== null || connection.output.blocked
    );
  }

  /** The connection is over: nobody holds it any more. */
  end(): void {
    const holders = this.#holders;
    this.#holders = null;
    if (holders !== null) for (const queue of holders) queue.forget(this.#connection, false);
  }

  #makesNoProgress(nowMs: number): boolean {
    const { progress } = this.#connection.output;
    if (this.#blockedSinceMs === NEVER || this.#blockedProgress !== progress) {
      this.#blockedSinceMs = nowMs;
      this.#blockedProgress = progress;
      return false;
    }
    return nowMs - this.#blockedSinceMs >= this.#context.limits.noProgressTimeoutMs;
  }
}
