import type { SqliteDriver } from './driver.ts';
import { StoreError } from './store-error.ts';

/** One forward step of a file's schema. Never changed after release; a correction is a further step. */
export interface Migration {
  /** Date and subject, e.g. `2026-11-21-series`; the list is in ascending order of names. */
  readonly name: string;
  up(database: SqliteDriver): void;
}

export interface SchemaOptions {
  /** Which of the store files this is, e.g. `core` or `telemetry`. */
  readonly file: string;
  /** Written into a new file; must equal the one of an existing file. */
  readonly installationId: string;
  readonly migrations: readonly Migration[];
  /** Epoch milliseconds, noted beside each step. */
  readonly now: number;
}

/**
 * Brings a file to the newest schema, each step in a transaction of its own, so an interrupted start goes on at the
 * step it lost. Throws `StoreError` `other-installation`, `other-file` or `newer-schema` before anything is changed.
 */
export function migrate(database: SqliteDriver, options: SchemaOptions): void {
  const known = options.migrations.map((migration) => migration.name);
  database.transaction(() => {
    database.exec('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID');
    database.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at INTEGER) WITHOUT ROWID');
    claim(database, 'file', options.file, 'other-file');
    claim(database, 'installation_id', options.installationId, 'other-installation');
    for (const row of database.prepare('SELECT name FROM migration ORDER BY name').all([])) {
      const name = String(row.name);
      if (known.includes(name)) continue;
      const message = `The ${options.file} file has schema step ${name}, which this version does not know; start a newer version`;
      throw new StoreError('newer-schema', message);
    }
  });
  const applied = new Set(
    database
      .prepare('SELECT name FROM migration')
      .all([])
      .map((row) => String(row.name)),
  );
  for (const migration of options.migrations) {
    if (applied.has(migration.name)) continue;
    database.transaction(() => {
      migration.up(database);
      database.prepare('INSERT INTO migration (name, applied_at) VALUES (?, ?)').run([migration.name, options.now]);
    });
  }
}

function claim(database: SqliteDriver, key: string, wanted: string, code: 'other-file' | 'other-installation'): void {
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get([key]);
  if (row === undefined) {
    database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run([key, wanted]);
    return;
  }
  if (row.value === wanted) return;
  throw new StoreError(code, `The file's ${key} is ${String(row.value)}, expected ${wanted}`);
}
