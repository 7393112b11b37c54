import type { Migration } from '../sqlite/migrate.ts';

/**
 * A message keeps its row when it dies: `letter` then has the id of the dead letter. Targets are numbered, because their
 * ids are long and stand in every row and index.
 */
const OUTBOX = `
CREATE TABLE target (id INTEGER PRIMARY KEY, target_id TEXT NOT NULL UNIQUE, tenant_id TEXT NOT NULL);
CREATE TABLE message (
  sequence INTEGER PRIMARY KEY, target INTEGER NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL,
  event_id TEXT NOT NULL, order_key TEXT NOT NULL, url TEXT NOT NULL, content_type TEXT NOT NULL,
  letter TEXT, attempts INTEGER, last_error TEXT, expires_at INTEGER, body BLOB NOT NULL
);
CREATE INDEX waiting ON message (target, sequence) WHERE letter IS NULL;
CREATE INDEX dead ON message (target, sequence) WHERE letter IS NOT NULL;
CREATE UNIQUE INDEX letter ON message (letter) WHERE letter IS NOT NULL;
CREATE INDEX expiry ON message (expires_at) WHERE letter IS NOT NULL;
CREATE TABLE suspension (target_id TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID;
`;

/** Schema of the file `outbox`. */
export const OUTBOX_MIGRATIONS: readonly Migration[] = [
  { name: '2026-11-23-outbox', up: (database) => database.exec(OUTBOX) },
];
