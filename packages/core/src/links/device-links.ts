import { type Result, refuse, success } from '../errors.ts';
import type { DeviceRef } from '../model/connect-registry.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery, RegistryListener } from '../platform.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import type { TenantContents } from '../tenants/tenant-contents.ts';
import type { DeviceLink, DeviceLinkInput, DeviceLinkService, StoredLink } from './link.ts';
import { DEVICE_LINKS, linkDocument, linkOf } from './link-collection.ts';
import type { LinkEngine } from './link-engine.ts';
import type { LinkIndex } from './link-index.ts';
import { inputProblem, MAX_LINKS_OF_TENANT } from './link-rules.ts';

/** Documents read, or deleted, at once. */
const SLICE = 500;

export interface DeviceLinksOptions {
  readonly repositories: Pick<Repositories, 'documents' | 'commit'>;
  /** Shared with the engine; filled by `start`. */
  readonly index: LinkIndex;
  readonly engine: Pick<LinkEngine, 'resultOf' | 'forget'>;
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly locks: Pick<EntityLocks, 'run'>;
  /** Told of what failed in the background; links of deleted devices that stay are removed at the next start. */
  readonly report: (error: unknown) => void;
}

/** The device links of all tenants. api-additions.md, 3 */
export class DeviceLinks implements DeviceLinkService, TenantContents, Pick<RegistryListener, 'revoked'> {
  readonly #options: DeviceLinksOptions;
  readonly #tasks = new Set<Promise<void>>();

  constructor(options: DeviceLinksOptions) {
    this.#options = options;
  }

