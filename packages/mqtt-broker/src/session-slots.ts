import type { Session } from './session.ts';

/** Sessions looked at for one page at most, so that a search among 100,000 takes no long turn. */
const LOOKED_AT = 2_000;

/** Part of the Sessions there are. */
export interface SlotPage {
  readonly sessions: readonly Session[];
  /** Where the next page begins; null: there is none. */
  readonly next: number | null;
}

/**
 * All Sessions, each in a slot that it keeps for its life: whoever pages through them sees every Session once that is
 * there all the time.
 */
export class SessionSlots {
  readonly #slots: (Session | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /** Gives the slot of a new Session. */
  add(session: Session): number {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = session;
    return slot;
  }

  /** A Session has ended. */
  remove(slot: number): void {
    this.#slots[slot] = null;
    this.#free.push(slot);
  }

  /** Up to `limit` Sessions that are `wanted`, from a slot on. A page may be short, or empty, and still have a next one. */
  page(from: number, limit: number, wanted: (session: Session) => boolean): SlotPage {
    const sessions: Session[] = [];
    const start = Math.max(0, from);
    const end = Math.min(this.#slots.length, start + LOOKED_AT);
    let slot = start;
    for (; slot < end && sessions.length < limit; slot++) {
      const session = this.#slots[slot] ?? null;
      if (session !== null && wanted(session)) sessions.push(session);
    }
    return { sessions, next: slot < this.#slots.length ? slot : null };
  }
}
