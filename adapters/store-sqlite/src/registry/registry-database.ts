import { randomUUID } from 'node:crypto';
import type {
  ApplicationSort,
  Change,
  CommitOutcome,
  Device,
  DeviceIdQuery,
  DeviceProfile,
  DeviceRecordQuery,
  DocumentCollection,
  DocumentQuery,
  FleetRow,
  ListQuery,
  ProfileSort,
  RecordPage,
  StoredApplication,
  StoredCredentials,
  StoredDocument,
  StoredUser,
  Tenant,
  UserRecordQuery,
} from '@moorage/core';
import { SqliteDriver, type SqlRow, sqliteFault } from '../sqlite/driver.ts';
import { migrate } from '../sqlite/migrate.ts';
import { DocumentSchema } from './document-schema.ts';
import { DocumentTable } from './document-table.ts';
import { NO_CUSTOMER } from './no-customer.ts';
import { RegistryChanges } from './registry-changes.ts';
import {
  applicationRows,
  DEVICE_COLUMNS,
  DEVICE_JOINS,
  deviceIdScope,
  deviceRows,
  profileRows,
  userRows,
} from './registry-lists.ts';
import { applicationOf, credentialsOf, deviceOf, fleetRowOf, profileOf, tenantOf, text, userOf } from './rows.ts';
import { CORE_MIGRATIONS } from './schema.ts';
import { Statements } from './statements.ts';

/** Page cache of the file, KiB: the list indexes of some ten thousand devices. */
const CACHE_KIB = 16_000;

/** The file `core`, synchronous; lives in a thread of its own. The methods answer those of `Repositories`. */
export class RegistryDatabase {
  readonly installationId: string;
  readonly #driver: SqliteDriver;
  readonly #statements: Statements;
  readonly #schema: DocumentSchema;
  readonly #documents: DocumentTable;
  readonly #changes: RegistryChanges;

  private constructor(driver: SqliteDriver, installationId: string) {
    this.installationId = installationId;
    this.#driver = driver;
    this.#statements = new Statements(driver);
    this.#schema = new DocumentSchema(driver, this.#statements);
    this.#documents = new DocumentTable(this.#statements);
    this.#changes = new RegistryChanges(this.#statements, this.#documents);
  }

  /** Opens or creates the file; a new one gets an installation id. Throws `StoreError`. */
  static open(path: string, durability: 'full' | 'normal', now: number): RegistryDatabase {
    const driver = SqliteDriver.open({ path, durability, cacheKib: CACHE_KIB });
    try {
      const installationId = storedInstallation(driver) ?? randomUUID();
      migrate(driver, { file: 'core', installationId, migrations: CORE_MIGRATIONS, now });
      return new RegistryDatabase(driver, installationId);
    } catch (error) {
      driver.close();
      throw error;
    }
  }

  close(): void {
    this.#driver.close();
  }

  /** Bounds the file as a full disk would; for tests. */
  limitPages(pages: number): void {
    this.#driver.pragma(`max_page_count = ${Math.trunc(pages)}`);
  }

  /**
   * Many commits in one transaction with one sync: each has a savepoint, so that a conflict undoes its own changes only.
   * `unforeseen` hears of errors that are neither a conflict nor a full disk.
   */
  commitAll(commits: readonly (readonly Change[])[], unforeseen: (error: unknown) => void): CommitOutcome[] {
    const unprepared = commits.map((changes) => this.#prepare(changes, unforeseen));
    try {
      return this.#driver.transaction(() =>
        commits.map((changes, index) => unprepared[index] ?? this.#commitOne(changes, unforeseen)),
      );
    } catch (error) {
      const full = sqliteFault(error) === 'full';
      if (!full) unforeseen(error);
      return commits.map(() => (full ? 'full' : 'failed'));
    }
  }

  /** Makes the indexes of the collections that a commit writes, outside of the transaction it will be part of. */
  #prepare(changes: readonly Change[], unforeseen: (error: unknown) => void): 'full' | 'failed' | undefined {
    try {
      for (const change of changes) if ('collection' in change) this.#schema.prepareWrite(change.collection);
      return undefined;
    } catch (error) {
      if (sqliteFault(error) === 'full') return 'full';
      unforeseen(error);
      return 'failed';
    }
  }

