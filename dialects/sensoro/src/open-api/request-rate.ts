/** Requests of one application in a second; so many may also come at once. sensoro.md, 4.7 */
const RATE = 20;

interface Allowance {
  left: number;
  at: number;
}

/** Counts requests whose signature was right, so nobody uses up what is another's. */
export class RequestRate {
  readonly #now: () => number;
  readonly #allowances = new Map<string, Allowance>();

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** false: too many. */
  take(appId: string): boolean {
    const now = this.#now();
    let allowance = this.#allowances.get(appId);
    if (allowance === undefined) {
      allowance = { left: RATE, at: now };
      this.#allowances.set(appId, allowance);
    }
    // A clock that was set back gives nothing and takes nothing.
    const gained = (Math.max(now - allowance.at, 0) * RATE) / 1000;
    allowance.left = Math.min(RATE, allowance.left + gained);
    allowance.at = now;
    if (allowance.left < 1) return false;
    allowance.left -= 1;
    return true;
  }
}
