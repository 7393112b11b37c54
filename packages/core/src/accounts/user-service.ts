import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type EntityId, NULL_ID, type User } from '../model/entities.ts';
import type { Caller, Page, PageQuery, UserInput, UserService } from '../platform.ts';
import { SORT_MEMBERS, type StoredUser, type UserRecordQuery } from '../ports/repositories.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { jsonProblem, textProblem } from '../registry/text-rules.ts';
import type { TenantRecords } from '../tenants/tenant-records.ts';
import { normaliseEmail, passwordProblem } from './password-policy.ts';
import { readableUser, type UserRecords } from './user-records.ts';
import { forgetTokensOf, type UserTokenKind, type UserTokens } from './user-tokens.ts';

/** Who may call for whom. */
type UserOperation = 'read' | 'write' | 'govern';

/** Of the users of a tenant, those that system administrators see. */
const ADMINISTRATORS = { customerId: null, authority: 'TENANT_ADMIN' } as const;

/**
 * The users of a tenant and of its customers. System administrators see to the administrators of all tenants and to
 * nobody else. thingsboard-server.md, 1.6 and 1.7
 */
export class RegistryUsers implements UserService {
  readonly #context: RegistryContext;
  readonly #records: UserRecords;
  readonly #tokens: UserTokens;
  readonly #tenants: Pick<TenantRecords, 'get'>;

  constructor(context: RegistryContext, records: UserRecords, tokens: UserTokens, tenants: Pick<TenantRecords, 'get'>) {
    this.#context = context;
    this.#records = records;
    this.#tokens = tokens;
    this.#tenants = tenants;
  }

  save(caller: Caller, input: UserInput): Promise<Result<User>> {
    return input.id === null ? this.#create(caller, input) : this.#update(caller, input.id, input);
  }

  async get(caller: Caller, id: EntityId): Promise<Result<User>> {
    const found = await this.#find(caller, id, 'read');
    return found.ok ? success(readableUser(found.value)) : found;
  }

  /** Customer users see the users of their customer. */
  list(caller: Caller, query: PageQuery): Promise<Result<Page<User>>> {
    if (caller.authority === 'SYS_ADMIN') return this.#list(caller, query, { tenantId: null, ...ADMINISTRATORS });
    const customerId = caller.authority === 'CUSTOMER_USER' ? caller.customerId : null;
    return this.#list(caller, query, { tenantId: caller.tenantId, customerId, authority: null });
  }

  async ofTenant(caller: Caller, tenantId: EntityId, query: PageQuery): Promise<Result<Page<User>>> {
    const role = authorizeRole(caller, 'write', 'user');
    if (role !== null) return role;
    if (caller.authority !== 'SYS_ADMIN' && caller.tenantId !== tenantId) return refuse('permissionDenied');
    if ((await this.#tenants.get(tenantId)) === null) {
      return refuse('notFound', `Tenant with id [${tenantId}] is not found`);
    }
    return this.#list(caller, query, { tenantId, ...ADMINISTRATORS });
  }

  async ofCustomer(caller: Caller, customerId: EntityId, query: PageQuery): Promise<Result<Page<User>>> {
    const role = authorizeRole(caller, 'write', 'user');
    if (role !== null) return role;
    const customer = await this.#context.customers.get(customerId);
    if (customer === null) return refuse('notFound', `Customer with id [${customerId}] is not found`);
    if (customer.tenantId !== caller.tenantId) return refuse('permissionDenied');
    return this.#list(caller, query, { tenantId: caller.tenantId, customerId, authority: null });
  }

  async remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const found = await this.#find(caller, id, 'govern', `User with id [${id}] is not found`);
    if (!found.ok) return found;
    // Whoever calls is an administrator who stays, so a tenant is never left without one.
    if (caller.userId === id) return refuse('badRequest', 'Users cannot delete themselves!');
    return this.#records.remove(id);
  }

