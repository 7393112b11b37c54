import { LoginThrottle } from '../accounts/login-throttle.ts';
import { readableUser, type UserRecords } from '../accounts/user-records.ts';
import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId, User } from '../model/entities.ts';
import type { Caller, Page, PageQuery, UserService } from '../platform.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { textProblem } from '../registry/text-rules.ts';
import type { ApiKey, ApiKeyInput, ApiKeyService, SavedApiKey } from './api-key.ts';
import { API_KEYS, apiKeyOf, apiKeyRecord, MAX_KEYS_OF_USER, type StoredApiKey } from './api-key-collection.ts';
import { KeyIndex } from './key-index.ts';
import { isKeyText, newKeyText } from './key-text.ts';

/** Stands for the e-mail in the count of guesses: a key names nobody. */
const UNKNOWN_KEY = 'API key';
/** Pairs of key and address that were right before; the oldest is forgotten first. */
const MAX_ACCEPTED = 10_000;

export interface ApiKeysOptions {
  readonly repositories: Repositories;
  readonly crypto: Pick<Crypto, 'uuid' | 'randomBytes' | 'sha3_256'>;
  readonly clock: Clock;
  readonly users: UserRecords;
  /** Decides whom the caller may act for. */
  readonly access: Pick<UserService, 'get'>;
  readonly locks: Pick<EntityLocks, 'run'>;
}

/** The API keys of all users. thingsboard-server.md, 1.5 */
export class ApiKeys implements ApiKeyService {
  readonly #options: ApiKeysOptions;
  readonly #index = new KeyIndex();
  readonly #throttle: LoginThrottle;
  readonly #accepted = new Set<string>();

