import type { Migration } from '../sqlite/migrate.ts';

/**
 * `tally` and `retained_space` repeat what can be counted, so that a start and the limits need not count. `queue.message` may be
 * shared: `share` holds the number of references of messages that had more than one. `doomed` are ended Sessions whose
 * queues are still to be emptied.
 */
const SESSION = `
CREATE TABLE session (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, space TEXT, client_id TEXT NOT NULL,
  expiry_interval INTEGER NOT NULL, limit_messages INTEGER NOT NULL, limit_bytes INTEGER NOT NULL,
  limit_age_ms INTEGER NOT NULL, will BLOB, disconnected_at INTEGER
);
CREATE TABLE tally (
  session INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL, last_packet_identifier INTEGER NOT NULL,
  messages INTEGER NOT NULL, bytes INTEGER NOT NULL, oldest_at INTEGER NOT NULL, earliest_expiry INTEGER NOT NULL
);
CREATE TABLE subscription (
  session INTEGER, topic_filter TEXT, b BLOB NOT NULL, PRIMARY KEY (session, topic_filter)
) WITHOUT ROWID;
CREATE TABLE incoming (
  session INTEGER, packet_identifier INTEGER, PRIMARY KEY (session, packet_identifier)
) WITHOUT ROWID;
CREATE TABLE queue (
  session INTEGER, sequence INTEGER, message INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
  flags INTEGER NOT NULL, size INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, expires_at INTEGER, rest BLOB,
  PRIMARY KEY (session, sequence)
) WITHOUT ROWID;
CREATE TABLE message (id INTEGER PRIMARY KEY, b BLOB NOT NULL);
CREATE TABLE share (message INTEGER PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE doomed (session INTEGER PRIMARY KEY);
CREATE TABLE retained (
  id INTEGER PRIMARY KEY, space TEXT NOT NULL, topic_name TEXT NOT NULL, size INTEGER NOT NULL, expires_at INTEGER,
  b BLOB NOT NULL,
  UNIQUE (space, topic_name)
);
CREATE TABLE retained_space (space TEXT PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX retained_expiry ON retained (expires_at) WHERE expires_at IS NOT NULL;
`;

/** Schema of the file `session`. */
export const SESSION_MIGRATIONS: readonly Migration[] = [
  { name: '2026-11-21-session', up: (database) => database.exec(SESSION) },
];
