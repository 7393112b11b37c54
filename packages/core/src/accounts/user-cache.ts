import type { EntityId } from '../model/entities.ts';
import type { StoredUser } from '../ports/repositories.ts';

const MAX_USERS = 1000;

/**
 * Users as last read, since every signed-in request asks for its user. The one process that changes users forgets them
 * here; a read that was under way at that moment is not kept.
 */
export class UserCache {
  readonly #read: (id: EntityId) => Promise<StoredUser | null>;
  readonly #users = new Map<EntityId, StoredUser>();
  #changes = 0;

  constructor(read: (id: EntityId) => Promise<StoredUser | null>) {
    this.#read = read;
  }

  async get(id: EntityId): Promise<StoredUser | null> {
    const known = this.#users.get(id);
    if (known !== undefined) return known;
    const before = this.#changes;
    const user = await this.#read(id);
    if (user === null || before !== this.#changes) return user;
    const oldest = this.#users.keys().next().value;
    if (this.#users.size >= MAX_USERS && oldest !== undefined) this.#users.delete(oldest);
    this.#users.set(id, user);
    return user;
  }

  /** Called when a change of the user has been committed. */
  forget(id: EntityId): void {
    this.#changes += 1;
    this.#users.delete(id);
  }
}