  /** Loads every link; those whose devices are gone are deleted. */
  async start(): Promise<void> {
    const { repositories, index, deviceRef } = this.#options;
    const orphans: EntityId[] = [];
    for (let offset = 0; ; offset += SLICE) {
      const window = { offset, limit: SLICE, textSearch: null, sort: 'id', descending: false };
      const { records } = await repositories.documents(DEVICE_LINKS, { ...window, tenantId: null, conditions: [] });
      for (const record of records) {
        const link = linkOf(record);
        if (link === null) continue;
        const ends = [link.source.deviceId, link.target.deviceId];
        if (ends.every((id) => deviceRef(id) !== undefined)) index.put(link);
        else orphans.push(link.id);
      }
      if (records.length < SLICE) break;
    }
    await this.#deleteDocuments(orphans);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async save(caller: Caller, input: DeviceLinkInput): Promise<Result<DeviceLink>> {
    const refusal = authorizeRole(caller, input.id === null ? 'create' : 'write', 'link') ?? inputProblem(input);
    if (refusal !== null) return refusal;
    const { id } = input;
    return this.#lock(caller.tenantId, () =>
      id === null ? this.#create(caller, input) : this.#update(caller, id, input),
    );
  }

  async get(caller: Caller, id: EntityId): Promise<Result<DeviceLink>> {
    const found = this.#find(caller, id, 'read');
    return found.ok ? success(this.#shown(found.value)) : found;
  }

  async list(caller: Caller, query: PageQuery): Promise<Result<Page<DeviceLink>>> {
    const role = authorizeRole(caller, 'read', 'link');
    if (role !== null) return role;
    const window = pageWindow(query, ['createdTime', 'name']);
    if (!window.ok) return window;
    const { tenantId } = caller;
    const found = await this.#options.repositories.documents(DEVICE_LINKS, {
      ...window.value,
      tenantId,
      conditions: [],
    });
    const links = { records: found.records.flatMap((record) => linkOf(record) ?? []), total: found.total };
    return success(toPage(window.value, links, (link) => this.#shown(link)));
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#lock(caller.tenantId, async () => {
      const found = this.#find(caller, id, 'delete');
      if (!found.ok) return found;
      const outcome = await this.#options.repositories.commit([
        { kind: 'deleteDocument', collection: DEVICE_LINKS, id, expectedVersion: null },
      ]);
      if (outcome !== 'done') return commitRefusal(outcome);
      this.#forget(id);
      return success(null);
    });
  }

  /** The links of a deleted device go with it: at once from memory, in the background from the store. */
  revoked(principalId: EntityId, reason: Parameters<RegistryListener['revoked']>[1]): void {
    if (reason !== 'deleted') return;
    const ids = this.#options.index.ofDevice(principalId);
    if (ids.length === 0) return;
    for (const id of ids) this.#forget(id);
    const task = this.#deleteDocuments(ids)
      .catch(this.#options.report)
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** The documents go with those of the tenant. */
  async removeOf(tenantId: EntityId): Promise<void> {
    for (const id of this.#options.index.ofTenant(tenantId)) this.#forget(id);
  }

  async #create(caller: Caller, input: DeviceLinkInput): Promise<Result<DeviceLink>> {
    const { crypto, clock, index } = this.#options;
    if (index.countOf(caller.tenantId) >= MAX_LINKS_OF_TENANT) {
      return refuse('limitExceeded', `A tenant may have ${MAX_LINKS_OF_TENANT} links`);
    }
    return this.#put(
      linkFrom(input, { id: crypto.uuid(), createdTime: clock.now(), tenantId: caller.tenantId, version: 1 }),
      null,
    );
  }

  async #update(caller: Caller, id: EntityId, input: DeviceLinkInput): Promise<Result<DeviceLink>> {
    const found = this.#find(caller, id, 'write');
    if (!found.ok) return found;
    const { version } = found.value;
    if (input.version !== null && input.version !== version) return refuse('versionConflict');
    return this.#put(linkFrom(input, { ...found.value, version: version + 1 }), version);
  }

  async #put(link: StoredLink, expectedVersion: number | null): Promise<Result<DeviceLink>> {
    const before = this.#missingDevice(link);
    if (before !== null) return deviceNotFound(before);
    const change: Change = {
      kind: 'putDocument',
      collection: DEVICE_LINKS,
      record: linkDocument(link),
      expectedVersion,
    };
    const outcome = await this.#options.repositories.commit([change]);
    if (outcome !== 'done') return commitRefusal(outcome);
    // One of them may have been deleted while the link was being written.
    const after = this.#missingDevice(link);
    if (after !== null) {
      this.#forget(link.id);
      await this.#deleteDocuments([link.id]);
      return deviceNotFound(after);
    }
    this.#options.index.put(link);
    return success(this.#shown(link));
  }

  /** The end of the link that is no device of its tenant; null: both are. */
  #missingDevice({ tenantId, source, target }: StoredLink): EntityId | null {
    const ids = [source.deviceId, target.deviceId];
    return ids.find((id) => this.#options.deviceRef(id)?.tenantId !== tenantId) ?? null;
  }

  #find(caller: Caller, id: EntityId, operation: Operation): Result<StoredLink> {
    const role = authorizeRole(caller, operation, 'link');
    if (role !== null) return role;
    const link = this.#options.index.get(id);
    if (link === undefined) return refuse('notFound', `Device link with id [${id}] is not found`);
    return authorize(caller, operation, 'link', link) ?? success(link);
  }

  #shown(link: StoredLink): DeviceLink {
    const result = this.#options.engine.resultOf(link.id);
    return { ...link, lastOutcome: result?.outcome ?? null, lastTime: result?.time ?? null };
  }

  #forget(id: EntityId): void {
    this.#options.index.remove(id);
    this.#options.engine.forget(id);
  }

  async #deleteDocuments(ids: readonly EntityId[]): Promise<void> {
    for (let start = 0; start < ids.length; start += SLICE) {
      const changes = ids.slice(start, start + SLICE).map((id): Change => {
        return { kind: 'deleteDocument', collection: DEVICE_LINKS, id, expectedVersion: null };
      });
      const outcome = await this.#options.repositories.commit(changes);
      if (outcome !== 'done') this.#options.report(new LinksNotDeleted());
    }
  }

  /** Changes of a tenant's links follow one another, so that they can be counted. */
  #lock<T>(tenantId: EntityId, task: () => Promise<Result<T>>): Promise<Result<T>> {
    return this.#options.locks.run(`device links of ${tenantId}`, task);
  }
}

/** The store did not take a deletion; it is made up for at the next start. */
class LinksNotDeleted extends Error {
  constructor() {
    super('Links of a deleted device could not be deleted');
    this.name = 'LinksNotDeleted';
  }
}

function linkFrom(
  { name, enabled, source, target, map }: DeviceLinkInput,
  record: Pick<StoredLink, 'id' | 'createdTime' | 'tenantId' | 'version'>,
): StoredLink {
  const { id, createdTime, tenantId, version } = record;
  return { id, createdTime, tenantId, version, name, enabled, source, target, map };
}

function deviceNotFound(id: EntityId) {
  return refuse('notFound', `Device with id [${id}] is not found`);
}
