import type { Clock } from '@moorage/core';

/** RFC 7252, 4.8.2 */
const EXCHANGE_LIFETIME_MS = 247_000;

/** A request that was received, and what was last sent for it. */
export interface Remembered {
  /** null: nothing yet, or nothing to repeat. */
  readonly answer: Uint8Array | null;
}

interface Entry {
  readonly fingerprint: number;
  answer: Uint8Array | null;
  readonly expiresAt: number;
}

/**
 * Requests of the last minutes by endpoint and Message ID, so that a repetition is not carried out again. A device that
 * was restarted may begin with the same Message IDs, so the bytes have to be the same too. RFC 7252, 4.5
 */
export class RememberedMessages {
  readonly #clock: Clock;
  readonly #maximum: number;
  readonly #maximumBytes: number;
  /** In the order of their expiry. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(clock: Clock, maximum: number, maximumBytes: number) {
    this.#clock = clock;
    this.#maximum = maximum;
    this.#maximumBytes = maximumBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** undefined: the datagram is new, and is remembered from now on. */
  findOrAdd(endpointKey: string, messageId: number, datagram: Uint8Array): Remembered | undefined {
    const key = `${endpointKey}|${messageId}`;
    const now = this.#clock.monotonic();
    const fingerprint = fingerprintOf(datagram);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.fingerprint === fingerprint && entry.expiresAt > now) return entry;
    this.#remove(key);
    this.#entries.set(key, { fingerprint, answer: null, expiresAt: now + EXCHANGE_LIFETIME_MS });
    this.#shrink();
    return undefined;
  }

  /** What a repetition of this request is answered with from now on. */
  answered(endpointKey: string, messageId: number, answer: Uint8Array): void {
    const entry = this.#entries.get(`${endpointKey}|${messageId}`);
    if (entry === undefined) return;
    this.#bytes += answer.length - (entry.answer?.length ?? 0);
    entry.answer = answer;
    this.#shrink();
  }

  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt > now) return;
      this.#remove(key);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #shrink(): void {
    while (this.#entries.size > this.#maximum || this.#bytes > this.#maximumBytes) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.answer?.length ?? 0;
    this.#entries.delete(key);
  }
}

/** FNV-1a. Not against forgery: whoever can forge a repetition can forge the first message too. */
function fingerprintOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
