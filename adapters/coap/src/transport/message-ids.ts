const MAXIMUM_ENDPOINTS = 10_000;

/**
 * Message IDs of what the server sends, counted for each endpoint: one that comes again within minutes would be taken
 * for a repetition. RFC 7252, 4.4
 */
export class MessageIds {
  readonly #random: () => number;
  readonly #last = new Map<string, number>();

  constructor(random: () => number) {
    this.#random = random;
  }

  next(endpointKey: string): number {
    const last = this.#last.get(endpointKey);
    const next = last === undefined ? Math.floor(this.#random() * 0x10000) : (last + 1) & 0xffff;
    this.#last.delete(endpointKey);
    this.#last.set(endpointKey, next);
    if (this.#last.size > MAXIMUM_ENDPOINTS) {
      const [oldest] = this.#last.keys();
      if (oldest !== undefined) this.#last.delete(oldest);
    }
    return next;
  }
}
