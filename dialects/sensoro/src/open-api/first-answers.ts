import type { DeviceHttpAnswer } from '@moorage/dialect-api';

interface Entry {
  readonly since: number;
  readonly answer: Promise<DeviceHttpAnswer>;
  bytes: number;
}

/** Milliseconds that an answer is kept. sensoro.md, 4.7 */
const KEPT_MS = 900_000;
const MAXIMUM_ANSWERS = 50_000;
const MAXIMUM_BYTES = 33_554_432;

/** The answers to signed POSTs: one that comes again does nothing and is answered the same. */
export class FirstAnswers {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** `now`: epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The first answer under this key, or the one that `make` gives. One that fails is not kept. */
  get(key: string, make: () => Promise<DeviceHttpAnswer>): Promise<DeviceHttpAnswer> {
    this.#expire();
    const known = this.#entries.get(key);
    if (known !== undefined) return known.answer;
    const entry: Entry = { since: this.#now(), answer: make(), bytes: key.length };
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    entry.answer.then(
      ({ body }) => this.#grow(key, entry, typeof body === 'string' ? body.length : 0),
      () => this.#remove(key, entry),
    );
    return entry.answer;
  }

  #grow(key: string, entry: Entry, bytes: number): void {
    if (this.#entries.get(key) !== entry) return;
    entry.bytes += bytes;
    this.#bytes += bytes;
  }

  #expire(): void {
    const now = this.#now();
    for (const [key, entry] of this.#entries) {
      const full = this.#entries.size >= MAXIMUM_ANSWERS || this.#bytes > MAXIMUM_BYTES;
      if (!full && now - entry.since < KEPT_MS) return;
      this.#remove(key, entry);
    }
  }

  #remove(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
