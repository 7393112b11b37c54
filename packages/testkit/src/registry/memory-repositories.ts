import { randomUUID } from 'node:crypto';
import type {
  ApplicationSort,
  Change,
  CommitOutcome,
  Conflict,
  Device,
  DeviceIdQuery,
  DeviceProfile,
  DeviceRecordQuery,
  DocumentCollection,
  DocumentQuery,
  EntityId,
  FleetRow,
  ListQuery,
  ProfileSort,
  RecordPage,
  Repositories,
  StoredApplication,
  StoredCredentials,
  StoredDevice,
  StoredDocument,
  StoredUser,
  Tenant,
  UserRecordQuery,
} from '@moorage/core';
import { MemoryDocuments } from './memory-documents.ts';
import { compareText, listPage } from './memory-list.ts';
import { MemoryNames } from './memory-names.ts';
import { MemoryTable, UndoLog, type Versioned } from './memory-table.ts';

type WithoutIndex<C> = C extends unknown ? Omit<C, 'change'> : never;
type Refused = WithoutIndex<Conflict>;

/** Reference implementation of the repositories, for tests: everything in memory, nothing durable. */
export class MemoryRepositories implements Repositories {
  readonly installationId = randomUUID();
  readonly #tenants = new MemoryTable<Tenant>([['tenantName', (row) => row.name]]);
  readonly #users = new MemoryTable<StoredUser>([['email', (row) => row.email]]);
  readonly #profiles = new MemoryTable<DeviceProfile>([
    ['profileName', (row) => `${row.tenantId}\n${row.name}`],
    ['defaultProfile', (row) => (row.isDefault ? row.tenantId : null)],
    ['provisionDeviceKey', (row) => row.provisionDeviceKey],
  ]);
  readonly #devices = new MemoryTable<StoredDevice>([['deviceName', (row) => `${row.tenantId}\n${row.name}`]]);
  readonly #credentials = new MemoryTable<StoredCredentials>([
    ['deviceCredentials', (row) => row.deviceId],
    ['credentialsId', (row) => row.credentialsId],
  ]);
  readonly #applications = new MemoryTable<StoredApplication>([]);
  readonly #documents = new MemoryDocuments();
  readonly #names = new MemoryNames();
  readonly #removals = new Map<EntityId, number>();
  readonly #settings = new Map<string, string>();
  /** What the next commits answer instead of being applied; for tests of a store in trouble. */
  readonly troubles: CommitOutcome[] = [];

  async commit(changes: readonly Change[]): Promise<CommitOutcome> {
    for (const change of changes) if ('collection' in change) this.#documents.check(change);
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return trouble;
    const undo = new UndoLog();
    for (const [index, change] of changes.entries()) {
      const refused = this.#apply(structuredClone(change), undo);
      if (refused === undefined) continue;
      undo.rollBack();
      return { ...refused, change: index };
    }
    return 'done';
  }

  async tenant(id: EntityId): Promise<Tenant | null> {
    return this.#tenants.get(id) ?? null;
  }

  async tenantByName(name: string): Promise<Tenant | null> {
    return this.#tenants.find('tenantName', name) ?? null;
  }

  async tenantDocuments(tenantId: EntityId): Promise<number> {
    return this.#documents.countOf(tenantId);
  }

  async user(id: EntityId): Promise<StoredUser | null> {
    return this.#users.get(id) ?? null;
  }

  async userByEmail(email: string): Promise<StoredUser | null> {
    return this.#users.find('email', email) ?? null;
  }

  async users(query: UserRecordQuery): Promise<RecordPage<StoredUser>> {
    const { customerId, authority } = query;
    const scoped = this.#users
      .all()
      .filter((row) => customerId === null || row.customerId === customerId)
      .filter((row) => authority === null || row.authority === authority);
    return listPage(
      scoped,
      query,
      (row) => [row.email, row.firstName, row.lastName],
      (row, member) => row[member] ?? '',
    );
  }

  async hasPassword(): Promise<boolean> {
    return this.#users.all().some((user) => user.passwordHash !== null);
  }

  async profile(id: EntityId): Promise<DeviceProfile | null> {
    return this.#profiles.get(id) ?? null;
  }

  async profileByName(tenantId: EntityId, name: string): Promise<DeviceProfile | null> {
    return this.#profiles.find('profileName', `${tenantId}\n${name}`) ?? null;
  }

  async defaultProfile(tenantId: EntityId): Promise<DeviceProfile | null> {
    return this.#profiles.find('defaultProfile', tenantId) ?? null;
  }

  async profileByProvisionKey(provisionDeviceKey: string): Promise<DeviceProfile | null> {
    return this.#profiles.find('provisionDeviceKey', provisionDeviceKey) ?? null;
  }

  async profiles(query: ListQuery<ProfileSort>): Promise<RecordPage<DeviceProfile>> {
    return listPage(
      this.#profiles.all(),
      query,
      (row) => [row.name],
      (row, member) => row[member],
    );
  }

  async device(id: EntityId): Promise<Device | null> {
    const row = this.#devices.get(id);
    return row === undefined ? null : this.#readable(row);
  }

  async deviceByName(tenantId: EntityId, name: string): Promise<Device | null> {
    const row = this.#devices.find('deviceName', `${tenantId}\n${name}`);
    return row === undefined ? null : this.#readable(row);
  }

  async devicesByIds(ids: readonly EntityId[]): Promise<readonly Device[]> {
    return [...new Set(ids)].flatMap((id) => {
      const row = this.#devices.get(id);
      return row === undefined ? [] : this.#readable(row);
    });
  }

  async devices(query: DeviceRecordQuery): Promise<RecordPage<Device>> {
    const { customerId, profileId } = query;
    const scoped = this.#devices
      .all()
      .filter((row) => customerId === null || row.customerId === customerId)
      .filter((row) => profileId === null || row.deviceProfileId === profileId)
      .map((row) => this.#readable(row));
    return listPage(
      scoped,
      query,
      (row) => [row.name, row.label],
      (row, member) => row[member] ?? '',
    );
  }

  async deviceIds(query: DeviceIdQuery): Promise<readonly EntityId[]> {
    const { after } = query;
    return this.#idsOf(query)
      .filter((id) => after === null || compareText(id, after) > 0)
      .slice(0, query.limit);
  }

  async deviceCount(query: Omit<DeviceIdQuery, 'after' | 'limit'>): Promise<number> {
    return this.#idsOf(query).length;
  }

  async packageInUse(packageId: EntityId): Promise<boolean> {
    return [...this.#devices.all(), ...this.#profiles.all()].some(
      (row) => row.firmwareId === packageId || row.softwareId === packageId,
    );
  }

  async document(collection: DocumentCollection, id: EntityId): Promise<StoredDocument | null> {
    return this.#documents.get(collection, id);
  }

  async documents(collection: DocumentCollection, query: DocumentQuery): Promise<RecordPage<StoredDocument>> {
    return this.#documents.page(collection, query);
  }

  async deviceTypes(tenantId: EntityId, customerId: EntityId | null): Promise<readonly string[]> {
    const types = new Set<string>();
    for (const row of this.#devices.all()) {
      if (row.tenantId === tenantId && (customerId === null || row.customerId === customerId)) {
        types.add(this.#readable(row).type);
      }
    }
    return [...types].sort(compareText);
  }

  async credentials(deviceId: EntityId): Promise<StoredCredentials | null> {
    return this.#credentials.find('deviceCredentials', deviceId) ?? null;
  }

  async application(id: EntityId): Promise<StoredApplication | null> {
    return this.#applications.get(id) ?? null;
  }

  async applications(query: ListQuery<ApplicationSort>): Promise<RecordPage<StoredApplication>> {
    return listPage(
      this.#applications.all(),
      query,
      (row) => [row.name],
      (row, member) => row[member],
    );
  }

  async removals(): Promise<readonly EntityId[]> {
    return [...this.#removals].sort(([, a], [, b]) => a - b).map(([owner]) => owner);
  }

  async setting(key: string): Promise<string | null> {
    return this.#settings.get(key) ?? null;
  }

  async fleet(after: EntityId | null, limit: number): Promise<readonly FleetRow[]> {
    const rows = [...this.#devices.all()].sort((a, b) => compareText(a.id, b.id));
    return rows
      .filter((row) => after === null || compareText(row.id, after) > 0)
      .slice(0, limit)
      .map((row): FleetRow => {
        const held = this.#credentials.find('deviceCredentials', row.id);
        return {
          deviceId: row.id,
          tenantId: row.tenantId,
          customerId: row.customerId,
          name: row.name,
          profileId: row.deviceProfileId,
          gateway: row.additionalInfo?.gateway === true,
          credentialsType: held?.credentialsType ?? null,
          credentialsId: held?.credentialsId ?? null,
          username: held?.username ?? null,
          clientId: held?.clientId ?? null,
          sealedValue: held?.sealed === true ? held.credentialsValue : null,
        };
      });
  }

  #idsOf({ tenantId, profileId, customerId, withoutPackage }: Omit<DeviceIdQuery, 'after' | 'limit'>): EntityId[] {
    const found = this.#devices
      .all()
      .filter((row) => row.tenantId === tenantId)
      .filter((row) => profileId === null || row.deviceProfileId === profileId)
      .filter((row) => customerId === null || row.customerId === customerId)
      .filter((row) => withoutPackage !== 'FIRMWARE' || row.firmwareId === null)
      .filter((row) => withoutPackage !== 'SOFTWARE' || row.softwareId === null);
    return found.map((row) => row.id).sort(compareText);
  }

  #readable(row: StoredDevice): Device {
    return {
      ...row,
      type: this.#profiles.get(row.deviceProfileId)?.name ?? '',
      dialect: this.#credentials.find('deviceCredentials', row.id)?.dialect ?? '',
    };
  }

  #apply(change: Change, undo: UndoLog): Refused | undefined {
    switch (change.kind) {
      case 'putTenant':
        return put(this.#tenants, change.record, null, undefined, undo);
      case 'renameTenant': {
        const record = this.#tenants.get(change.id);
        if (record === undefined) return { kind: 'version' };
        const renamed = { ...record, name: change.name };
        if (this.#tenants.taken(renamed) !== undefined) return { kind: 'unique', member: 'tenantName' };
        this.#tenants.put(renamed, undo);
        return undefined;
      }
      case 'deleteTenant':
        return this.#deleteTenant(change.id, undo);
      case 'deleteTenantDocuments':
        this.#documents.deleteOf(change.tenantId, change.limit, undo);
        return undefined;
      case 'putUser':
        return put(this.#users, change.record, change.expectedVersion, undefined, undo);
      case 'deleteUser':
        if (change.expectedVersion !== null && this.#users.get(change.id)?.version !== change.expectedVersion) {
          return { kind: 'version' };
        }
        this.#users.delete(change.id, undo);
        return undefined;
      case 'putDocument':
      case 'deleteDocument':
      case 'deleteDocuments':
        return this.#documents.apply(change, undo);
      case 'putProfile': {
        const known = this.#tenants.get(change.record.tenantId) !== undefined;
        return put(this.#profiles, change.record, change.expectedVersion, known, undo);
      }
      case 'deleteProfile': {
        if (this.#profiles.get(change.id)?.version !== change.expectedVersion) return { kind: 'version' };
        if (this.#devices.all().some((row) => row.deviceProfileId === change.id)) return { kind: 'inUse' };
        this.#profiles.delete(change.id, undo);
        return undefined;
      }
      case 'putDevice': {
        const profile = this.#profiles.get(change.record.deviceProfileId);
        const known = profile?.tenantId === change.record.tenantId;
        return put(this.#devices, change.record, change.expectedVersion, known, undo);
      }
      case 'deleteDevice':
        return this.#deleteDevice(change, undo);
      case 'putCredentials':
      case 'putApplication':
        return this.#putNamed(change, undo);
      case 'deleteApplication': {
        if (this.#applications.get(change.id)?.version !== change.expectedVersion) return { kind: 'version' };
        this.#applications.delete(change.id, undo);
        this.#names.replace(change.id, [], undo);
        return undefined;
      }
      case 'deleteRemoval':
        setWithUndo(this.#removals, change.ownerId, undefined, undo);
        return undefined;
      case 'putSetting':
        setWithUndo(this.#settings, change.key, change.value, undo);
        return undefined;
    }
  }

  #deleteTenant(id: EntityId, undo: UndoLog): Refused | undefined {
    if (this.#tenants.get(id) === undefined) return { kind: 'version' };
    const rows: readonly { readonly tenantId: EntityId }[] = [
      ...this.#users.all(),
      ...this.#profiles.all(),
      ...this.#devices.all(),
      ...this.#applications.all(),
    ];
    if (rows.some(({ tenantId }) => tenantId === id) || this.#documents.countOf(id) > 0) return { kind: 'inUse' };
    this.#tenants.delete(id, undo);
    return undefined;
  }

  #putNamed(
    change: Extract<Change, { kind: 'putCredentials' | 'putApplication' }>,
    undo: UndoLog,
  ): Refused | undefined {
    const refused =
      change.kind === 'putCredentials'
        ? put(
            this.#credentials,
            change.record,
            change.expectedVersion,
            this.#devices.get(change.record.deviceId) !== undefined,
            undo,
          )
        : put(
            this.#applications,
            change.record,
            change.expectedVersion,
            this.#tenants.get(change.record.tenantId) !== undefined,
            undo,
          );
    if (refused !== undefined) return refused;
    const taken = this.#names.taken(change.record.id, change.names);
    if (taken !== undefined) return { kind: 'name', ...taken };
    this.#names.replace(change.record.id, change.names, undo);
    return undefined;
  }

  #deleteDevice(change: Extract<Change, { kind: 'deleteDevice' }>, undo: UndoLog): Refused | undefined {
    if (this.#devices.get(change.id)?.version !== change.expectedVersion) return { kind: 'version' };
    const held = this.#credentials.find('deviceCredentials', change.id);
    if (held !== undefined) {
      this.#credentials.delete(held.id, undo);
      this.#names.replace(held.id, [], undo);
    }
    this.#devices.delete(change.id, undo);
    setWithUndo(this.#removals, change.id, change.time, undo);
    return undefined;
  }
}

/** `known`: the records that this one refers to exist; undefined: it refers to none. */
function put<R extends Versioned>(
  table: MemoryTable<R>,
  record: R,
  expectedVersion: number | null,
  known: boolean | undefined,
  undo: UndoLog,
): Refused | undefined {
  const stored = table.get(record.id);
  if (expectedVersion === null && stored !== undefined) return { kind: 'exists' };
  if (expectedVersion !== null && stored?.version !== expectedVersion) return { kind: 'version' };
  if (known === false) return { kind: 'reference' };
  const member = table.taken(record);
  if (member !== undefined) return { kind: 'unique', member };
  table.put(record, undo);
  return undefined;
}

function setWithUndo<V>(map: Map<string, V>, key: string, value: V | undefined, undo: UndoLog): void {
  const before = map.get(key);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  undo.add(() => (before === undefined ? map.delete(key) : map.set(key, before)));
}
