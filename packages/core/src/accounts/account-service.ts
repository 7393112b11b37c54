import type { CustomerDirectory } from '../customers/customer-directory.ts';
import { type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID, type Tenant, type User } from '../model/entities.ts';
import type { AccountService } from '../platform.ts';
import type { Repositories, StoredUser } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { LoginThrottle } from './login-throttle.ts';
import { MAX_PASSWORD_LENGTH, normaliseEmail, passwordProblem } from './password-policy.ts';
import { readableUser, type UserRecords } from './user-records.ts';
import { VerificationQueue } from './verification-queue.ts';

export interface AccountsContext {
  readonly repositories: Repositories;
  readonly users: UserRecords;
  readonly customers: Pick<CustomerDirectory, 'get'>;
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
/** Stands for the e-mail in the count of tries with ids of customers. */
const PUBLIC_LOGIN = 'public customer';

/** Users, their passwords and the tenants they belong to. thingsboard-server.md, 1 */
export class Accounts implements AccountService {
  readonly #context: AccountsContext;
  readonly #throttle: LoginThrottle;
  readonly #queue = new VerificationQueue();
  #hasPassword: boolean;

  constructor(context: AccountsContext) {
    this.#context = context;
    this.#throttle = new LoginThrottle(context.clock);
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
    const stored = await this.#context.users.get(id);
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
    const { users } = this.#context;
    return users.change(userId, (user) =>
      user.passwordHash === stored.passwordHash
        ? { ...user, passwordHash, tokensValidFrom: users.nextTokenTime(user) }
        : refuse('versionConflict'),
    );
  }

  logOutEverywhere(userId: EntityId): Promise<Result<User>> {
    const { users } = this.#context;
    return users.change(userId, (user) => ({ ...user, tokensValidFrom: users.nextTokenTime(user) }));
  }

  async tenant(id: EntityId): Promise<Result<Tenant>> {
    const tenant = await this.#context.repositories.tenant(id);
    return tenant === null ? refuse('notFound') : success(tenant);
  }

  hasAdministrator(): boolean {
    return this.#hasPassword;
  }

  setFirstAdministrator(email: string, password: string): Promise<Result<User>> {
    return this.#setAdministrator(email, password, 'TENANT_ADMIN');
  }

  setSystemAdministrator(email: string, password: string): Promise<Result<User>> {
    return this.#setAdministrator(email, password, 'SYS_ADMIN');
  }

  async loginPublic(customerId: EntityId, remoteAddress: string): Promise<Result<User>> {
    if (this.#throttle.blocked(PUBLIC_LOGIN, remoteAddress)) return refuse('accountLocked');
    const found = await this.publicUser(customerId);
    if (found.ok) return found;
    // Only what failed is counted: many screens behind one address may start at once.
    this.#throttle.begin(PUBLIC_LOGIN, remoteAddress);
    return refuse('badCredentials');
  }

  async publicUser(customerId: EntityId): Promise<Result<User>> {
    const customer = await this.#context.customers.get(customerId);
    if (customer?.isPublic !== true) return refuse('notFound');
    return success({
      id: NULL_ID,
      createdTime: customer.createdTime,
      tenantId: customer.tenantId,
      customerId: customer.id,
      email: customer.id,
      authority: 'CUSTOMER_USER',
      firstName: 'Public',
      lastName: 'Public',
      enabled: true,
      tokensValidFrom: 0,
      additionalInfo: null,
      version: 1,
    });
  }

  /** Setting the password that is already set changes nothing, so that a start with it in the environment logs nobody out. */
  async #setAdministrator(
    email: string,
    password: string,
    authority: 'SYS_ADMIN' | 'TENANT_ADMIN',
  ): Promise<Result<User>> {
    const known = normaliseEmail(email);
    if (known === undefined) return refuse('badRequest', 'Invalid email address format!');
    const problem = passwordProblem(password, known);
    if (problem !== null) return problem;
    const { users } = this.#context;
    return users.locked(known, async () => {
      const { repositories, crypto } = this.#context;
      const stored = await repositories.userByEmail(known);
      // Rights are never changed by the way of a password.
      if (stored !== null && (stored.authority === 'SYS_ADMIN') !== (authority === 'SYS_ADMIN')) {
        return refuse('badRequest', `The e-mail ${known} belongs to a user with other rights!`);
      }
      if (stored !== null && (await this.#matches(stored, password))) return success(readableUser(stored));
      const passwordHash = await crypto.hashPassword(password);
      const saved =
        stored === null
          ? await this.#create(known, passwordHash, authority)
          : await users.change(stored.id, (user) => ({
              ...user,
              passwordHash,
              // One who was invited and has not come yet needs no link any more.
              enabled: user.enabled || user.passwordHash === null,
              tokensValidFrom: users.nextTokenTime(user),
            }));
      if (saved.ok) this.#hasPassword = true;
      return saved;
    });
  }

  async #create(email: string, passwordHash: string, authority: 'SYS_ADMIN' | 'TENANT_ADMIN'): Promise<Result<User>> {
    const { users, crypto, clock, defaultTenantId } = this.#context;
    const user: StoredUser = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: authority === 'SYS_ADMIN' ? NULL_ID : defaultTenantId,
      customerId: NULL_ID,
      email,
      authority,
      firstName: null,
      lastName: null,
      enabled: true,
      tokensValidFrom: 0,
      additionalInfo: null,
      version: 1,
      passwordHash,
    };
    return users.create(user);
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
}
