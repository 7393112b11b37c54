import type { Change, Conflict, DialectId, NameClaim, UniqueMember } from '@moorage/core';
import type { DocumentTable } from './document-table.ts';
import type { Statements } from './statements.ts';

type WithoutIndex<C> = C extends unknown ? Omit<C, 'change'> : never;
/** A conflict of one change; the index is added by the commit. */
export type Refused = WithoutIndex<Conflict>;

type Of<K extends Change['kind']> = Extract<Change, { kind: K }>;

function jsonText(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** Applies single changes with their preconditions; the caller undoes a commit that is refused. */
export class RegistryChanges {
  readonly #statements: Statements;
  readonly #documents: DocumentTable;

  constructor(statements: Statements, documents: DocumentTable) {
    this.#statements = statements;
    this.#documents = documents;
  }

  apply(change: Change): Refused | undefined {
    switch (change.kind) {
      case 'putTenant':
        return this.#putTenant(change);
      case 'renameTenant':
        return this.#renameTenant(change);
      case 'deleteTenant':
        return this.#deleteTenant(change);
      case 'deleteTenantDocuments':
        this.#documents.deleteOfTenant(change.tenantId, change.limit);
        return undefined;
      case 'putUser':
        return this.#putUser(change);
      case 'deleteUser':
        return this.#deleteUser(change);
      case 'putProfile':
        return this.#putProfile(change);
      case 'deleteProfile':
        return this.#deleteProfile(change);
      case 'putDevice':
        return this.#putDevice(change);
      case 'deleteDevice':
        return this.#deleteDevice(change);
      case 'putCredentials':
        return this.#putCredentials(change);
      case 'putApplication':
        return this.#putApplication(change);
      case 'deleteApplication':
        return this.#deleteApplication(change);
      case 'deleteRemoval':
        this.#statements.run('DELETE FROM removal WHERE owner_id = ?', [change.ownerId]);
        return undefined;
      case 'putSetting':
        this.#statements.run('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)', [change.key, change.value]);
        return undefined;
      case 'putDocument':
      case 'deleteDocument':
      case 'deleteDocuments':
        return this.#documents.apply(change);
    }
  }

  #putTenant({ record }: Of<'putTenant'>): Refused | undefined {
    if (this.#has('SELECT 1 FROM tenant WHERE id = ?', record.id)) return { kind: 'exists' };
    if (this.#has('SELECT 1 FROM tenant WHERE name = ?', record.name)) return { kind: 'unique', member: 'tenantName' };
    this.#statements.run('INSERT INTO tenant (id, created_time, name) VALUES (?, ?, ?)', [
      record.id,
      record.createdTime,
      record.name,
    ]);
    return undefined;
  }

  #renameTenant({ id, name }: Of<'renameTenant'>): Refused | undefined {
    if (!this.#has('SELECT 1 FROM tenant WHERE id = ?', id)) return { kind: 'version' };
    const refused = this.#uniqueRefusal('tenantName', 'SELECT 1 FROM tenant WHERE name = ? AND id <> ?', name, id);
    if (refused !== undefined) return refused;
    this.#statements.run('UPDATE tenant SET name = ? WHERE id = ?', [name, id]);
    return undefined;
  }

  #deleteTenant({ id }: Of<'deleteTenant'>): Refused | undefined {
    if (!this.#has('SELECT 1 FROM tenant WHERE id = ?', id)) return { kind: 'version' };
    const inUse =
      this.#has('SELECT 1 FROM user WHERE tenant_id = ? LIMIT 1', id) ||
      this.#has('SELECT 1 FROM device WHERE tenant_id = ? LIMIT 1', id) ||
      this.#has('SELECT 1 FROM profile WHERE tenant_id = ? LIMIT 1', id) ||
      this.#has('SELECT 1 FROM application WHERE tenant_id = ? LIMIT 1', id) ||
      this.#documents.countOfTenant(id) > 0;
    if (inUse) return { kind: 'inUse' };
    this.#statements.run('DELETE FROM tenant WHERE id = ?', [id]);
    return undefined;
  }

  #putUser({ record, expectedVersion }: Of<'putUser'>): Refused | undefined {
    const refused =
      this.#versionRefusal('SELECT version FROM user WHERE id = ?', record.id, expectedVersion) ??
      this.#uniqueRefusal('email', 'SELECT 1 FROM user WHERE email = ? AND id <> ?', record.email, record.id);
    if (refused !== undefined) return refused;
    this.#write(expectedVersion === null, 'user', 'id', [
      ['id', record.id],
      ['created_time', record.createdTime],
      ['tenant_id', record.tenantId],
      ['customer_id', record.customerId],
      ['email', record.email],
      ['authority', record.authority],
      ['first_name', record.firstName],
      ['last_name', record.lastName],
      ['first_name_key', (record.firstName ?? '').toLowerCase()],
      ['last_name_key', (record.lastName ?? '').toLowerCase()],
      ['enabled', record.enabled],
      ['tokens_valid_from', record.tokensValidFrom],
      ['additional_info', jsonText(record.additionalInfo)],
      ['password_hash', record.passwordHash],
      ['version', record.version],
    ]);
    return undefined;
  }

  #deleteUser({ id, expectedVersion }: Of<'deleteUser'>): Refused | undefined {
    const refused =
      expectedVersion === null
        ? undefined
        : this.#versionRefusal('SELECT version FROM user WHERE id = ?', id, expectedVersion);
    if (refused !== undefined) return refused;
    this.#statements.run('DELETE FROM user WHERE id = ?', [id]);
    return undefined;
  }

  #putProfile({ record, expectedVersion }: Of<'putProfile'>): Refused | undefined {
    const { id, tenantId } = record;
    const refused =
      this.#versionRefusal('SELECT version FROM profile WHERE id = ?', id, expectedVersion) ??
      this.#referenceRefusal('SELECT 1 FROM tenant WHERE id = ?', tenantId) ??
      this.#uniqueRefusal(
        'profileName',
        'SELECT 1 FROM profile WHERE tenant_id = ? AND name = ? AND id <> ?',
        tenantId,
        record.name,
        id,
      ) ??
      (record.isDefault
        ? this.#uniqueRefusal(
            'defaultProfile',
            'SELECT 1 FROM profile WHERE tenant_id = ? AND is_default = 1 AND id <> ?',
            tenantId,
            id,
          )
        : undefined) ??
      (record.provisionDeviceKey === null
        ? undefined
        : this.#uniqueRefusal(
            'provisionDeviceKey',
            'SELECT 1 FROM profile WHERE provision_device_key = ? AND id <> ?',
            record.provisionDeviceKey,
            id,
          ));
    if (refused !== undefined) return refused;
    this.#write(expectedVersion === null, 'profile', 'id', [
      ['id', id],
      ['created_time', record.createdTime],
      ['tenant_id', tenantId],
      ['name', record.name],
      ['name_key', record.name.toLowerCase()],
      ['description', record.description],
      ['is_default', record.isDefault],
      ['transport_type', record.transportType],
      ['provision_type', record.provisionType],
      ['profile_data', jsonText(record.profileData)],
      ['provision_device_key', record.provisionDeviceKey],
      ['firmware_id', record.firmwareId],
      ['software_id', record.softwareId],
      ['version', record.version],
    ]);
    return undefined;
  }

  #deleteProfile({ id, expectedVersion }: Of<'deleteProfile'>): Refused | undefined {
    const refused = this.#versionRefusal('SELECT version FROM profile WHERE id = ?', id, expectedVersion);
    if (refused !== undefined) return refused;
    if (this.#has('SELECT 1 FROM device WHERE profile_id = ? LIMIT 1', id)) return { kind: 'inUse' };
    this.#statements.run('DELETE FROM profile WHERE id = ?', [id]);
    return undefined;
  }

  #putDevice({ record, expectedVersion }: Of<'putDevice'>): Refused | undefined {
    const { id, tenantId } = record;
    const refused =
      this.#versionRefusal('SELECT version FROM device WHERE id = ?', id, expectedVersion) ??
      this.#referenceRefusal(
        'SELECT 1 FROM profile WHERE id = ? AND tenant_id = ?',
        record.deviceProfileId,
        tenantId,
      ) ??
      this.#uniqueRefusal(
        'deviceName',
        'SELECT 1 FROM device WHERE tenant_id = ? AND name = ? AND id <> ?',
        tenantId,
        record.name,
        id,
      );
    if (refused !== undefined) return refused;
    this.#write(expectedVersion === null, 'device', 'id', [
      ['id', id],
      ['created_time', record.createdTime],
      ['tenant_id', tenantId],
      ['customer_id', record.customerId],
      ['name', record.name],
      ['name_key', record.name.toLowerCase()],
      ['label', record.label],
      ['label_key', (record.label ?? '').toLowerCase()],
      ['profile_id', record.deviceProfileId],
      ['gateway', record.additionalInfo?.gateway === true],
      ['device_data', jsonText(record.deviceData)],
      ['firmware_id', record.firmwareId],
      ['software_id', record.softwareId],
      ['additional_info', jsonText(record.additionalInfo)],
      ['version', record.version],
    ]);
    return undefined;
  }

  #deleteDevice({ id, expectedVersion, time }: Of<'deleteDevice'>): Refused | undefined {
    const refused = this.#versionRefusal('SELECT version FROM device WHERE id = ?', id, expectedVersion);
    if (refused !== undefined) return refused;
    this.#statements.run(
      'DELETE FROM login_name WHERE principal_id = (SELECT id FROM credentials WHERE device_id = ?)',
      [id],
    );
    this.#statements.run('DELETE FROM credentials WHERE device_id = ?', [id]);
    this.#statements.run('DELETE FROM device WHERE id = ?', [id]);
    this.#statements.run('INSERT OR REPLACE INTO removal (owner_id, time) VALUES (?, ?)', [id, time]);
    return undefined;
  }

  #putCredentials({ record, expectedVersion, names }: Of<'putCredentials'>): Refused | undefined {
    const { id, deviceId } = record;
    const refused =
      this.#versionRefusal('SELECT version FROM credentials WHERE id = ?', id, expectedVersion) ??
      this.#referenceRefusal('SELECT 1 FROM device WHERE id = ?', deviceId) ??
      this.#uniqueRefusal(
        'deviceCredentials',
        'SELECT 1 FROM credentials WHERE device_id = ? AND id <> ?',
        deviceId,
        id,
      ) ??
      this.#uniqueRefusal(
        'credentialsId',
        'SELECT 1 FROM credentials WHERE credentials_id = ? AND id <> ?',
        record.credentialsId,
        id,
      ) ??
      this.#claim(id, names);
    if (refused !== undefined) return refused;
    this.#write(expectedVersion === null, 'credentials', 'device_id', [
      ['device_id', deviceId],
      ['id', id],
      ['created_time', record.createdTime],
      ['credentials_type', record.credentialsType],
      ['credentials_id', record.credentialsId],
      ['credentials_value', record.credentialsValue],
      ['dialect', record.dialect],
      ['sealed', record.sealed],
      ['username', record.username],
      ['client_id', record.clientId],
      ['version', record.version],
    ]);
    return undefined;
  }

  #putApplication({ record, expectedVersion, names }: Of<'putApplication'>): Refused | undefined {
    const { id, tenantId } = record;
    const refused =
      this.#versionRefusal('SELECT version FROM application WHERE id = ?', id, expectedVersion) ??
      this.#referenceRefusal('SELECT 1 FROM tenant WHERE id = ?', tenantId) ??
      this.#claim(id, names);
    if (refused !== undefined) return refused;
    this.#write(expectedVersion === null, 'application', 'id', [
      ['id', id],
      ['created_time', record.createdTime],
      ['tenant_id', tenantId],
      ['name', record.name],
      ['name_key', record.name.toLowerCase()],
      ['dialect', record.dialect],
      ['enabled', record.enabled],
      ['username', record.username],
      ['sealed_credentials', record.sealedCredentials],
      ['configuration', jsonText(record.configuration)],
      ['version', record.version],
    ]);
    return undefined;
  }

  #deleteApplication({ id, expectedVersion }: Of<'deleteApplication'>): Refused | undefined {
    const refused = this.#versionRefusal('SELECT version FROM application WHERE id = ?', id, expectedVersion);
    if (refused !== undefined) return refused;
    this.#statements.run('DELETE FROM login_name WHERE principal_id = ?', [id]);
    this.#statements.run('DELETE FROM application WHERE id = ?', [id]);
    return undefined;
  }

  /** Gives a principal these names in place of its former ones. */
  #claim(principalId: string, names: readonly NameClaim[]): Refused | undefined {
    for (const claim of names) {
      const holder = this.#holder(principalId, claim);
      if (holder !== undefined) return { kind: 'name', claim, holder };
    }
    this.#statements.run('DELETE FROM login_name WHERE principal_id = ?', [principalId]);
    for (const { list, name, dialect, exclusive } of names) {
      this.#statements.run(
        'INSERT OR REPLACE INTO login_name (list, name, principal_id, dialect, exclusive) VALUES (?, ?, ?, ?, ?)',
        [list, name, principalId, dialect, exclusive],
      );
    }
    return undefined;
  }

  /** All holders of a name are of one dialect and one exclusive holder is alone, so any other one tells enough. */
  #holder(principalId: string, claim: NameClaim): DialectId | undefined {
    const other = this.#statements.get(
      'SELECT dialect, exclusive FROM login_name WHERE list = ? AND name = ? AND principal_id <> ? LIMIT 1',
      [claim.list, claim.name, principalId],
    );
    if (other === undefined) return undefined;
    const shared = other.dialect === claim.dialect && other.exclusive === 0 && !claim.exclusive;
    return shared ? undefined : String(other.dialect);
  }

  #has(sql: string, ...parameters: unknown[]): boolean {
    return this.#statements.get(sql, parameters) !== undefined;
  }

  #versionRefusal(sql: string, id: string, expected: number | null): Refused | undefined {
    const row = this.#statements.get(sql, [id]);
    if (expected === null) return row === undefined ? undefined : { kind: 'exists' };
    return row?.version === expected ? undefined : { kind: 'version' };
  }

  #referenceRefusal(sql: string, ...parameters: unknown[]): Refused | undefined {
    return this.#has(sql, ...parameters) ? undefined : { kind: 'reference' };
  }

  #uniqueRefusal(member: UniqueMember, sql: string, ...parameters: unknown[]): Refused | undefined {
    return this.#has(sql, ...parameters) ? { kind: 'unique', member } : undefined;
  }

  /** Inserts, or updates by key. Table and columns are constants of this file. */
  #write(create: boolean, table: string, key: string, columns: readonly (readonly [string, unknown])[]): void {
    if (create) {
      const names = columns.map(([name]) => name).join(', ');
      const marks = columns.map(() => '?').join(', ');
      this.#statements.run(
        `INSERT INTO ${table} (${names}) VALUES (${marks})`,
        columns.map(([, value]) => value),
      );
      return;
    }
    const changed = columns.filter(([name]) => name !== key);
    const keyValue = columns.find(([name]) => name === key)?.[1];
    this.#statements.run(`UPDATE ${table} SET ${changed.map(([name]) => `${name} = ?`).join(', ')} WHERE ${key} = ?`, [
      ...changed.map(([, value]) => value),
      keyValue,
    ]);
  }
}
