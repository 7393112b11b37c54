import type { DocumentChange, DocumentCollection, EntityId, JsonObject, StoredDocument } from '@moorage/core';

/** How records of one kind are stored. */
export interface RecordForm<K, V> {
  readonly collection: DocumentCollection;
  /** null: not one of those that are looked up. */
  keyOf(value: V): K | null;
  /** Without the account, which is added. */
  body(value: V): JsonObject;
  read(record: StoredDocument): V;
}

/** A record in memory, as it is stored. */
export interface Kept<V> {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly version: number;
  readonly value: V;
}

/** A change that is ready for a commit, and what it does to memory once it is durable. */
export interface Prepared {
  readonly change: DocumentChange;
  apply(): void;
}

/** Whose records they are. */
export interface RecordOwner {
  readonly tenantId: EntityId;
  readonly accountId: EntityId;
}

/** Records of one kind of one account, in memory by their key. Changed by commits only. */
export class RecordTable<K, V> {
  readonly form: RecordForm<K, V>;
  /** One more with every change in memory. */
  revision = 0;
  readonly #owner: RecordOwner;
  readonly #byKey = new Map<K, Kept<V>>();
  /** Those without a key. */
  readonly #others = new Map<EntityId, Kept<V>>();

  constructor(form: RecordForm<K, V>, owner: RecordOwner) {
    this.form = form;
    this.#owner = owner;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: K): Kept<V> | undefined {
    return this.#byKey.get(key);
  }

  has(key: K): boolean {
    return this.#byKey.has(key);
  }

  all(): IterableIterator<Kept<V>> {
    return this.#byKey.values();
  }

  withoutKey(): readonly Kept<V>[] {
    return [...this.#others.values()];
  }

  /** Forgets everything and takes these in. */
  fill(records: readonly StoredDocument[]): void {
    this.#byKey.clear();
    this.#others.clear();
    for (const record of records) this.#enter({ ...record, value: this.form.read(record) });
    this.revision++;
  }

  /** Puts a record in the place of `kept`. */
  replacing(kept: Kept<V>, value: V): Prepared {
    return this.#prepare(kept, { ...kept, version: kept.version + 1, value });
  }

  adding(id: EntityId, createdTime: number, value: V): Prepared {
    return this.#prepare(null, { id, createdTime, version: 1, value });
  }

  removing(kept: Kept<V>): Prepared {
    const { collection } = this.form;
    return {
      change: { kind: 'deleteDocument', collection, id: kept.id, expectedVersion: kept.version },
      apply: () => {
        this.#leave(kept);
        this.revision++;
      },
    };
  }

  #prepare(before: Kept<V> | null, kept: Kept<V>): Prepared {
    const { tenantId, accountId } = this.#owner;
    const { id, createdTime, version, value } = kept;
    const record = { id, tenantId, createdTime, version, body: { ...this.form.body(value), accountId } };
    return {
      change: {
        kind: 'putDocument',
        collection: this.form.collection,
        record,
        expectedVersion: before?.version ?? null,
      },
      apply: () => {
        if (before !== null) this.#leave(before);
        this.#enter(kept);
        this.revision++;
      },
    };
  }

  #enter(kept: Kept<V>): void {
    const key = this.form.keyOf(kept.value);
    if (key === null) this.#others.set(kept.id, kept);
    else this.#byKey.set(key, kept);
  }

  #leave(kept: Kept<V>): void {
    const key = this.form.keyOf(kept.value);
    if (key === null) this.#others.delete(kept.id);
    // A record that takes the place of another of the same key keeps its place in the order.
    else if (this.#byKey.get(key)?.id === kept.id) this.#byKey.delete(key);
  }
}
