import { Worker } from 'node:worker_threads';
import {
  type ApplicationSort,
  type Change,
  type CommitOutcome,
  checkDocumentChange,
  checkDocumentQuery,
  DeclaredCollections,
  type Device,
  type DeviceIdQuery,
  type DeviceProfile,
  type DeviceRecordQuery,
  type DocumentCollection,
  type DocumentQuery,
  type EntityId,
  type FleetRow,
  type ListQuery,
  type ProfileSort,
  type RecordPage,
  type Repositories,
  type StoredApplication,
  type StoredCredentials,
  type StoredDocument,
  type StoredUser,
  type Tenant,
  type UserRecordQuery,
} from '@moorage/core';
import { StoreError } from '../sqlite/store-error.ts';
import { workerFile } from '../sqlite/worker-file.ts';
import type { RegistryDatabase } from './registry-database.ts';
import type { ReadOperation, RegistryReply, RegistryRequest, RegistryThreadOptions } from './registry-messages.ts';

export interface SqliteRepositoriesOptions {
  /** File path, usually `core.sqlite` in the data folder; created with mode 0600. */
  readonly path: string;
  /** `normal` may lose the last commits at power loss. Default `full`. */
  readonly durability?: 'full' | 'normal';
  /** Told of errors in the thread that no caller caused. */
  readonly report: (error: Error) => void;
}

interface PendingRead {
  readonly resolve: (result: never) => void;
  readonly reject: (error: StoreError) => void;
}

/** The registry in one SQLite file with one thread, which alone reads and writes it. storage.md, section 7 */
export class SqliteRepositories implements Repositories {
  readonly installationId: string;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #declared = new DeclaredCollections();
  readonly #reads = new Map<number, PendingRead>();
  readonly #commits = new Map<number, (outcome: CommitOutcome) => void>();
  readonly #report: (error: Error) => void;
  #calls = 0;
  #stopped = false;

