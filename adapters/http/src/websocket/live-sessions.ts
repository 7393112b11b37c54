import type { Scheduler } from '@moorage/core';
import type { CloseReason } from './close-codes.ts';
import type { SessionAuth } from './session-auth.ts';

/** A long-lived connection of a user: a WebSocket session or a live stream. */
export interface LiveSession {
  /** null: it has not said who it is. */
  readonly auth: SessionAuth | null;
  /** Called every second. */
  tick(): void;
  end(reason: CloseReason): void;
}

const TICK_MS = 1000;
/** Sessions whose users are looked up in one tick. */
const CHECKS_OF_TICK = 1000;

/** All long-lived connections: their number is bounded, and each ends when its user may not have it any longer. */
export class LiveSessions {
  readonly #sessions = new Set<LiveSession>();
  readonly #maxSessions: number;
  readonly #scheduler: Pick<Scheduler, 'every'>;
  readonly #signedOut: CloseReason;
  readonly #fault: (error: unknown) => void;
  #stopTicking: (() => void) | null = null;
  /** Sessions that are still to be checked before it is the turn of all again. */
  #unchecked: LiveSession[] = [];
  #checking = false;
  #closed = false;

  constructor(options: {
    readonly maxSessions: number;
    readonly scheduler: Pick<Scheduler, 'every'>;
    /** What a session is ended with whose user may not have it any longer. */
    readonly signedOut: CloseReason;
    readonly fault: (error: unknown) => void;
  }) {
    this.#maxSessions = options.maxSessions;
    this.#scheduler = options.scheduler;
    this.#signedOut = options.signedOut;
    this.#fault = options.fault;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get full(): boolean {
    return this.#closed || this.#sessions.size >= this.#maxSessions;
  }

  add(session: LiveSession): void {
    this.#sessions.add(session);
    this.#stopTicking ??= this.#scheduler.every(TICK_MS, () => this.#tick());
  }

  delete(session: LiveSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  /** Ends all; none is added any more. */
  close(reason: CloseReason): void {
    this.#closed = true;
    for (const session of this.#sessions) session.end(reason);
  }

  #tick(): void {
    for (const session of this.#sessions) session.tick();
    if (this.#checking) return;
    this.#checking = true;
    this.#check()
      .catch(this.#fault)
      .finally(() => {
        this.#checking = false;
      });
  }

  /** One after the other: users are in memory, and a store that is slow is asked for one at a time. */
  async #check(): Promise<void> {
    if (this.#unchecked.length === 0) this.#unchecked = [...this.#sessions];
    for (const session of this.#unchecked.splice(0, CHECKS_OF_TICK)) {
      const { auth } = session;
      if (auth !== null && this.#sessions.has(session) && !(await auth.stillHolds())) session.end(this.#signedOut);
    }
  }
}
