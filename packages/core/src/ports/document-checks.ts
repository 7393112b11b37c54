import type { DocumentChange, DocumentCollection, DocumentCondition, DocumentQuery, MemberValue } from './documents.ts';

const COLLECTION_NAME = /^[a-z][a-z_]{0,62}$/;
/** Names of members become part of statements, so nothing else may pass. */
const MEMBER_NAME = /^[A-Za-z][A-Za-z0-9]{0,62}$/;
const OPERATORS: readonly string[] = ['=', '<', '<=', '>', '>=', 'in'];
const MOST_LISTED = 1000;

/** Throws TypeError for a declaration with names that a store cannot take. */
function checkCollection(collection: DocumentCollection): void {
  if (!COLLECTION_NAME.test(collection.name)) throw new TypeError(`"${collection.name}" cannot name a collection`);
  const { filters, sorts, search, unique } = collection;
  for (const member of [...filters, ...sorts, ...search, ...unique.flatMap((group) => group.members)]) {
    if (!MEMBER_NAME.test(member)) throw new TypeError(`"${member}" cannot name a member of ${collection.name}`);
  }
  for (const members of [search, ...unique.map((group) => group.members)]) {
    if (members.some(isRecordMember)) throw new TypeError(`${collection.name} names a member that is not of its body`);
  }
  if (new Set(filters.map((member) => member.toLowerCase())).size < filters.length) {
    throw new TypeError(`${collection.name} has filters that differ by case only, or not at all`);
  }
  if (filters.includes('id')) throw new TypeError(`${collection.name} cannot filter by id`);
  if (unique.some((group) => group.members.length === 0)) {
    throw new TypeError(`${collection.name} has a unique group without members`);
  }
}

/** The collections a store has seen; a name stands for one declaration as long as the store is open. */
export class DeclaredCollections {
  readonly #seen = new WeakSet<DocumentCollection>();
  readonly #declarations = new Map<string, string>();

  /** Throws TypeError for a declaration that `checkCollection` refuses or that another one of its name contradicts. */
  check(collection: DocumentCollection): void {
    if (this.#seen.has(collection)) return;
    checkCollection(collection);
    const { name, filters, sorts, search, unique } = collection;
    const declaration = JSON.stringify([filters, sorts, search, unique]);
    const former = this.#declarations.get(name);
    if (former !== undefined && former !== declaration) throw new TypeError(`${name} is declared in two ways`);
    this.#declarations.set(name, declaration);
    this.#seen.add(collection);
  }
}

/** Throws TypeError for a query that names a member which is not declared, or asks for something that is no value. */
export function checkDocumentQuery(collection: DocumentCollection, query: DocumentQuery): void {
  checkConditions(collection, query.conditions);
  const { sort, offset, limit } = query;
  if (!isRecordMember(sort) && !collection.sorts.includes(sort)) {
    throw new TypeError(`${collection.name} cannot be sorted by "${sort}"`);
  }
  if (!isCount(offset) || !isCount(limit)) throw new TypeError(`${offset} and ${limit} are no part of a list`);
}

function checkConditions(collection: DocumentCollection, conditions: readonly DocumentCondition[]): void {
  for (const { member, is, value } of conditions) {
    if (member !== 'createdTime' && !collection.filters.includes(member)) {
      throw new TypeError(`${collection.name} has no filter "${member}"`);
    }
    if (!OPERATORS.includes(is)) throw new TypeError(`"${is}" is no comparison`);
    const values = isList(value) ? value : [value];
    if (isList(value) !== (is === 'in') || values.length > MOST_LISTED || !values.every(isMemberValue)) {
      throw new TypeError(
        `The condition on "${member}" of ${collection.name} compares with something else than values`,
      );
    }
  }
}

/** Throws TypeError, as `checkDocumentQuery`. */
export function checkDocumentChange(change: DocumentChange): void {
  if (change.kind !== 'deleteDocuments') return;
  checkConditions(change.collection, change.conditions);
  if (!isCount(change.limit)) throw new TypeError(`${change.limit} is no number of documents`);
}

/** These two are of the record, also where its body has members of that name. */
function isRecordMember(member: string): boolean {
  return member === 'id' || member === 'createdTime';
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isList(value: MemberValue | readonly MemberValue[]): value is readonly MemberValue[] {
  return Array.isArray(value);
}

function isMemberValue(value: unknown): value is MemberValue {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
