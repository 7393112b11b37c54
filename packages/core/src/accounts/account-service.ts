import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID, type Tenant, type User } from '../model/entities.ts';
import type { AccountService } from '../platform.ts';
import type { Repositories, StoredUser } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import { EntityLocks } from '../registry/entity-locks.ts';
import { LoginThrottle } from './login-throttle.ts';
import { MAX_PASSWORD_LENGTH, normaliseEmail, passwordProblem } from './password-policy.ts';
import { UserCache } from './user-cache.ts';
import { VerificationQueue } from './verification-queue.ts';

export interface AccountsContext {
  readonly repositories: Repositories;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** The tenant that the first administrator belongs to. */
  readonly defaultTenantId: EntityId;
  /** Whether a user with a password exists at start. */
  readonly hasPassword: boolean;
  /** Hash that a password is compared with when the user is unknown, so that both cases cost the same. */
  readonly dummyHash: Promise<string>;
}

/** Guesses of the current password by a signed-in user have no address of their own. */
const CHANGE_OF_PASSWORD = 'change of password';

/** Users, their passwords and the tenants they belong to. thingsboard-server.md, 1 */
export class Accounts implements AccountService {
  readonly #context: AccountsContext;
  readonly #throttle: LoginThrottle;
  readonly #queue = new VerificationQueue();
  readonly #locks = new EntityLocks();
  readonly #users: UserCache;
  #hasPassword: boolean;

  constructor(context: AccountsContext) {
    this.#context = context;
    this.#throttle = new LoginThrottle(context.clock);
    this.#users = new UserCache((id) => context.repositories.user(id));
    this.#hasPassword = context.hasPassword;
  }

  async login(email: string, password: string, remoteAddress: string): Promise<Result<User>> {
    const name = email.trim().toLowerCase();
    if (name === '' || password === '') return refuse('authentication');
    const known = normaliseEmail(name);
    const stored = known === undefined ? null : await this.#context.repositories.userByEmail(known);
    const verified = await this.#verify(name.slice(0, 254), remoteAddress, password, stored);
    if (!verified.ok) return verified;
    if (stored === null || !verified.value) return refuse('badCredentials');
    return stored.enabled ? success(readableUser(stored)) : refuse('accountDisabled');
  }

  async user(id: EntityId): Promise<Result<User>> {
    const stored = await this.#users.get(id);
    return stored === null ? refuse('notFound') : success(readableUser(stored));
  }

  async changePassword(userId: EntityId, currentPassword: string, newPassword: string): Promise<Result<User>> {
    const stored = await this.#context.repositories.user(userId);
    if (stored === null) return refuse('notFound');
    const verified = await this.#verify(stored.email, CHANGE_OF_PASSWORD, currentPassword, stored);
    if (!verified.ok) return verified;
    if (!verified.value) return refuse('badRequest', "Current password doesn't match!");
    if (newPassword === currentPassword) return refuse('badRequest', 'New password should be different from existing!');
    const problem = passwordProblem(newPassword, stored.email);
    if (problem !== null) return problem;
    const passwordHash = await this.#context.crypto.hashPassword(newPassword);
    // Whoever changed the password meanwhile knew the same one; the later change may not undo it unseen.
    return this.#change(userId, (user) =>
      user.passwordHash === stored.passwordHash
        ? { ...user, passwordHash, tokensValidFrom: this.#nextTokenTime(user) }
        : refuse('versionConflict'),
    );
  }

  logOutEverywhere(userId: EntityId): Promise<Result<User>> {
    return this.#change(userId, (user) => ({ ...user, tokensValidFrom: this.#nextTokenTime(user) }));
  }

  async tenant(id: EntityId): Promise<Result<Tenant>> {
    const tenant = await this.#context.repositories.tenant(id);
    return tenant === null ? refuse('notFound') : success(tenant);
  }

  hasAdministrator(): boolean {
    return this.#hasPassword;
  }

