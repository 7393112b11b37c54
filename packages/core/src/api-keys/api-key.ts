import type { Result } from '../errors.ts';
import type { EntityId, User } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** A secret by which a program acts with the rights of a user. thingsboard-server.md, 1.5 */
export interface ApiKey {
  readonly id: EntityId;
  readonly createdTime: number;
  /** Of the user. */
  readonly tenantId: EntityId;
  readonly userId: EntityId;
  readonly description: string;
  readonly enabled: boolean;
  /** Epoch milliseconds; 0: never. */
  readonly expirationTime: number;
  readonly expired: boolean;
  readonly version: number;
}

/** A key to make (`id` null) or to change; the user of a key never changes. */
export interface ApiKeyInput {
  readonly id: EntityId | null;
  readonly userId: EntityId;
  readonly description: string;
  readonly enabled: boolean;
  /** Epoch milliseconds; 0: never. */
  readonly expirationTime: number;
}

/** A key, with its text where it was just made: nobody can read it afterwards. */
export interface SavedApiKey {
  readonly key: ApiKey;
  readonly value: string | null;
}

/** Keys of oneself, and for tenant administrators those of the users of their tenant. */
export interface ApiKeyService {
  save(caller: Caller, input: ApiKeyInput): Promise<Result<SavedApiKey>>;
  /** Sortable by description and expiration besides id and creation. */
  list(caller: Caller, userId: EntityId, query: PageQuery): Promise<Result<Page<ApiKey>>>;
  setDescription(caller: Caller, id: EntityId, description: string): Promise<Result<ApiKey>>;
  setEnabled(caller: Caller, id: EntityId, enabled: boolean): Promise<Result<ApiKey>>;
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** The user that a key stands for. Guesses of one address are slowed down like those of passwords. */
  authenticate(value: string, remoteAddress: string): Promise<Result<User>>;
}
