import type { UserRecords } from '../accounts/user-records.ts';
import { CUSTOMERS } from '../customers/customer-collection.ts';
import type { Result } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { ApplicationService, DeviceService } from '../platform.ts';
import { platformCaller } from '../registry/authorize.ts';
import type { RegistryContext } from '../registry/registry-context.ts';
import { TENANTS } from './tenant-collection.ts';
import type { TenantContents } from './tenant-contents.ts';
import type { TenantRecords } from './tenant-records.ts';

/** Entities removed side by side, and documents removed in one commit. */
const SLICE = 200;
const DOCUMENT_SLICE = 1000;
/** Rounds over a tenant in which something may still have come in. */
const MAX_ROUNDS = 10;

export interface TenantRemovalsParts {
  readonly records: TenantRecords;
  readonly users: UserRecords;
  readonly devices: Pick<DeviceService, 'remove'>;
  readonly applications: Pick<ApplicationService, 'remove'>;
  readonly report: (error: unknown) => void;
}

/** The removal stopped, as the server does or as the store cannot be written; it goes on at the next start. */
class Interrupted extends Error {
  constructor(reason: string) {
    super(`The removal of a tenant was interrupted: ${reason}`);
    this.name = 'Interrupted';
  }
}

/**
 * Takes removed tenants apart in slices: first their users, so that nobody acts for them any more, then applications and
 * devices, which cuts their connections, then profiles, what other parts keep, and every document. The mark goes last, so
 * that what was interrupted is taken up at the next start.
 */
export class TenantRemovals {
  readonly #context: RegistryContext;
  readonly #parts: TenantRemovalsParts;
  readonly #contents = new Set<TenantContents>();
  readonly #running = new Map<EntityId, Promise<void>>();
  #stopping = false;

  constructor(context: RegistryContext, parts: TenantRemovalsParts) {
    this.#context = context;
    this.#parts = parts;
  }

  addContents(contents: TenantContents): void {
    this.#contents.add(contents);
  }

  /** Resolves when the tenant has no users any more; the rest goes in the background. Never rejects. */
  async begin(tenantId: EntityId): Promise<void> {
    try {
      await this.#removeUsers(tenantId);
    } catch (error) {
      this.#parts.report(error);
    }
    void this.#run(tenantId);
  }

  /** Takes up every tenant that is marked; resolves when all have been tried. */
  async finish(): Promise<void> {
    this.#stopping = false;
    const { records } = await this.#context.repositories.documents(TENANTS, {
      tenantId: null,
      conditions: [{ member: 'removing', is: '=', value: true }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: SLICE,
    });
    for (const { id } of records) await this.#run(id);
  }

  /** Stops after the slice at work; resolves when nothing is under way. */
  async settled(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running.values());
  }

  #run(tenantId: EntityId): Promise<void> {
    const known = this.#running.get(tenantId);
    if (known !== undefined) return known;
    const task = this.#takeApart(tenantId)
      .catch((error: unknown) => {
        if (!(error instanceof Interrupted && this.#stopping)) this.#parts.report(error);
      })
      .finally(() => this.#running.delete(tenantId));
    this.#running.set(tenantId, task);
    return task;
  }

  async #takeApart(tenantId: EntityId): Promise<void> {
    const { records } = this.#parts;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      await this.#closeProvisioning(tenantId);
      await this.#removeUsers(tenantId);
      await this.#removeApplications(tenantId);
      await this.#removeDevices(tenantId);
      await this.#removeProfiles(tenantId);
      for (const contents of this.#contents) await contents.removeOf(tenantId);
      await this.#removeDocuments(tenantId);
      this.#check();
      const outcome = await records.commit([
        { kind: 'deleteTenant', id: tenantId },
        { kind: 'deleteDocument', collection: TENANTS, id: tenantId, expectedVersion: null },
      ]);
      if (outcome === 'done') return;
      // Something came in between, as by a request that was under way.
      if (typeof outcome === 'string' || outcome.kind !== 'inUse') break;
    }
    throw new Interrupted('it could not be deleted');
  }

  /** No device comes in any more; entered again at a start, so this comes first then too. */
  async #closeProvisioning(tenantId: EntityId): Promise<void> {
    for (const profile of await this.#profiles(tenantId)) this.#context.provisioningProfiles.remove(profile.id);
  }

  async #removeUsers(tenantId: EntityId): Promise<void> {
    const query = { tenantId, customerId: null, authority: null, textSearch: null, sort: 'id' } as const;
    await this.#untilNone(
      async () =>
        (await this.#context.repositories.users({ ...query, descending: false, offset: 0, limit: SLICE })).records,
      ({ id }) => this.#parts.users.remove(id),
    );
  }

  async #removeApplications(tenantId: EntityId): Promise<void> {
    const query = { tenantId, offset: 0, limit: SLICE, textSearch: null, sort: 'id', descending: false } as const;
    await this.#untilNone(
      async () => (await this.#context.repositories.applications(query)).records,
      ({ id }) => this.#parts.applications.remove(platformCaller(tenantId), id),
    );
  }

  async #removeDevices(tenantId: EntityId): Promise<void> {
    const scope = { tenantId, profileId: null, customerId: null, withoutPackage: null, after: null, limit: SLICE };
    await this.#untilNone(
      () => this.#context.repositories.deviceIds(scope),
      (id) => this.#parts.devices.remove(platformCaller(tenantId), id),
    );
  }

  /** The default profile too, which no use case deletes. */
  async #removeProfiles(tenantId: EntityId): Promise<void> {
    const { repositories, index, provisioningProfiles, listeners } = this.#context;
    await this.#untilNone(
      () => this.#profiles(tenantId),
      async ({ id, version }) => {
        const outcome = await repositories.commit([{ kind: 'deleteProfile', id, expectedVersion: version }]);
        if (outcome !== 'done') return { ok: false };
        index.removeSettings(id);
        provisioningProfiles.remove(id);
        listeners.profileChanged(id);
        return { ok: true };
      },
    );
  }

  async #removeDocuments(tenantId: EntityId): Promise<void> {
    const { repositories, customers } = this.#context;
    const window = { offset: 0, limit: DOCUMENT_SLICE, textSearch: null, sort: 'id', descending: false };
    const known = await repositories.documents(CUSTOMERS, { ...window, tenantId, conditions: [] });
    while ((await repositories.tenantDocuments(tenantId)) > 0) {
      this.#check();
      const outcome = await repositories.commit([{ kind: 'deleteTenantDocuments', tenantId, limit: DOCUMENT_SLICE }]);
      if (outcome !== 'done') throw new Interrupted('the store was not written');
    }
    for (const { id } of known.records) customers.forget(id);
  }

  async #profiles(tenantId: EntityId) {
    const query = { tenantId, offset: 0, limit: SLICE, textSearch: null, sort: 'id', descending: false } as const;
    return (await this.#context.repositories.profiles(query)).records;
  }

  /** Removes slice after slice; each must have made some go. */
  async #untilNone<T>(
    read: () => Promise<readonly T[]>,
    remove: (one: T) => Promise<Result<null> | { readonly ok: boolean }>,
  ): Promise<void> {
    for (let found = await read(); found.length > 0; found = await read()) {
      this.#check();
      const removed = await Promise.all(found.map(remove));
      if (!removed.some(({ ok }) => ok)) throw new Interrupted('nothing of it could be removed');
    }
  }

  #check(): void {
    if (this.#stopping) throw new Interrupted('the server stops');
  }
}
