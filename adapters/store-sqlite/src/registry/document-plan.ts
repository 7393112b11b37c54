import type { DocumentCollection, DocumentCondition, DocumentQuery, EntityId, MemberValue } from '@moorage/core';
import { exactKey, foldedText, TEXT_KEYS_FROM, typeBounds } from './document-keys.ts';
import { checkNames, documentIndex, exactColumn, foldedColumn, inCollection, sortMembers } from './document-schema.ts';

/** Part of a statement from `document` on, with the values of its marks. */
export interface DocumentScope {
  /** `document INDEXED BY ... WHERE ...`. */
  readonly source: string;
  readonly parameters: readonly unknown[];
}

type Selection = Pick<DocumentQuery, 'tenantId' | 'conditions'> & Partial<Pick<DocumentQuery, 'textSearch' | 'sort'>>;

/** The records that a query or a removal is about. The text depends on the query's shape, never on its values. */
export function documentScope(collection: DocumentCollection, selection: Selection): DocumentScope {
  const terms = [inCollection(collection)];
  const parameters: unknown[] = [];
  if (selection.tenantId !== null) {
    terms.push('tenant_id = ?');
    parameters.push(selection.tenantId);
  }
  for (const condition of selection.conditions) {
    const term = condition.member === 'createdTime' ? timeTerm(condition) : memberTerm(condition);
    terms.push(term.sql);
    parameters.push(...term.parameters);
  }
  const textSearch = selection.textSearch ?? '';
  if (textSearch !== '') {
    const found = collection.search.map((member) => {
      parameters.push(foldedText(textSearch));
      return searchTerm(member);
    });
    // A parameter, since of a statement that is never true SQLite says that it cannot use the index.
    if (found.length === 0) parameters.push(false);
    terms.push(found.length === 0 ? '?' : `(${found.join(' OR ')})`);
  }
  return { source: `document INDEXED BY ${indexFor(collection, selection)} WHERE ${terms.join(' AND ')}`, parameters };
}

/** ORDER BY of a query; records that are equal in it are ordered by id. */
export function documentOrder({ sort, descending }: Pick<DocumentQuery, 'sort' | 'descending'>): string {
  const direction = descending ? 'DESC' : 'ASC';
  if (sort === 'id') return `id ${direction}`;
  return `${sort === 'createdTime' ? 'created_time' : foldedColumn(sort)} ${direction}, id ${direction}`;
}

/**
 * Named, since the planner knows nothing of how values are spread: the first filter that is compared with `=` or `in`,
 * else the tenant, in the order of the list where there is one, else the first filter that is compared at all, else the order.
 */
function indexFor(collection: DocumentCollection, { tenantId, conditions, sort }: Selection): string {
  const compared = (operators: readonly DocumentCondition['is'][]): string | undefined =>
    collection.filters.find(
      (filter) =>
        filter !== 'createdTime' && conditions.some(({ member, is }) => member === filter && operators.includes(is)),
    );
  const equal = compared(['=', 'in']);
  if (equal !== undefined) return documentIndex.filter(collection, equal);
  if (tenantId !== null) {
    const inTime = conditions.some(({ member }) => member === 'createdTime');
    return sort !== undefined && !inTime && sortMembers(collection).includes(sort)
      ? documentIndex.sort(collection, sort)
      : documentIndex.tenant(collection);
  }
  const ranged = compared(['<', '<=', '>', '>=']);
  if (ranged !== undefined) return documentIndex.filter(collection, ranged);
  return sort === 'id' ? 'document_by_id' : documentIndex.time(collection);
}

interface Term {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** One list is one parameter, so that its length does not change the statement. */
function listTerm(column: string, values: readonly unknown[]): Term {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(values)] };
}

function memberTerm({ member, is, value }: DocumentCondition): Term {
  const column = exactColumn(member);
  if (typeof value === 'object') return listTerm(column, value.map(exactKey));
  const key = exactKey(value);
  const { from, below } = typeBounds(key);
  switch (is) {
    case '<':
    case '<=':
      return { sql: `${column} ${is} ? AND ${column} >= ?`, parameters: [key, from] };
    case '>':
    case '>=':
      return { sql: `${column} ${is} ? AND ${column} < ?`, parameters: [key, below] };
    default:
      return { sql: `${column} = ?`, parameters: [key] };
  }
}

function timeTerm({ is, value }: DocumentCondition): Term {
  if (typeof value === 'object') return listTerm('created_time', value.filter(isNumber));
  const operator = is === 'in' ? '=' : is;
  return { sql: `created_time ${operator} ?`, parameters: [isNumber(value) ? value : null] };
}

function isNumber(value: MemberValue): value is number {
  return typeof value === 'number';
}

/** Compared as bytes: of text, SQLite's `substr` sees nothing behind U+0000. */
function searchTerm(member: string): string {
  const column = foldedColumn(member);
  return `(${column} >= '${TEXT_KEYS_FROM}' AND instr(substr(CAST(${column} AS BLOB), 2), CAST(? AS BLOB)) > 0)`;
}

/** The documents of one tenant in the collection of this name, which the file has declared; the tenant is its one parameter. */
export function tenantScope(name: string): string {
  const collection = { name, filters: [], sorts: [], search: [], unique: [] };
  checkNames(collection);
  return `document INDEXED BY ${documentIndex.tenant(collection)} WHERE ${inCollection(collection)} AND tenant_id = ?`;
}

/** The record with the same values in a unique group, if there is one. */
export function uniqueScope(
  collection: DocumentCollection,
  group: DocumentCollection['unique'][number],
  tenantId: EntityId,
  keys: readonly string[],
): DocumentScope {
  const terms = [inCollection(collection), ...group.members.map((member) => `${exactColumn(member)} = ?`)];
  const parameters: unknown[] = [...keys];
  if (group.scope === 'tenant') {
    terms.push('tenant_id = ?');
    parameters.push(tenantId);
  }
  return {
    source: `document INDEXED BY ${documentIndex.unique(collection, group)} WHERE ${terms.join(' AND ')}`,
    parameters,
  };
}