  #commitOne(changes: readonly Change[], unforeseen: (error: unknown) => void): CommitOutcome {
    this.#driver.exec('SAVEPOINT one');
    try {
      for (const [index, change] of changes.entries()) {
        const refused = this.#changes.apply(change);
        if (refused === undefined) continue;
        this.#driver.exec('ROLLBACK TO one; RELEASE one');
        return { ...refused, change: index };
      }
      this.#driver.exec('RELEASE one');
      return 'done';
    } catch (error) {
      const fault = sqliteFault(error);
      // A full disk or a broken file ends the whole transaction.
      if (fault !== 'constraint' && fault !== 'other') throw error;
      this.#driver.exec('ROLLBACK TO one; RELEASE one');
      unforeseen(error);
      return 'failed';
    }
  }

  tenant(id: string): Tenant | null {
    return this.#one('SELECT * FROM tenant WHERE id = ?', [id], tenantOf);
  }

  tenantByName(name: string): Tenant | null {
    return this.#one('SELECT * FROM tenant WHERE name = ?', [name], tenantOf);
  }

  tenantDocuments(tenantId: string): number {
    return this.#documents.countOfTenant(tenantId);
  }

  user(id: string): StoredUser | null {
    return this.#one('SELECT * FROM user WHERE id = ?', [id], userOf);
  }

  userByEmail(email: string): StoredUser | null {
    return this.#one('SELECT * FROM user WHERE email = ?', [email], userOf);
  }

  users(query: UserRecordQuery): RecordPage<StoredUser> {
    const { rows, total } = userRows(this.#statements, query);
    return { records: rows.map(userOf), total };
  }

  hasPassword(): boolean {
    return this.#statements.get('SELECT 1 FROM user WHERE password_hash IS NOT NULL LIMIT 1', []) !== undefined;
  }

  profile(id: string): DeviceProfile | null {
    return this.#one('SELECT * FROM profile WHERE id = ?', [id], profileOf);
  }

  profileByName(tenantId: string, name: string): DeviceProfile | null {
    return this.#one('SELECT * FROM profile WHERE tenant_id = ? AND name = ?', [tenantId, name], profileOf);
  }

  defaultProfile(tenantId: string): DeviceProfile | null {
    return this.#one('SELECT * FROM profile WHERE tenant_id = ? AND is_default = 1', [tenantId], profileOf);
  }

  profileByProvisionKey(provisionDeviceKey: string): DeviceProfile | null {
    return this.#one('SELECT * FROM profile WHERE provision_device_key = ?', [provisionDeviceKey], profileOf);
  }

  profiles(query: ListQuery<ProfileSort>): RecordPage<DeviceProfile> {
    const { rows, total } = profileRows(this.#statements, query);
    return { records: rows.map(profileOf), total };
  }

  device(id: string): Device | null {
    return this.#one(`SELECT ${DEVICE_COLUMNS} FROM device d ${DEVICE_JOINS} WHERE d.id = ?`, [id], deviceOf);
  }

  deviceByName(tenantId: string, name: string): Device | null {
    const sql = `SELECT ${DEVICE_COLUMNS} FROM device d ${DEVICE_JOINS} WHERE d.tenant_id = ? AND d.name = ?`;
    return this.#one(sql, [tenantId, name], deviceOf);
  }

  devicesByIds(ids: readonly string[]): readonly Device[] {
    return [...new Set(ids)].flatMap((id) => this.device(id) ?? []);
  }

  devices(query: DeviceRecordQuery): RecordPage<Device> {
    const { rows, total } = deviceRows(this.#statements, query);
    return { records: rows.map(deviceOf), total };
  }

  deviceIds(query: DeviceIdQuery): readonly string[] {
    const { source, parameters } = deviceIdScope(query);
    return this.#statements
      .all(`SELECT id FROM ${source} AND id > ? ORDER BY id LIMIT ?`, [...parameters, query.after ?? '', query.limit])
      .map((row) => text(row, 'id'));
  }

  deviceCount(query: Omit<DeviceIdQuery, 'after' | 'limit'>): number {
    const { source, parameters } = deviceIdScope(query);
    return Number(this.#statements.get(`SELECT count(*) AS total FROM ${source}`, parameters)?.total ?? 0);
  }

  packageInUse(packageId: string): boolean {
    const row = this.#statements.get(
      `SELECT EXISTS (SELECT 1 FROM device WHERE firmware_id = ?1) OR EXISTS (SELECT 1 FROM device WHERE software_id = ?1)
         OR EXISTS (SELECT 1 FROM profile WHERE firmware_id = ?1 OR software_id = ?1) AS used`,
      [packageId],
    );
    return row?.used === 1;
  }

  document(collection: DocumentCollection, id: string): StoredDocument | null {
    return this.#documents.get(collection, id);
  }

  documents(collection: DocumentCollection, query: DocumentQuery): RecordPage<StoredDocument> {
    // A collection that was never written needs no indexes, so that reading it works on a full disk as well.
    if (!this.#schema.prepareRead(collection)) return { records: [], total: 0 };
    return this.#documents.page(collection, query);
  }

  deviceTypes(tenantId: string, customerId: string | null): readonly string[] {
    const rows =
      customerId === null
        ? this.#statements.all(
            `SELECT p.name AS name FROM profile p WHERE p.tenant_id = ?
               AND EXISTS (SELECT 1 FROM device d WHERE d.profile_id = p.id) ORDER BY p.name`,
            [tenantId],
          )
        : this.#statements.all(
            `SELECT DISTINCT p.name AS name FROM device d CROSS JOIN profile p ON p.id = d.profile_id
             WHERE d.customer_id = ? AND d.customer_id <> '${NO_CUSTOMER}' AND d.tenant_id = ? ORDER BY p.name`,
            [customerId, tenantId],
          );
    return rows.map((row) => text(row, 'name'));
  }

  credentials(deviceId: string): StoredCredentials | null {
    return this.#one('SELECT * FROM credentials WHERE device_id = ?', [deviceId], credentialsOf);
  }

  application(id: string): StoredApplication | null {
    return this.#one('SELECT * FROM application WHERE id = ?', [id], applicationOf);
  }

  applications(query: ListQuery<ApplicationSort>): RecordPage<StoredApplication> {
    const { rows, total } = applicationRows(this.#statements, query);
    return { records: rows.map(applicationOf), total };
  }

  removals(): readonly string[] {
    return this.#statements
      .all('SELECT owner_id FROM removal ORDER BY time, owner_id', [])
      .map((row) => text(row, 'owner_id'));
  }

  setting(key: string): string | null {
    return this.#one('SELECT value FROM setting WHERE key = ?', [key], (row) => text(row, 'value'));
  }

  fleet(after: string | null, limit: number): readonly FleetRow[] {
    return this.#statements
      .all(
        `SELECT d.id, d.tenant_id, d.customer_id, d.name, d.profile_id, d.gateway, c.credentials_type, c.credentials_id,
           c.username, c.client_id, CASE WHEN c.sealed = 1 THEN c.credentials_value END AS sealed_value
         FROM device d LEFT JOIN credentials c ON c.device_id = d.id WHERE d.id > ? ORDER BY d.id LIMIT ?`,
        [after ?? '', limit],
      )
      .map(fleetRowOf);
  }

  #one<T>(sql: string, parameters: readonly unknown[], map: (row: SqlRow) => T): T | null {
    const row = this.#statements.get(sql, parameters);
    return row === undefined ? null : map(row);
  }
}

/** Of a file that exists already; undefined: it is new. */
function storedInstallation(driver: SqliteDriver): string | undefined {
  const table = driver.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'").get([]);
  if (table === undefined) return undefined;
  const row = driver.prepare("SELECT value FROM meta WHERE key = 'installation_id'").get([]);
  return typeof row?.value === 'string' ? row.value : undefined;
}
