import type { Migration } from '../sqlite/migrate.ts';

/** The steps of the schema of `telemetry.sqlite`. */
export const TELEMETRY_MIGRATIONS: readonly Migration[] = [
  {
    name: '2026-11-21-telemetry',
    up(database) {
      database.exec(`
        CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, key NOT NULL, UNIQUE (owner, key));
        CREATE TABLE log (id INTEGER PRIMARY KEY, b BLOB NOT NULL);
        CREATE TABLE chunk (
          series INTEGER, day INTEGER, seq INTEGER, n INTEGER NOT NULL, b BLOB NOT NULL, PRIMARY KEY (series, day, seq)
        ) WITHOUT ROWID;
        CREATE TABLE latest (series INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind INTEGER NOT NULL, v);
        CREATE TABLE attribute (
          owner TEXT, scope INTEGER, key, kind INTEGER NOT NULL, v, ts INTEGER NOT NULL, PRIMARY KEY (owner, scope, key)
        ) WITHOUT ROWID;
        CREATE TABLE doomed (series INTEGER PRIMARY KEY);
      `);
    },
  },
  {
    name: '2026-11-21-telemetry-expiry',
    up(database) {
      database.exec(`
        CREATE TABLE expiry (
          series INTEGER, ts INTEGER, at INTEGER NOT NULL, PRIMARY KEY (series, ts)
        ) WITHOUT ROWID;
        CREATE INDEX expiry_at ON expiry (series, at);
      `);
    },
  },
];