  private constructor(worker: Worker, installationId: string, report: (error: Error) => void) {
    this.#worker = worker;
    this.installationId = installationId;
    this.#report = report;
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#stop();
        resolve();
      });
    });
    worker.on('message', (reply: RegistryReply) => this.#receive(reply));
    worker.on('error', (error: Error) => report(error));
  }

  /** Opens or creates the file. Rejects with `StoreError` when it cannot be used. */
  static async open(options: SqliteRepositoriesOptions): Promise<SqliteRepositories> {
    const workerData: RegistryThreadOptions = { path: options.path, durability: options.durability ?? 'full' };
    const worker = new Worker(workerFile(import.meta.url, 'registry-thread'), { workerData });
    const first = await firstReply(worker);
    if (first.kind === 'opened') return new SqliteRepositories(worker, first.installationId, options.report);
    await worker.terminate();
    const message = first.kind === 'refused' ? first.message : `Unexpected reply ${first.kind}`;
    const code = first.kind === 'refused' && first.code !== null ? first.code : 'worker-stopped';
    throw new StoreError(code, `${options.path}: ${message}`);
  }

  /** Applies what waits, closes the file and ends the thread. Later calls fail. */
  async close(): Promise<void> {
    if (!this.#stopped) this.#post({ kind: 'close' });
    await this.#exited;
  }

  /** Ends the thread at once, as a crash would; for tests. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }

  async commit(changes: readonly Change[]): Promise<CommitOutcome> {
    for (const change of changes) {
      if (!('collection' in change)) continue;
      this.#declared.check(change.collection);
      checkDocumentChange(change);
    }
    if (this.#stopped) return 'failed';
    const call = this.#calls++;
    return new Promise((resolve) => {
      this.#commits.set(call, resolve);
      this.#post({ kind: 'commit', call, changes });
    });
  }

  tenant(id: EntityId): Promise<Tenant | null> {
    return this.#read('tenant', [id]);
  }

  tenantByName(name: string): Promise<Tenant | null> {
    return this.#read('tenantByName', [name]);
  }

  tenantDocuments(tenantId: EntityId): Promise<number> {
    return this.#read('tenantDocuments', [tenantId]);
  }

  user(id: EntityId): Promise<StoredUser | null> {
    return this.#read('user', [id]);
  }

  userByEmail(email: string): Promise<StoredUser | null> {
    return this.#read('userByEmail', [email]);
  }

  users(query: UserRecordQuery): Promise<RecordPage<StoredUser>> {
    return this.#read('users', [query]);
  }

  hasPassword(): Promise<boolean> {
    return this.#read('hasPassword', []);
  }

  profile(id: EntityId): Promise<DeviceProfile | null> {
    return this.#read('profile', [id]);
  }

  profileByName(tenantId: EntityId, name: string): Promise<DeviceProfile | null> {
    return this.#read('profileByName', [tenantId, name]);
  }

  defaultProfile(tenantId: EntityId): Promise<DeviceProfile | null> {
    return this.#read('defaultProfile', [tenantId]);
  }

  profileByProvisionKey(provisionDeviceKey: string): Promise<DeviceProfile | null> {
    return this.#read('profileByProvisionKey', [provisionDeviceKey]);
  }

  profiles(query: ListQuery<ProfileSort>): Promise<RecordPage<DeviceProfile>> {
    return this.#read('profiles', [query]);
  }

  device(id: EntityId): Promise<Device | null> {
    return this.#read('device', [id]);
  }

  deviceByName(tenantId: EntityId, name: string): Promise<Device | null> {
    return this.#read('deviceByName', [tenantId, name]);
  }

  devicesByIds(ids: readonly EntityId[]): Promise<readonly Device[]> {
    return this.#read('devicesByIds', [ids]);
  }

  devices(query: DeviceRecordQuery): Promise<RecordPage<Device>> {
    return this.#read('devices', [query]);
  }

  deviceIds(query: DeviceIdQuery): Promise<readonly EntityId[]> {
    return this.#read('deviceIds', [query]);
  }

  deviceCount(query: Omit<DeviceIdQuery, 'after' | 'limit'>): Promise<number> {
    return this.#read('deviceCount', [query]);
  }

  packageInUse(packageId: EntityId): Promise<boolean> {
    return this.#read('packageInUse', [packageId]);
  }

  async document(collection: DocumentCollection, id: EntityId): Promise<StoredDocument | null> {
    this.#declared.check(collection);
    return this.#read('document', [collection, id]);
  }

  async documents(collection: DocumentCollection, query: DocumentQuery): Promise<RecordPage<StoredDocument>> {
    this.#declared.check(collection);
    checkDocumentQuery(collection, query);
    return this.#read('documents', [collection, query]);
  }

  deviceTypes(tenantId: EntityId, customerId: EntityId | null): Promise<readonly string[]> {
    return this.#read('deviceTypes', [tenantId, customerId]);
  }

  credentials(deviceId: EntityId): Promise<StoredCredentials | null> {
    return this.#read('credentials', [deviceId]);
  }

  application(id: EntityId): Promise<StoredApplication | null> {
    return this.#read('application', [id]);
  }

  applications(query: ListQuery<ApplicationSort>): Promise<RecordPage<StoredApplication>> {
    return this.#read('applications', [query]);
  }

  removals(): Promise<readonly EntityId[]> {
    return this.#read('removals', []);
  }

  setting(key: string): Promise<string | null> {
    return this.#read('setting', [key]);
  }

  fleet(after: EntityId | null, limit: number): Promise<readonly FleetRow[]> {
    return this.#read('fleet', [after, limit]);
  }

  #read<K extends ReadOperation>(
    operation: K,
    parameters: Parameters<RegistryDatabase[K]>,
  ): Promise<ReturnType<RegistryDatabase[K]>> {
    if (this.#stopped) return Promise.reject(stoppedError());
    const call = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#reads.set(call, { resolve, reject });
      this.#post({ kind: 'read', call, operation, arguments: parameters });
    });
  }

  #post(request: RegistryRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(reply: RegistryReply): void {
    switch (reply.kind) {
      case 'result': {
        const pending = this.#reads.get(reply.call);
        this.#reads.delete(reply.call);
        // The thread ran the method of this name, so the result has the type the caller waits for.
        pending?.resolve(reply.result as never);
        return;
      }
      case 'failure': {
        const pending = this.#reads.get(reply.call);
        this.#reads.delete(reply.call);
        pending?.reject(new StoreError('corrupt-record', reply.message));
        return;
      }
      case 'outcomes':
        for (const [call, outcome] of reply.outcomes) {
          const resolve = this.#commits.get(call);
          this.#commits.delete(call);
          resolve?.(outcome);
        }
        return;
      case 'opened':
      case 'refused':
        return;
      case 'unforeseen':
        this.#report(new StoreError('corrupt-record', reply.message));
    }
  }

  /** What the thread had not answered when it ended may or may not have been applied. */
  #stop(): void {
    this.#stopped = true;
    for (const pending of this.#reads.values()) pending.reject(stoppedError());
    for (const resolve of this.#commits.values()) resolve('failed');
    this.#reads.clear();
    this.#commits.clear();
  }
}

function stoppedError(): StoreError {
  return new StoreError('worker-stopped', 'The registry thread has ended');
}

/** Takes its own listeners away again and no others: a worker has inner ones that messages depend on. */
function firstReply(worker: Worker): Promise<RegistryReply> {
  return new Promise((resolve, reject) => {
    const received = (reply: RegistryReply): void => {
      worker.off('error', failed);
      resolve(reply);
    };
    const failed = (error: Error): void => {
      worker.off('message', received);
      reject(error);
    };
    worker.once('message', received);
    worker.once('error', failed);
  });
}
