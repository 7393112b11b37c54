export { type OutboxStoreOptions, SqliteOutboxStore } from './outbox/sqlite-outbox-store.ts';
export * from './registry/sqlite-repositories.ts';
export { SqliteRetainedStore } from './session/sqlite-retained-store.ts';
export { type SessionStoreOptions, SqliteSessionStore } from './session/sqlite-session-store.ts';
export { SqliteDriver, type SqliteOpenOptions, type SqliteStatement, sqliteFault } from './sqlite/driver.ts';
export { type Migration, migrate } from './sqlite/migrate.ts';
export { StoreError, type StoreErrorCode } from './sqlite/store-error.ts';
export { SqliteTelemetryStore, type TelemetryStoreOptions } from './telemetry/sqlite-telemetry-store.ts';