  /** Setting the password that is already set changes nothing, so that a start with it in the environment logs nobody out. */
  async setFirstAdministrator(email: string, password: string): Promise<Result<User>> {
    const known = normaliseEmail(email);
    if (known === undefined) return refuse('badRequest', 'Invalid email address format!');
    const problem = passwordProblem(password, known);
    if (problem !== null) return problem;
    return this.#locks.run(known, async () => {
      const { repositories, crypto } = this.#context;
      const stored = await repositories.userByEmail(known);
      if (stored !== null && (await this.#matches(stored, password))) return success(readableUser(stored));
      const passwordHash = await crypto.hashPassword(password);
      const saved =
        stored === null
          ? await this.#create(known, passwordHash)
          : await this.#change(stored.id, (user) => ({
              ...user,
              passwordHash,
              tokensValidFrom: this.#nextTokenTime(user),
            }));
      if (saved.ok) this.#hasPassword = true;
      return saved;
    });
  }

  async #create(email: string, passwordHash: string): Promise<Result<User>> {
    const { repositories, crypto, clock, defaultTenantId } = this.#context;
    const user: StoredUser = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: defaultTenantId,
      customerId: NULL_ID,
      email,
      authority: 'TENANT_ADMIN',
      firstName: null,
      lastName: null,
      enabled: true,
      tokensValidFrom: 0,
      additionalInfo: null,
      version: 1,
      passwordHash,
    };
    const outcome = await repositories.commit([{ kind: 'putUser', record: user, expectedVersion: null }]);
    return outcome === 'done' ? success(readableUser(user)) : commitRefusal(outcome);
  }

  /** Whether the password is right; always one comparison, for unknown users too. */
  async #verify(
    email: string,
    remoteAddress: string,
    password: string,
    stored: StoredUser | null,
  ): Promise<Result<boolean>> {
    if (!this.#throttle.begin(email, remoteAddress)) return refuse('accountLocked');
    const hash = stored?.passwordHash ?? (await this.#context.dummyHash);
    const matches = await this.#queue.run(remoteAddress, () =>
      this.#context.crypto.verifyPassword(password.slice(0, MAX_PASSWORD_LENGTH), hash),
    );
    if (matches === null) {
      this.#throttle.withdraw(email, remoteAddress);
      return refuse('tooManyRequests');
    }
    const right = matches && stored?.passwordHash === hash && password.length <= MAX_PASSWORD_LENGTH;
    if (right) this.#throttle.succeed(email, remoteAddress);
    return success(right);
  }

  #matches(stored: StoredUser, password: string): Promise<boolean> {
    return stored.passwordHash === null
      ? Promise.resolve(false)
      : this.#context.crypto.verifyPassword(password, stored.passwordHash);
  }

  #change(userId: EntityId, change: (user: StoredUser) => StoredUser | PlatformError): Promise<Result<User>> {
    return this.#locks.run(userId, async () => {
      const { repositories } = this.#context;
      let refusal = refuse('versionConflict');
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const stored = await repositories.user(userId);
        if (stored === null) return refuse('notFound');
        const changed = change(stored);
        if ('ok' in changed) return changed;
        const record = { ...changed, version: stored.version + 1 };
        const outcome = await repositories.commit([{ kind: 'putUser', record, expectedVersion: stored.version }]);
        this.#users.forget(userId);
        if (outcome === 'done') return success(readableUser(record));
        refusal = commitRefusal(outcome);
        if (!isOvertaken(outcome)) return refusal;
      }
      return refusal;
    });
  }

  /** Later than every token issued so far, also after the wall clock was set back. */
  #nextTokenTime(user: User): number {
    return Math.max(this.#context.clock.now(), user.tokensValidFrom + 1);
  }
}

/** The user without the hash. */
function readableUser(stored: StoredUser): User {
  const { passwordHash: _, ...user } = stored;
  return user;
}
