import type {
  DocumentChange,
  DocumentCollection,
  DocumentQuery,
  EntityId,
  RecordPage,
  StoredDocument,
} from '@moorage/core';
import { exactKeyOf, keysOf } from './document-keys.ts';
import { documentOrder, documentScope, tenantScope, uniqueScope } from './document-plan.ts';
import { documentOf, text } from './rows.ts';
import type { Statements } from './statements.ts';

/** A change of documents that is refused; the index is added by the commit. */
type DocumentRefusal =
  | { readonly kind: 'exists' | 'version' }
  | { readonly kind: 'uniqueDocument'; readonly members: readonly string[] };

type Of<K extends DocumentChange['kind']> = Extract<DocumentChange, { kind: K }>;

const COLUMNS = 'id, tenant_id, created_time, version, body';

/** Documents of all collections in one table. `DocumentSchema` has prepared each collection that is named here. */
export class DocumentTable {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  get(collection: DocumentCollection, id: EntityId): StoredDocument | null {
    const row = this.#statements.get(`SELECT ${COLUMNS} FROM document WHERE collection = ? AND id = ?`, [
      collection.name,
      id,
    ]);
    return row === undefined ? null : documentOf(row);
  }

  page(collection: DocumentCollection, query: DocumentQuery): RecordPage<StoredDocument> {
    const { source, parameters } = documentScope(collection, query);
    const count = this.#statements.get(`SELECT count(*) AS total FROM ${source}`, parameters);
    // The bodies are read for the rows of the page only, whatever is sorted.
    const order = documentOrder(query);
    const rows = this.#statements.all(
      `SELECT ${COLUMNS} FROM document WHERE row IN (SELECT row FROM ${source} ORDER BY ${order} LIMIT ? OFFSET ?)
       ORDER BY ${order}`,
      [...parameters, query.limit, query.offset],
    );
    return { records: rows.map(documentOf), total: Number(count?.total ?? 0) };
  }

  /** In all collections. */
  countOfTenant(tenantId: EntityId): number {
    let total = 0;
    for (const { source } of this.#ofTenant()) {
      total += Number(this.#statements.get(`SELECT count(*) AS total FROM ${source}`, [tenantId])?.total ?? 0);
    }
    return total;
  }

  /** Deletes at most `limit` documents of a tenant, whatever their collection. */
  deleteOfTenant(tenantId: EntityId, limit: number): void {
    let left = limit;
    for (const { source } of this.#ofTenant()) {
      if (left <= 0) return;
      left -= this.#statements.run(`DELETE FROM document WHERE row IN (SELECT row FROM ${source} LIMIT ?)`, [
        tenantId,
        left,
      ]);
    }
  }

  /** The documents of one tenant, for each collection the file has: every one of them has an index by tenant. */
  #ofTenant(): { readonly source: string }[] {
    return this.#statements
      .all('SELECT name FROM document_collection', [])
      .map((row) => ({ source: tenantScope(text(row, 'name')) }));
  }

  apply(change: DocumentChange): DocumentRefusal | undefined {
    switch (change.kind) {
      case 'putDocument':
        return this.#put(change);
      case 'deleteDocument':
        return this.#delete(change);
      case 'deleteDocuments': {
        const { source, parameters } = documentScope(change.collection, change);
        this.#statements.run(
          `DELETE FROM document WHERE row IN (SELECT row FROM ${source} ORDER BY created_time, id LIMIT ?)`,
          [...parameters, change.limit],
        );
        return undefined;
      }
    }
  }

  #put({ collection, record, expectedVersion }: Of<'putDocument'>): DocumentRefusal | undefined {
    const version = this.#version(collection, record.id);
    if (expectedVersion === null && version !== null) return { kind: 'exists' };
    if (expectedVersion !== null && version !== expectedVersion) return { kind: 'version' };
    const taken = collection.unique.find((group) => this.#isTaken(collection, group, record));
    if (taken !== undefined) return { kind: 'uniqueDocument', members: taken.members };
    const { exact, folded } = keysOf(collection, record.body);
    const values = [record.tenantId, record.createdTime, record.version, exact, folded, JSON.stringify(record.body)];
    this.#statements.run(
      expectedVersion === null
        ? `INSERT INTO document (tenant_id, created_time, version, exact, folded, body, collection, id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
        : `UPDATE document SET tenant_id = ?, created_time = ?, version = ?, exact = ?, folded = ?, body = ?
           WHERE collection = ? AND id = ?`,
      [...values, collection.name, record.id],
    );
    return undefined;
  }

  #delete({ collection, id, expectedVersion }: Of<'deleteDocument'>): DocumentRefusal | undefined {
    if (expectedVersion !== null && this.#version(collection, id) !== expectedVersion) return { kind: 'version' };
    this.#statements.run('DELETE FROM document WHERE collection = ? AND id = ?', [collection.name, id]);
    return undefined;
  }

  /** null: there is no such record. */
  #version({ name }: DocumentCollection, id: EntityId): number | null {
    const row = this.#statements.get('SELECT version FROM document WHERE collection = ? AND id = ?', [name, id]);
    return row === undefined ? null : Number(row.version);
  }

  #isTaken(
    collection: DocumentCollection,
    group: DocumentCollection['unique'][number],
    { id, tenantId, body }: StoredDocument,
  ): boolean {
    const keys = group.members.flatMap((member) => exactKeyOf(body, member) ?? []);
    if (keys.length < group.members.length) return false;
    const { source, parameters } = uniqueScope(collection, group, tenantId, keys);
    return this.#statements.get(`SELECT 1 FROM ${source} AND id <> ?`, [...parameters, id]) !== undefined;
  }
}
