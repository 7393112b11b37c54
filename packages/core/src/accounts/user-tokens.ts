import { type Result, success } from '../errors.ts';
import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { DocumentCollection } from '../ports/documents.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import { randomText } from '../registry/random-text.ts';

/** What a link lets its holder do. */
export type UserTokenKind = 'activation' | 'reset';

/** One-time tokens by which users set a password; only the hash is kept. */
const USER_TOKENS: DocumentCollection = {
  name: 'user_token',
  filters: ['hash', 'userId', 'kind'],
  sorts: [],
  search: [],
  unique: [{ scope: 'server', members: ['hash'] }],
};

const TOKEN_LENGTH = 40;
/** Life of a link, as in ThingsBoard. */
const TOKEN_LIFE_MS = 86_400_000;
/** A user has at most one token of each kind. */
const MAX_TOKENS_OF_USER = 10;

export interface UserToken {
  readonly id: EntityId;
  readonly userId: EntityId;
}

/** Links for activation and for a new password: random, kept as hashes, for a day, for one use. */
export class UserTokens {
  readonly #repositories: Repositories;
  readonly #crypto: Crypto;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(repositories: Repositories, crypto: Crypto, clock: Pick<Clock, 'now'>) {
    this.#repositories = repositories;
    this.#crypto = crypto;
    this.#clock = clock;
  }

  /** Stores a token in the place of the user's former one of the kind, and gives its text. */
  async issue(userId: EntityId, kind: UserTokenKind): Promise<Result<string>> {
    const text = randomText(this.#crypto, TOKEN_LENGTH);
    const now = this.#clock.now();
    const record = {
      id: this.#crypto.uuid(),
      tenantId: NULL_ID,
      createdTime: now,
      version: 1,
      body: { userId, kind, hash: this.#hash(text), expiresAt: now + TOKEN_LIFE_MS },
    };
    const conditions = [
      { member: 'userId', is: '=' as const, value: userId },
      { member: 'kind', is: '=' as const, value: kind },
    ];
    const outcome = await this.#repositories.commit([
      { kind: 'deleteDocuments', collection: USER_TOKENS, tenantId: null, conditions, limit: MAX_TOKENS_OF_USER },
      { kind: 'putDocument', collection: USER_TOKENS, record, expectedVersion: null },
    ]);
    return outcome === 'done' ? success(text) : commitRefusal(outcome);
  }

  /** The token that is still good; null: unknown, used, voided or too old. */
  async find(text: string, kind: UserTokenKind): Promise<UserToken | null> {
    if (text.length !== TOKEN_LENGTH) return null;
    const { records } = await this.#repositories.documents(USER_TOKENS, {
      tenantId: null,
      conditions: [
        { member: 'hash', is: '=', value: this.#hash(text) },
        { member: 'kind', is: '=', value: kind },
      ],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 1,
    });
    const [stored] = records;
    const userId = stored?.body.userId;
    const expiresAt = stored?.body.expiresAt;
    if (stored === undefined || typeof userId !== 'string' || typeof expiresAt !== 'number') return null;
    return this.#clock.now() < expiresAt ? { id: stored.id, userId } : null;
  }

  /** The changes that use a token up, for the commit of what it was used for; of two uses one is refused. */
  use(token: UserToken): readonly Change[] {
    return [{ kind: 'deleteDocument', collection: USER_TOKENS, id: token.id, expectedVersion: 1 }];
  }

  #hash(text: string): string {
    return this.#crypto.sha3_256(text);
  }
}

/** The changes that void every token of a user. */
export function forgetTokensOf(userId: EntityId): readonly Change[] {
  const conditions = [{ member: 'userId', is: '=' as const, value: userId }];
  return [{ kind: 'deleteDocuments', collection: USER_TOKENS, tenantId: null, conditions, limit: MAX_TOKENS_OF_USER }];
}
