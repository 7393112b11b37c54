import type { EntityId } from '@moorage/core';

/** What a message takes in memory beside its payload. */
const OVERHEAD = 1_000;
/** The members of a payload as values, and their text as it is stored. */
const FACTOR = 4;
const MAXIMUM = 128 * 1024 * 1024;
/** So that one account alone leaves room to the others. */
const MAXIMUM_OF_ACCOUNT = MAXIMUM / 4;

/**
 * How much data waits for the store, in estimated bytes. Nobody waits for an acknowledgement at QoS 0, so that without
 * this bound a publisher that is faster than the disk would fill the memory.
 */
export class WaitingWork {
  #total = 0;
  readonly #ofAccounts = new Map<EntityId, number>();

  /** Takes a message whose payload has so many bytes; a function to call once when it is done, or null: no room. */
  take(accountId: EntityId, payloadBytes: number): (() => void) | null {
    const cost = OVERHEAD + FACTOR * payloadBytes;
    const ofAccount = this.#ofAccounts.get(accountId) ?? 0;
    if (this.#total + cost > MAXIMUM || ofAccount + cost > MAXIMUM_OF_ACCOUNT) return null;
    this.#add(accountId, cost);
    return () => this.#add(accountId, -cost);
  }

  #add(accountId: EntityId, cost: number): void {
    this.#total += cost;
    const ofAccount = (this.#ofAccounts.get(accountId) ?? 0) + cost;
    if (ofAccount === 0) this.#ofAccounts.delete(accountId);
    else this.#ofAccounts.set(accountId, ofAccount);
  }
}
