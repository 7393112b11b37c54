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

/** Schema of the file `core`. */
export const CORE_MIGRATIONS: readonly Migration[] = [
  { name: '2026-11-21-registry', up: (database) => database.exec(REGISTRY) },
];
