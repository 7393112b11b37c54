import type { EntityId } from '../model/entities.ts';
import type { DocumentReaders } from '../ports/documents.ts';
import { API_KEYS, apiKeyOf, type StoredApiKey } from './api-key-collection.ts';

const SLICE = 1000;

/** All keys in memory by their hash, since every request with a key asks for it. */
export class KeyIndex {
  readonly #byHash = new Map<string, StoredApiKey>();
  readonly #hashes = new Map<EntityId, string>();

  async load(store: Pick<DocumentReaders, 'documents'>): Promise<void> {
    for (let offset = 0; ; offset += SLICE) {
      const window = { offset, limit: SLICE, textSearch: null, sort: 'id', descending: false };
      const { records } = await store.documents(API_KEYS, { ...window, tenantId: null, conditions: [] });
      for (const record of records) {
        const key = apiKeyOf(record);
        if (key !== null) this.put(key);
      }
      if (records.length < SLICE) return;
    }
  }

  byHash(hash: string): StoredApiKey | undefined {
    return this.#byHash.get(hash);
  }

  put(key: StoredApiKey): void {
    this.#byHash.set(key.hash, key);
    this.#hashes.set(key.id, key.hash);
  }

  remove(id: EntityId): void {
    const hash = this.#hashes.get(id);
    if (hash === undefined) return;
    this.#hashes.delete(id);
    this.#byHash.delete(hash);
  }

  /** By a scan over all: users are removed seldom. */
  removeOfUser(userId: EntityId): void {
    for (const key of [...this.#byHash.values()]) if (key.userId === userId) this.remove(key.id);
  }
}
