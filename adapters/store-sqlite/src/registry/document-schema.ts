import type { DocumentCollection, JsonObject } from '@moorage/core';
import type { SqliteDriver } from '../sqlite/driver.ts';
import { keysOf } from './document-keys.ts';
import { integer, text } from './rows.ts';
import type { Statements } from './statements.ts';

/** Raised when keys or indexes are made in another way, so that existing files get them anew. */
const LAYOUT = 2;
/** Rows whose keys are made anew with one statement. */
const REKEY_SLICE = 500;

type UniqueGroup = DocumentCollection['unique'][number];

/** SQL of a member's exact key. Names of members are checked before they come here. */
export function exactColumn(member: string): string {
  return `json_extract(exact, '$.${member}')`;
}

/** SQL of a member's key in lower case. */
export function foldedColumn(member: string): string {
  return `json_extract(folded, '$.${member}')`;
}

/** Names of the indexes of a collection, quoted. Its other records are in none of them. */
export const documentIndex = {
  time: (collection: DocumentCollection) => indexName(collection, 'time'),
  tenant: (collection: DocumentCollection) => indexName(collection, 'tenant'),
  sort: (collection: DocumentCollection, member: string) => indexName(collection, `sort:${member}`),
  filter: (collection: DocumentCollection, member: string) => indexName(collection, `filter:${member}`),
  unique: (collection: DocumentCollection, group: UniqueGroup) =>
    indexName(collection, `unique:${group.scope}:${group.members.join(',')}`),
};

function indexName(collection: DocumentCollection, part: string): string {
  return `"document:${collection.name}:${part}"`;
}

/** Condition that lets SQLite use the indexes of a collection: it must be there as a constant. */
export function inCollection({ name }: DocumentCollection): string {
  return `collection = '${name}'`;
}

const NAME = /^[a-z][a-z_]*$/;
const MEMBER = /^[A-Za-z][A-Za-z0-9]*$/;

/** The same rule as that of `DeclaredCollections`, kept where names become SQL. */
export function checkNames({ name, filters, sorts, search, unique }: DocumentCollection): void {
  const members = [...filters, ...sorts, ...search, ...unique.flatMap((group) => group.members)];
  if (!NAME.test(name) || !members.every((member) => MEMBER.test(member))) {
    throw new TypeError(`The collection ${name} has a name that cannot be part of a statement`);
  }
}

/** Makes keys and indexes of a collection when it is first written, and anew when its declaration has changed. */
export class DocumentSchema {
  readonly #driver: SqliteDriver;
  readonly #statements: Statements;
  /** Declarations by name, as the file has them. */
  readonly #declared = new Map<string, string>();

  constructor(driver: SqliteDriver, statements: Statements) {
    this.#driver = driver;
    this.#statements = statements;
    for (const row of statements.all('SELECT name, declaration FROM document_collection', [])) {
      this.#declared.set(text(row, 'name'), text(row, 'declaration'));
    }
  }

  /** True if the collection may have records. Makes its indexes anew if they were made for another declaration. */
  prepareRead(collection: DocumentCollection): boolean {
    if (!this.#declared.has(collection.name)) return false;
    this.prepareWrite(collection);
    return true;
  }

  /** In a transaction of its own, so not within another one. Throws what SQLite throws, with nothing changed. */
  prepareWrite(collection: DocumentCollection): void {
    const { name, filters, sorts, search, unique } = collection;
    const declaration = JSON.stringify([LAYOUT, filters, sorts, search, unique]);
    const former = this.#declared.get(name);
    if (former === declaration) return;
    checkNames(collection);
    this.#driver.transaction(() => {
      if (former !== undefined) {
        this.#dropIndexes(collection);
        this.#makeKeys(collection);
      }
      for (const statement of indexStatements(collection)) this.#driver.exec(statement);
      this.#statements.run('INSERT OR REPLACE INTO document_collection (name, declaration) VALUES (?, ?)', [
        name,
        declaration,
      ]);
    });
    this.#declared.set(name, declaration);
  }

  #dropIndexes(collection: DocumentCollection): void {
    const prefix = `document:${collection.name}:`;
    const rows = this.#statements.all(
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND substr(name, 1, length(?)) = ?",
      [prefix, prefix],
    );
    for (const row of rows) this.#driver.exec(`DROP INDEX "${text(row, 'name')}"`);
  }

  #makeKeys(collection: DocumentCollection): void {
    let last = 0;
    for (;;) {
      const rows = this.#statements.all(
        'SELECT row, body FROM document WHERE collection = ? AND row > ? ORDER BY row LIMIT ?',
        [collection.name, last, REKEY_SLICE],
      );
      for (const row of rows) {
        last = integer(row, 'row');
        const body: JsonObject = JSON.parse(text(row, 'body'));
        const { exact, folded } = keysOf(collection, body);
        this.#statements.run('UPDATE document SET exact = ?, folded = ? WHERE row = ?', [exact, folded, last]);
      }
      if (rows.length < REKEY_SLICE) return;
    }
  }
}

/** What a list of a tenant is sorted by with an index of its own; none for collections that nobody lists. */
export function sortMembers({ sorts }: DocumentCollection): readonly string[] {
  const members = sorts.length === 0 ? [] : ['id', ...sorts];
  return [...new Set(members)].filter((member) => member !== 'createdTime');
}

function indexStatements(collection: DocumentCollection): string[] {
  const where = `WHERE ${inCollection(collection)}`;
  const filters = collection.filters.filter((member) => member !== 'createdTime');
  // A list is searched, counted and ordered within one index: of 100,000 records no row is read but those of the page.
  const searchedBeside = (sort: string | null): string =>
    collection.search
      .filter((member) => member !== sort)
      .map((member) => `, ${foldedColumn(member)}`)
      .join('');
  return [
    `CREATE INDEX ${documentIndex.time(collection)} ON document (created_time, id) ${where}`,
    `CREATE INDEX ${documentIndex.tenant(collection)}
     ON document (tenant_id, created_time, id${searchedBeside(null)}) ${where}`,
    ...sortMembers(collection).map(
      (member) =>
        `CREATE INDEX ${documentIndex.sort(collection, member)}
         ON document (tenant_id, ${member === 'id' ? '' : `${foldedColumn(member)}, `}id${searchedBeside(member)}) ${where}`,
    ),
    ...filters.map(
      (member) =>
        `CREATE INDEX ${documentIndex.filter(collection, member)}
         ON document (${exactColumn(member)}, created_time, id, tenant_id) ${where}`,
    ),
    ...collection.unique.map((group) => {
      const columns = group.members.map(exactColumn);
      if (group.scope === 'tenant') columns.unshift('tenant_id');
      return `CREATE UNIQUE INDEX ${documentIndex.unique(collection, group)}
              ON document (${columns.join(', ')}) ${where}`;
    }),
  ];
}
