import type { OwnerId, SeriesId } from '@moorage/core';
import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import type { FileMemory } from '../sqlite/store-file.ts';
import { AttributeTable } from './attribute-table.ts';
import { columnText, textColumn } from './column-values.ts';
import { Erasure } from './erasure.ts';
import { ExpiryTable } from './expiry-table.ts';
import { SeriesStore } from './series-store.ts';

/** The tables of the data file, and what is kept in memory of them. */
export class TelemetryTables implements FileMemory {
  readonly #database: SqliteDriver;
  readonly #insertSeries: SqliteStatement;
  readonly store: SeriesStore;
  readonly attributes: AttributeTable;
  readonly expiry: ExpiryTable;
  readonly erasure: Erasure;

  constructor(database: SqliteDriver, headBudgetPoints: number) {
    this.#database = database;
    this.store = new SeriesStore(database, headBudgetPoints);
    this.attributes = new AttributeTable(database);
    this.expiry = new ExpiryTable(database);
    this.erasure = new Erasure(database, this.store, this.expiry);
    this.#insertSeries = database.prepare('INSERT INTO series (id, owner, key) VALUES (?, ?, ?)');
  }

  reload(): void {
    this.store.reload();
    this.expiry.reload();
  }

  /** Series by owner, for the start. */
  *series(): IterableIterator<{ readonly id: number; readonly owner: string; readonly key: string }> {
    for (const row of this.#database.prepare('SELECT id, owner, key FROM series ORDER BY owner').iterate([])) {
      yield { id: Number(row.id), owner: columnText(row.owner), key: columnText(row.key) };
    }
  }

  intern(owner: OwnerId, ids: readonly SeriesId[], keys: readonly string[]): void {
    for (const [index, key] of keys.entries()) {
      const id = ids[index] ?? 0;
      this.#insertSeries.run([id, owner, textColumn(key)]);
      this.store.admit(id);
    }
  }
}
