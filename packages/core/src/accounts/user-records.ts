import { forgetKeysOf } from '../api-keys/api-key-collection.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId, User } from '../model/entities.ts';
import type { Change, Repositories, StoredUser } from '../ports/repositories.ts';
import type { Clock } from '../ports/runtime.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import { EntityLocks } from '../registry/entity-locks.ts';
import { UserCache } from './user-cache.ts';
import { forgetTokensOf } from './user-tokens.ts';

/** The stored users: every change of one goes through here, so that what is in memory is never older than what is stored. */
export class UserRecords {
  readonly #repositories: Repositories;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #cache: UserCache;
  readonly #locks = new EntityLocks();
  readonly #removed = new Set<(userId: EntityId) => void>();

  constructor(repositories: Repositories, clock: Pick<Clock, 'now'>) {
    this.#repositories = repositories;
    this.#clock = clock;
    this.#cache = new UserCache((id) => repositories.user(id));
  }

  /** As last read. */
  get(id: EntityId): Promise<StoredUser | null> {
    return this.#cache.get(id);
  }

  /** Runs one task of a key after the other. */
  locked<T>(key: string, task: () => Promise<T>): Promise<T> {
    return this.#locks.run(key, task);
  }

  async create(user: StoredUser, beside: readonly Change[] = []): Promise<Result<User>> {
    const outcome = await this.#repositories.commit([
      { kind: 'putUser', record: user, expectedVersion: null },
      ...beside,
    ]);
    return outcome === 'done' ? success(readableUser(user)) : commitRefusal(outcome);
  }

  /** Reads, changes and writes a user; again when another change came between. The version is set here. */
  change(
    userId: EntityId,
    change: (user: StoredUser) => StoredUser | PlatformError,
    beside: readonly Change[] = [],
  ): Promise<Result<User>> {
    return this.#locks.run(userId, async () => {
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const stored = await this.#repositories.user(userId);
        if (stored === null) return refuse('notFound');
        const changed = change(stored);
        if ('ok' in changed) return changed;
        const record = { ...changed, version: stored.version + 1 };
        const put: Change = { kind: 'putUser', record, expectedVersion: stored.version };
        const outcome = await this.#repositories.commit([put, ...beside]);
        this.#cache.forget(userId);
        if (outcome === 'done') return success(readableUser(record));
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }

  /** Calls `removed` after a user has been removed. */
  whenRemoved(removed: (userId: EntityId) => void): void {
    this.#removed.add(removed);
  }

  /** The user's tokens, keys, links and password are void at once. */
  remove(userId: EntityId): Promise<Result<null>> {
    return this.#locks.run(userId, async () => {
      const outcome = await this.#repositories.commit([
        { kind: 'deleteUser', id: userId, expectedVersion: null },
        ...forgetTokensOf(userId),
        forgetKeysOf(userId),
      ]);
      this.#cache.forget(userId);
      if (outcome === 'done') for (const removed of this.#removed) removed(userId);
      return outcome === 'done' ? success(null) : commitRefusal(outcome);
    });
  }

  /** Later than every token issued so far, also after the wall clock was set back. */
  nextTokenTime(user: User): number {
    return Math.max(this.#clock.now(), user.tokensValidFrom + 1);
  }
}

/** The user without the hash. */
export function readableUser(stored: StoredUser): User {
  const { passwordHash: _, ...user } = stored;
  return user;
}
