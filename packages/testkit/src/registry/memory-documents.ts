import {
  checkDocumentChange,
  checkDocumentQuery,
  DeclaredCollections,
  type DocumentChange,
  type DocumentCollection,
  type DocumentCondition,
  type DocumentQuery,
  type EntityId,
  type Json,
  type MemberValue,
  type RecordPage,
  type StoredDocument,
} from '@moorage/core';
import { compareText } from './memory-list.ts';
import type { UndoLog } from './memory-table.ts';

type DocumentRefusal =
  | { readonly kind: 'version' | 'exists' }
  | { readonly kind: 'uniqueDocument'; readonly members: readonly string[] };

/** Order of the types in a list; within one, values are compared. */
const TYPE_ORDER = ['undefined', 'number', 'boolean', 'string'];

/** Documents of all collections, compared one by one with what is asked. */
export class MemoryDocuments {
  readonly #declared = new DeclaredCollections();
  readonly #collections = new Map<string, Map<EntityId, StoredDocument>>();

  get(collection: DocumentCollection, id: EntityId): StoredDocument | null {
    this.#declared.check(collection);
    return this.#rows(collection).get(id) ?? null;
  }

  page(collection: DocumentCollection, query: DocumentQuery): RecordPage<StoredDocument> {
    this.#declared.check(collection);
    checkDocumentQuery(collection, query);
    const wanted = query.textSearch?.toWellFormed().toLowerCase() ?? '';
    const found = this.#matching(collection, query.tenantId, query.conditions).filter(
      (row) => wanted === '' || collection.search.some((member) => foldedText(row, member).includes(wanted)),
    );
    found.sort((a, b) => {
      const order = compareRows(a, b, query.sort);
      return (order === 0 ? compareText(a.id, b.id) : order) * (query.descending ? -1 : 1);
    });
    return { records: found.slice(query.offset, query.offset + query.limit), total: found.length };
  }

  /** Documents of a tenant in all collections. */
  countOf(tenantId: EntityId): number {
    return this.#ofTenant(tenantId).length;
  }

  deleteOf(tenantId: EntityId, limit: number, undo: UndoLog): void {
    for (const [rows, id] of this.#ofTenant(tenantId).slice(0, limit)) set(rows, id, undefined, undo);
  }

  /** Throws TypeError for a mistake of the program. */
  check(change: DocumentChange): void {
    this.#declared.check(change.collection);
    checkDocumentChange(change);
  }

  apply(change: DocumentChange, undo: UndoLog): DocumentRefusal | undefined {
    const rows = this.#rows(change.collection);
    if (change.kind === 'deleteDocuments') {
      const oldestFirst = this.#matching(change.collection, change.tenantId, change.conditions).sort(
        (a, b) => a.createdTime - b.createdTime || compareText(a.id, b.id),
      );
      for (const row of oldestFirst.slice(0, change.limit)) set(rows, row.id, undefined, undo);
      return undefined;
    }
    if (change.kind === 'deleteDocument') {
      if (change.expectedVersion !== null && rows.get(change.id)?.version !== change.expectedVersion) {
        return { kind: 'version' };
      }
      set(rows, change.id, undefined, undo);
      return undefined;
    }
    const { collection, record, expectedVersion } = change;
    const stored = rows.get(record.id);
    if (expectedVersion === null && stored !== undefined) return { kind: 'exists' };
    if (expectedVersion !== null && stored?.version !== expectedVersion) return { kind: 'version' };
    const taken = collection.unique.find(
      ({ scope, members }) =>
        members.every((member) => memberValue(record, member) !== undefined) &&
        [...rows.values()].some(
          (other) =>
            other.id !== record.id &&
            (scope === 'server' || other.tenantId === record.tenantId) &&
            members.every((member) => memberValue(other, member) === memberValue(record, member)),
        ),
    );
    if (taken !== undefined) return { kind: 'uniqueDocument', members: taken.members };
    set(rows, record.id, record, undo);
    return undefined;
  }

  #ofTenant(tenantId: EntityId): (readonly [Map<EntityId, StoredDocument>, EntityId])[] {
    return [...this.#collections.values()].flatMap((rows) =>
      [...rows.values()].filter((row) => row.tenantId === tenantId).map((row) => [rows, row.id] as const),
    );
  }

  #rows(collection: DocumentCollection): Map<EntityId, StoredDocument> {
    let rows = this.#collections.get(collection.name);
    if (rows === undefined) {
      rows = new Map();
      this.#collections.set(collection.name, rows);
    }
    return rows;
  }

  #matching(
    collection: DocumentCollection,
    tenantId: EntityId | null,
    conditions: readonly DocumentCondition[],
  ): StoredDocument[] {
    return [...this.#rows(collection).values()].filter(
      (row) =>
        (tenantId === null || row.tenantId === tenantId) && conditions.every((condition) => holds(row, condition)),
    );
  }
}

function comparable(value: Json | undefined): MemberValue | undefined {
  if (typeof value === 'string') return value.toWellFormed();
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function memberValue(row: StoredDocument, member: string): MemberValue | undefined {
  if (member === 'createdTime') return row.createdTime;
  return Object.hasOwn(row.body, member) ? comparable(row.body[member]) : undefined;
}

function compareValues(a: MemberValue, b: MemberValue): number {
  return typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : Number(a) - Number(b);
}

function holds(row: StoredDocument, { member, is, value }: DocumentCondition): boolean {
  const stored = memberValue(row, member);
  if (stored === undefined) return false;
  if (typeof value === 'object') return value.some((one) => comparable(one) === stored);
  const wanted = comparable(value);
  if (typeof wanted !== typeof stored || wanted === undefined) return false;
  const order = compareValues(stored, wanted);
  switch (is) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return order === 0;
  }
}

/** The text of a member in lower case; empty for what is no text. */
function foldedText(row: StoredDocument, member: string): string {
  const value = memberValue(row, member);
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function compareRows(a: StoredDocument, b: StoredDocument, member: string): number {
  if (member === 'id') return 0;
  const left = memberValue(a, member);
  const right = memberValue(b, member);
  if (typeof left === 'string' && typeof right === 'string') {
    return compareText(left.toLowerCase(), right.toLowerCase());
  }
  const types = TYPE_ORDER.indexOf(typeof left) - TYPE_ORDER.indexOf(typeof right);
  return types !== 0 || left === undefined || right === undefined ? types : compareValues(left, right);
}

function set(
  rows: Map<EntityId, StoredDocument>,
  id: EntityId,
  record: StoredDocument | undefined,
  undo: UndoLog,
): void {
  const before = rows.get(id);
  if (record === undefined) rows.delete(id);
  else rows.set(id, record);
  undo.add(() => (before === undefined ? rows.delete(id) : rows.set(id, before)));
}