  private constructor(options: ApiKeysOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.clock);
  }

  static async open(options: ApiKeysOptions): Promise<ApiKeys> {
    const keys = new ApiKeys(options);
    await keys.#index.load(options.repositories);
    options.users.whenRemoved((userId) => keys.#index.removeOfUser(userId));
    return keys;
  }

  async save(caller: Caller, input: ApiKeyInput): Promise<Result<SavedApiKey>> {
    const problem = inputProblem(input);
    if (problem !== null) return problem;
    if (input.id === null) return this.#create(caller, input);
    const { description, enabled, expirationTime } = input;
    const saved = await this.#change(caller, input.id, (key) =>
      key.userId === input.userId
        ? { ...key, description, enabled, expirationTime }
        : refuse('badRequest', "User of an API key can't be changed!"),
    );
    return saved.ok ? success({ key: saved.value, value: null }) : saved;
  }

  async list(caller: Caller, userId: EntityId, query: PageQuery): Promise<Result<Page<ApiKey>>> {
    const owner = await this.#owner(caller, 'read', userId);
    if (!owner.ok) return owner;
    const window = pageWindow(query, [...API_KEYS.sorts, 'id', 'createdTime']);
    if (!window.ok) return window;
    const { records, total } = await this.#options.repositories.documents(API_KEYS, {
      ...window.value,
      tenantId: null,
      conditions: [{ member: 'userId', is: '=', value: userId }],
    });
    const keys = { records: records.flatMap((record) => apiKeyOf(record) ?? []), total };
    return success(toPage(window.value, keys, (key) => this.#readable(key)));
  }

  async setDescription(caller: Caller, id: EntityId, description: string): Promise<Result<ApiKey>> {
    const problem = descriptionProblem(description);
    return problem ?? this.#change(caller, id, (key) => ({ ...key, description }));
  }

  setEnabled(caller: Caller, id: EntityId, enabled: boolean): Promise<Result<ApiKey>> {
    return this.#change(caller, id, (key) => ({ ...key, enabled }));
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#options.locks.run(id, async () => {
      const found = await this.#find(caller, 'delete', id);
      if (!found.ok) return found;
      const outcome = await this.#options.repositories.commit([
        { kind: 'deleteDocument', collection: API_KEYS, id, expectedVersion: null },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#index.remove(id);
      return success(null);
    });
  }

  async authenticate(value: string, remoteAddress: string): Promise<Result<User>> {
    const key = isKeyText(value) ? this.#index.byHash(this.#options.crypto.sha3_256(value)) : undefined;
    // A key that was right from there before is no guess, so a guesser locks out nobody behind the same address.
    const pair = key === undefined ? null : `${key.id}\n${remoteAddress}`;
    const known = pair !== null && this.#accepted.has(pair);
    if (!known && this.#throttle.blocked(UNKNOWN_KEY, remoteAddress)) return refuse('accountLocked');
    if (key === undefined || pair === null) {
      this.#throttle.begin(UNKNOWN_KEY, remoteAddress);
      return refuse('badCredentials');
    }
    this.#remember(pair);
    if (!key.enabled) return refuse('accountDisabled');
    if (this.#isExpired(key)) return refuse('authentication');
    const user = await this.#options.users.get(key.userId);
    if (user === null) return refuse('badCredentials');
    return user.enabled ? success(readableUser(user)) : refuse('accountDisabled');
  }

  async #create(caller: Caller, input: ApiKeyInput): Promise<Result<SavedApiKey>> {
    const { crypto, clock, repositories, locks } = this.#options;
    return locks.run(`API keys of ${input.userId}`, async () => {
      const owner = await this.#owner(caller, 'create', input.userId);
      if (!owner.ok) return owner;
      const { total } = await repositories.documents(API_KEYS, {
        tenantId: null,
        conditions: [{ member: 'userId', is: '=', value: input.userId }],
        textSearch: null,
        sort: 'id',
        descending: false,
        offset: 0,
        limit: 0,
      });
      if (total >= MAX_KEYS_OF_USER) {
        return refuse('limitExceeded', `A user may have ${MAX_KEYS_OF_USER} API keys`);
      }
      const value = newKeyText(crypto);
      const { userId, description, enabled, expirationTime } = input;
      const key: StoredApiKey = {
        id: crypto.uuid(),
        createdTime: clock.now(),
        tenantId: owner.value.tenantId,
        userId,
        description,
        enabled,
        expirationTime,
        version: 1,
        hash: crypto.sha3_256(value),
      };
      const outcome = await repositories.commit([
        { kind: 'putDocument', collection: API_KEYS, record: apiKeyRecord(key), expectedVersion: null },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#index.put(key);
      return success({ key: this.#readable(key), value });
    });
  }

  #change(
    caller: Caller,
    id: EntityId,
    change: (key: StoredApiKey) => StoredApiKey | PlatformError,
  ): Promise<Result<ApiKey>> {
    return this.#options.locks.run(id, async () => {
      const found = await this.#find(caller, 'write', id);
      if (!found.ok) return found;
      const changed = change(found.value);
      if ('ok' in changed) return changed;
      const key = { ...changed, version: found.value.version + 1 };
      const outcome = await this.#options.repositories.commit([
        {
          kind: 'putDocument',
          collection: API_KEYS,
          record: apiKeyRecord(key),
          expectedVersion: found.value.version,
        },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#index.put(key);
      return success(this.#readable(key));
    });
  }

  async #find(caller: Caller, operation: 'write' | 'delete', id: EntityId): Promise<Result<StoredApiKey>> {
    const role = authorizeRole(caller, operation, 'apiKey');
    if (role !== null) return role;
    const document = await this.#options.repositories.document(API_KEYS, id);
    const key = document === null ? null : apiKeyOf(document);
    if (key === null) return refuse('notFound', `API key with id [${id}] is not found`);
    const owner = await this.#owner(caller, operation, key.userId);
    return owner.ok ? success(key) : owner;
  }

  /** The user whose keys the caller may see and change. */
  async #owner(
    caller: Caller,
    operation: 'read' | 'create' | 'write' | 'delete',
    userId: EntityId,
  ): Promise<Result<User>> {
    const role = authorizeRole(caller, operation, 'apiKey');
    if (role !== null) return role;
    // A key for the administrator of a tenant would be a way into its devices. TBS-15
    if (caller.authority !== 'TENANT_ADMIN' && caller.userId !== userId) return refuse('permissionDenied');
    return this.#options.access.get(caller, userId);
  }

  #isExpired({ expirationTime }: StoredApiKey): boolean {
    return expirationTime !== 0 && expirationTime <= this.#options.clock.now();
  }

  #readable(key: StoredApiKey): ApiKey {
    const { hash: _, ...readable } = key;
    return { ...readable, expired: this.#isExpired(key) };
  }

  #remember(pair: string): void {
    this.#accepted.delete(pair);
    const oldest = this.#accepted.values().next().value;
    if (this.#accepted.size >= MAX_ACCEPTED && oldest !== undefined) this.#accepted.delete(oldest);
    this.#accepted.add(pair);
  }
}

function descriptionProblem(description: string): PlatformError | null {
  if (description.trim() === '') return refuse('badRequest', 'API key description should be specified!');
  return textProblem('description', description);
}

function inputProblem({ description, expirationTime }: ApiKeyInput): PlatformError | null {
  const problem = descriptionProblem(description);
  if (problem !== null) return problem;
  if (Number.isSafeInteger(expirationTime) && expirationTime >= 0) return null;
  return refuse('badRequest', 'API key expiration time must be an epoch time in milliseconds, or 0!');
}
