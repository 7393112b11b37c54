import type { AttributeChange } from '@moorage/core';
import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import { columnNumber, columnText, columnValue, textColumn, valueColumn } from './column-values.ts';
import { type AttributeRow, SCOPES } from './messages.ts';

/** The attributes of all owners, in the same file and the same commits as the points. */
export class AttributeTable {
  readonly #put: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #select: SqliteStatement;

  constructor(database: SqliteDriver) {
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO attribute (owner, scope, key, kind, v, ts) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#delete = database.prepare('DELETE FROM attribute WHERE owner = ? AND scope = ? AND key = ?');
    this.#select = database.prepare(
      'SELECT scope, key, kind, v, ts FROM attribute WHERE owner = ? ORDER BY scope, key',
      true,
    );
  }

  apply(changes: readonly AttributeChange[]): void {
    for (const { owner, scope, key, attribute } of changes) {
      const place = [owner, SCOPES.indexOf(scope), textColumn(key)];
      if (attribute === null) this.#delete.run(place);
      else {
        const value = valueColumn(attribute.kind, attribute.value);
        this.#put.run([...place, attribute.kind, value, attribute.lastUpdateTs]);
      }
    }
  }

  of(owner: string): AttributeRow[] {
    return this.#select.all([owner]).map((row) => {
      const kind = columnNumber(row.kind);
      return {
        scope: columnNumber(row.scope),
        key: columnText(row.key),
        kind,
        value: columnValue(kind, row.v),
        lastUpdateTs: columnNumber(row.ts),
      };
    });
  }
}