  async setEnabled(caller: Caller, id: EntityId, enabled: boolean): Promise<Result<User>> {
    const found = await this.#find(caller, id, 'govern', `User with id [${id}] is not found`);
    if (!found.ok) return found;
    if (caller.userId === id && !enabled) return refuse('badRequest', 'Users cannot disable themselves!');
    if (!enabled) {
      const disable = (user: StoredUser) => ({
        ...user,
        enabled,
        tokensValidFrom: this.#records.nextTokenTime(user),
      });
      return this.#records.change(id, disable, forgetTokensOf(id));
    }
    return this.#records.change(id, (user) =>
      user.passwordHash === null
        ? refuse('badRequest', 'Enabled user credentials should have password!')
        : { ...user, enabled },
    );
  }

  async actAs(caller: Caller, id: EntityId): Promise<Result<User>> {
    // Would be a way into the devices of a tenant. TBS-15
    if (caller.authority === 'SYS_ADMIN') return refuse('permissionDenied');
    const found = await this.#find(caller, id, 'govern');
    if (!found.ok) return found;
    return found.value.enabled
      ? success(readableUser(found.value))
      : refuse('badRequest', 'User account is not active');
  }

  /** Each call makes a new link and voids the former one. */
  async activationToken(caller: Caller, id: EntityId): Promise<Result<string>> {
    const found = await this.#find(caller, id, 'govern');
    if (!found.ok) return found;
    if (found.value.passwordHash !== null) return refuse('badRequest', 'User is already activated!');
    return this.#tokens.issue(id, 'activation');
  }

  /** Each call makes a new link and voids the former one. */
  async resetToken(caller: Caller, id: EntityId): Promise<Result<string>> {
    const found = await this.#find(caller, id, 'govern');
    if (!found.ok) return found;
    if (found.value.passwordHash === null) return refuse('badRequest', 'User is not activated!');
    return this.#tokens.issue(id, 'reset');
  }

  async isToken(text: string, kind: UserTokenKind): Promise<boolean> {
    return (await this.#tokens.find(text, kind)) !== null;
  }

  activate(text: string, password: string): Promise<Result<User>> {
    return this.#usePassword(text, 'activation', password);
  }

  resetPassword(text: string, password: string): Promise<Result<User>> {
    return this.#usePassword(text, 'reset', password);
  }

  async #usePassword(text: string, kind: UserTokenKind, password: string): Promise<Result<User>> {
    const token = await this.#tokens.find(text, kind);
    const user = token === null ? null : await this.#context.repositories.user(token.userId);
    if (token === null || user === null) {
      return refuse('badRequest', kind === 'activation' ? 'Invalid activation token!' : 'Invalid reset token!');
    }
    if (kind === 'reset' && !user.enabled) return refuse('accountDisabled');
    const problem = passwordProblem(password, user.email);
    if (problem !== null) return problem;
    const { crypto } = this.#context;
    const same = user.passwordHash !== null && (await crypto.verifyPassword(password, user.passwordHash));
    if (same) return refuse('badRequest', 'New password should be different from existing!');
    const passwordHash = await crypto.hashPassword(password);
    const changed = await this.#records.change(
      user.id,
      (current) => {
        // Disabled while the hash was computed: the link has gone with it.
        if (kind === 'reset' && !current.enabled) return refuse('accountDisabled');
        return { ...current, passwordHash, enabled: true, tokensValidFrom: this.#records.nextTokenTime(current) };
      },
      this.#tokens.use(token),
    );
    // The link was used meanwhile: the only version conflict that stays.
    return !changed.ok && changed.code === 'versionConflict' ? refuse('badRequest', 'Invalid token!') : changed;
  }

  async #create(caller: Caller, input: UserInput): Promise<Result<User>> {
    const role = authorizeRole(caller, 'create', 'user');
    if (role !== null) return role;
    const checked = checkedEmail(input);
    if (!checked.ok) return checked;
    if (input.authority === 'SYS_ADMIN') return refuse('permissionDenied');
    const customerId = input.customerId ?? NULL_ID;
    const isCustomerUser = input.authority === 'CUSTOMER_USER';
    if (isCustomerUser && customerId === NULL_ID) {
      return refuse('badRequest', 'Customer user should be assigned to customer!');
    }
    if (!isCustomerUser && customerId !== NULL_ID) {
      return refuse('badRequest', "Tenant administrator can't be assigned to customer!");
    }
    const ofSystem = caller.authority === 'SYS_ADMIN';
    if (ofSystem && input.authority !== 'TENANT_ADMIN') return refuse('permissionDenied');
    const tenantId = ofSystem ? (input.tenantId ?? NULL_ID) : caller.tenantId;
    const { crypto, clock, locks } = this.#context;
    const user: StoredUser = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId,
      customerId,
      email: checked.value,
      authority: input.authority,
      firstName: input.firstName,
      lastName: input.lastName,
      // Until the link is used there is no password.
      enabled: false,
      tokensValidFrom: 0,
      additionalInfo: input.additionalInfo,
      version: 1,
      passwordHash: null,
    };
    if (!isCustomerUser) {
      // Under the lock the tenant is not removed between the check and the commit.
      return locks.run(tenantId, async () =>
        (await this.#tenants.get(tenantId)) === null
          ? refuse('badRequest', 'User is referencing to non-existent tenant!')
          : this.#records.create(user),
      );
    }
    // Under the lock the customer is not removed between the check and the commit.
    return locks.run(customerId, async () => {
      const customer = await this.#context.customers.get(customerId);
      if (customer?.tenantId !== tenantId) {
        return refuse('badRequest', 'User is referencing to non-existent customer!');
      }
      return this.#records.create(user);
    });
  }

  async #update(caller: Caller, id: EntityId, input: UserInput): Promise<Result<User>> {
    const found = await this.#find(caller, id, 'write', `User with id [${id}] is not found`);
    if (!found.ok) return found;
    const checked = checkedEmail(input);
    if (!checked.ok) return checked;
    return this.#records.change(id, (user) => {
      if (input.version !== null && input.version !== user.version) return refuse('versionConflict');
      if (input.authority !== user.authority) return refuse('badRequest', "Authority of a user can't be changed!");
      if (input.customerId !== null && input.customerId !== user.customerId) {
        return refuse('badRequest', "Customer of a user can't be changed!");
      }
      const { firstName, lastName, additionalInfo } = input;
      return { ...user, email: checked.value, firstName, lastName, additionalInfo };
    });
  }

  async #list(
    caller: Caller,
    query: PageQuery,
    scope: Pick<UserRecordQuery, 'tenantId' | 'customerId' | 'authority'>,
  ): Promise<Result<Page<User>>> {
    const role = authorizeRole(caller, 'read', 'user');
    if (role !== null) return role;
    const window = pageWindow(query, SORT_MEMBERS.user);
    if (!window.ok) return window;
    const found = await this.#context.repositories.users({ ...window.value, ...scope });
    return success(toPage(window.value, found, readableUser));
  }

  /** `write` and `read` are for administrators and for oneself, `govern` for administrators. */
  async #find(caller: Caller, id: EntityId, operation: UserOperation, missing?: string): Promise<Result<StoredUser>> {
    const role = authorizeRole(caller, 'read', 'user');
    if (role !== null) return role;
    const governs = authorizeRole(caller, 'write', 'user') === null;
    if (!governs && (operation === 'govern' || caller.userId !== id)) return refuse('permissionDenied');
    const user = await this.#context.repositories.user(id);
    if (user === null) return refuse('notFound', missing);
    return mayGovern(caller, user) ? success(user) : refuse('permissionDenied');
  }
}

/** Whom the caller may see at all, itself included. */
function mayGovern(caller: Caller, user: StoredUser): boolean {
  if (caller.authority !== 'SYS_ADMIN') return user.tenantId === caller.tenantId;
  return user.authority === 'TENANT_ADMIN' || user.id === caller.userId;
}

/** The e-mail in the form it is kept, if all of the input may be kept. */
function checkedEmail(input: UserInput): Result<string> {
  if (input.email.trim() === '') return refuse('badRequest', 'User email should be specified!');
  const email = normaliseEmail(input.email);
  if (email === undefined) return refuse('badRequest', `Invalid email address format '${input.email.slice(0, 254)}'!`);
  const problem: PlatformError | null =
    textProblem('firstName', input.firstName) ??
    textProblem('lastName', input.lastName) ??
    jsonProblem('additionalInfo', input.additionalInfo);
  return problem ?? success(email);
}
