import type { EntityId } from '@moorage/core';
import type { RefusedMessage } from './account-data.ts';

/** thingscale.md, 6 */
const KEPT = 200;

/** What each account was refused last, in memory: the protocol cannot tell the device. */
export class RefusedLists {
  readonly #lists = new Map<EntityId, RefusedMessage[]>();

  add(accountId: EntityId, message: RefusedMessage): void {
    const list = this.#lists.get(accountId) ?? [];
    list.unshift(message);
    if (list.length > KEPT) list.length = KEPT;
    this.#lists.set(accountId, list);
  }

  /** The newest first. */
  of(accountId: EntityId): readonly RefusedMessage[] {
    return [...(this.#lists.get(accountId) ?? [])];
  }

  forget(accountId: EntityId): void {
    this.#lists.delete(accountId);
  }
}
