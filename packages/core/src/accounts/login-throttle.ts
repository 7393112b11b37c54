import type { Clock } from '../ports/runtime.ts';

/** Wrong passwords of one pair within the window before it is refused. recognition.md, section 5 */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Pairs remembered; the oldest is forgotten first. */
const MAX_PAIRS = 10_000;

interface Guesses {
  count: number;
  /** Monotonic time at which all guesses are forgotten. */
  endsAt: number;
}

/**
 * Counts guesses of a password by pair of e-mail and address, so that an attacker never locks the person out who signs
 * in from elsewhere. A guess counts from its beginning, so that guesses side by side do not slip through.
 */
export class LoginThrottle {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #pairs = new Map<string, Guesses>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** False: the pair has used up its guesses and must wait for the window to end. */
  begin(email: string, remoteAddress: string): boolean {
    const key = pairKey(email, remoteAddress);
    const now = this.#clock.monotonic();
    const guesses = this.#pairs.get(key);
    if (guesses === undefined || now >= guesses.endsAt) {
      this.#pairs.delete(key);
      this.#forgetOldest();
      this.#pairs.set(key, { count: 1, endsAt: now + WINDOW_MS });
      return true;
    }
    if (guesses.count >= MAX_FAILURES) return false;
    guesses.count += 1;
    if (guesses.count === MAX_FAILURES) guesses.endsAt = now + WINDOW_MS;
    return true;
  }

  /** True while the pair has used up its guesses; nothing is counted. */
  blocked(email: string, remoteAddress: string): boolean {
    const guesses = this.#pairs.get(pairKey(email, remoteAddress));
    return guesses !== undefined && guesses.count >= MAX_FAILURES && this.#clock.monotonic() < guesses.endsAt;
  }

  /** The password was right: earlier guesses of the pair are forgotten. */
  succeed(email: string, remoteAddress: string): void {
    this.#pairs.delete(pairKey(email, remoteAddress));
  }

  /** The guess was not decided, as when the store did not answer: it does not count. */
  withdraw(email: string, remoteAddress: string): void {
    const guesses = this.#pairs.get(pairKey(email, remoteAddress));
    if (guesses !== undefined && guesses.count > 0) guesses.count -= 1;
  }

  #forgetOldest(): void {
    if (this.#pairs.size < MAX_PAIRS) return;
    const oldest = this.#pairs.keys().next().value;
    if (oldest !== undefined) this.#pairs.delete(oldest);
  }
}

function pairKey(email: string, remoteAddress: string): string {
  return `${email}\n${remoteAddress}`;
}
