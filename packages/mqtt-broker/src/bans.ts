/** Session keys that may not connect, each until a time of its own. */
export class Bans {
  readonly #until = new Map<string, number>();

  /** `untilMs` is epoch milliseconds; Infinity: for good. An earlier ban of the key is replaced. */
  add(sessionKey: string, untilMs: number): void {
    this.#until.set(sessionKey, untilMs);
  }

  remove(sessionKey: string): boolean {
    return this.#until.delete(sessionKey);
  }

  has(sessionKey: string, now: number): boolean {
    if (this.#until.size === 0) return false;
    const untilMs = this.#until.get(sessionKey);
    return untilMs !== undefined && untilMs > now;
  }

  /** Forgets bans that are over. */
  expire(now: number): void {
    for (const [sessionKey, untilMs] of this.#until) if (untilMs <= now) this.#until.delete(sessionKey);
  }

  list(now: number): { readonly sessionKey: string; readonly untilMs: number }[] {
    const bans: { readonly sessionKey: string; readonly untilMs: number }[] = [];
    for (const [sessionKey, untilMs] of this.#until) if (untilMs > now) bans.push({ sessionKey, untilMs });
    return bans;
  }
}
