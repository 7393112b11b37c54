import type { SqliteDriver, SqlValue } from '../sqlite/driver.ts';
import type { Migration } from '../sqlite/migrate.ts';
import { NO_CUSTOMER } from './no-customer.ts';

/**
 * Tables are clustered by id, so that the fleet is read at start in one pass. Columns ending in `_key` hold the text in
 * lower case: SQLite folds ASCII only. The indexes of `device` cover search, order and count of a list.
 */
const REGISTRY = `
CREATE TABLE tenant (
  id TEXT PRIMARY KEY, created_time INTEGER NOT NULL, name TEXT NOT NULL UNIQUE
) WITHOUT ROWID;

CREATE TABLE user (
  id TEXT PRIMARY KEY, created_time INTEGER NOT NULL, tenant_id TEXT NOT NULL, customer_id TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE, authority TEXT NOT NULL, first_name TEXT, last_name TEXT, enabled INTEGER NOT NULL,
  tokens_valid_from INTEGER NOT NULL, additional_info TEXT, password_hash TEXT, version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE profile (
  id TEXT PRIMARY KEY, created_time INTEGER NOT NULL, tenant_id TEXT NOT NULL REFERENCES tenant (id),
  name TEXT NOT NULL, name_key TEXT NOT NULL, description TEXT, is_default INTEGER NOT NULL,
  transport_type TEXT NOT NULL, provision_type TEXT NOT NULL, profile_data TEXT NOT NULL, version INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX profile_default ON profile (tenant_id) WHERE is_default = 1;

CREATE TABLE device (
  id TEXT PRIMARY KEY, created_time INTEGER NOT NULL, tenant_id TEXT NOT NULL, customer_id TEXT NOT NULL,
  name TEXT NOT NULL, name_key TEXT NOT NULL, label TEXT, label_key TEXT NOT NULL,
  profile_id TEXT NOT NULL REFERENCES profile (id), gateway INTEGER NOT NULL,
  device_data TEXT NOT NULL, additional_info TEXT, version INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) WITHOUT ROWID;
CREATE INDEX device_by_id ON device (tenant_id, id, name_key, label_key);
CREATE INDEX device_by_name ON device (tenant_id, name_key, label_key);
CREATE INDEX device_by_time ON device (tenant_id, created_time, name_key, label_key);
CREATE INDEX device_by_profile ON device (profile_id, tenant_id, name_key, label_key, created_time);
CREATE INDEX device_by_customer
  ON device (customer_id, tenant_id, profile_id, name_key, label_key, created_time) WHERE customer_id <> '${NO_CUSTOMER}';

CREATE TABLE credentials (
  device_id TEXT PRIMARY KEY REFERENCES device (id), id TEXT NOT NULL UNIQUE, created_time INTEGER NOT NULL,
  credentials_type TEXT NOT NULL, credentials_id TEXT NOT NULL UNIQUE, credentials_value TEXT, dialect TEXT NOT NULL,
  sealed INTEGER NOT NULL, username TEXT, client_id TEXT, version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE application (
  id TEXT PRIMARY KEY, created_time INTEGER NOT NULL, tenant_id TEXT NOT NULL REFERENCES tenant (id),
  name TEXT NOT NULL, name_key TEXT NOT NULL, dialect TEXT NOT NULL, enabled INTEGER NOT NULL, username TEXT,
  sealed_credentials TEXT NOT NULL, configuration TEXT NOT NULL, version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX application_by_name ON application (tenant_id, name_key);

CREATE TABLE login_name (
  list TEXT NOT NULL, name TEXT NOT NULL, principal_id TEXT NOT NULL, dialect TEXT NOT NULL, exclusive INTEGER NOT NULL,
  PRIMARY KEY (list, name, principal_id)
) WITHOUT ROWID;
CREATE INDEX login_name_by_principal ON login_name (principal_id);

CREATE TABLE removal (owner_id TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * Documents of all collections; the indexes of each are made when it is first written. `exact` and `folded` hold the
 * members that are compared, so that a body, which may be long, is read for the answer only.
 */
const DOCUMENTS = `
CREATE TABLE document (
  row INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, tenant_id TEXT NOT NULL,
  created_time INTEGER NOT NULL, version INTEGER NOT NULL, exact TEXT NOT NULL, folded TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX document_by_id ON document (collection, id);
CREATE TABLE document_collection (name TEXT PRIMARY KEY, declaration TEXT NOT NULL) WITHOUT ROWID;

ALTER TABLE profile ADD COLUMN provision_device_key TEXT;
ALTER TABLE profile ADD COLUMN firmware_id TEXT;
ALTER TABLE profile ADD COLUMN software_id TEXT;
CREATE UNIQUE INDEX profile_by_provision_key ON profile (provision_device_key) WHERE provision_device_key IS NOT NULL;

ALTER TABLE device ADD COLUMN firmware_id TEXT;
ALTER TABLE device ADD COLUMN software_id TEXT;
CREATE INDEX device_by_firmware ON device (firmware_id) WHERE firmware_id IS NOT NULL;
CREATE INDEX device_by_software ON device (software_id) WHERE software_id IS NOT NULL;
CREATE INDEX device_of_profile ON device (profile_id, id);

ALTER TABLE user ADD COLUMN first_name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN last_name_key TEXT NOT NULL DEFAULT '';
CREATE INDEX user_by_tenant ON user (tenant_id, customer_id);
`;

function fillUserKeys(database: SqliteDriver): void {
  const update = database.prepare('UPDATE user SET first_name_key = ?, last_name_key = ? WHERE id = ?');
  for (const row of database.prepare('SELECT id, first_name, last_name FROM user').all([])) {
    update.run([nameKey(row.first_name), nameKey(row.last_name), row.id]);
  }
}

function nameKey(value: SqlValue | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

/** Schema of the file `core`. */
export const CORE_MIGRATIONS: readonly Migration[] = [
  { name: '2026-11-21-registry', up: (database) => database.exec(REGISTRY) },
  {
    name: '2026-11-22-documents',
    up: (database) => {
      database.exec(DOCUMENTS);
      fillUserKeys(database);
    },
  },
];
