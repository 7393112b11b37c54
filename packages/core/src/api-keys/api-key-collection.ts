import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import type { Change } from '../ports/repositories.ts';
import type { ApiKey } from './api-key.ts';

/** Keys as documents; of their text only the hash is kept. */
export const API_KEYS: DocumentCollection = {
  name: 'api_key',
  filters: ['hash', 'userId'],
  sorts: ['description', 'expirationTime'],
  search: ['description'],
  unique: [{ scope: 'server', members: ['hash'] }],
};

/** Keys of one user. */
export const MAX_KEYS_OF_USER = 100;

/** A key as it is kept in memory; whether it has expired is seen when it is used. */
export type StoredApiKey = Omit<ApiKey, 'expired'> & { readonly hash: string };

/** null: the document is not what was written here. */
export function apiKeyOf({ id, createdTime, tenantId, version, body }: StoredDocument): StoredApiKey | null {
  const { userId, hash, description, enabled, expirationTime } = body;
  if (typeof userId !== 'string' || typeof hash !== 'string') return null;
  return {
    id,
    createdTime,
    tenantId,
    userId,
    description: typeof description === 'string' ? description : '',
    enabled: enabled === true,
    expirationTime: typeof expirationTime === 'number' ? expirationTime : 0,
    version,
    hash,
  };
}

export function apiKeyRecord(key: StoredApiKey): StoredDocument {
  const { id, createdTime, tenantId, version, userId, hash, description, enabled, expirationTime } = key;
  return { id, createdTime, tenantId, version, body: { userId, hash, description, enabled, expirationTime } };
}

/** The change that deletes every key of a user. */
export function forgetKeysOf(userId: EntityId): Change {
  const conditions = [{ member: 'userId', is: '=' as const, value: userId }];
  return { kind: 'deleteDocuments', collection: API_KEYS, tenantId: null, conditions, limit: MAX_KEYS_OF_USER };
}
