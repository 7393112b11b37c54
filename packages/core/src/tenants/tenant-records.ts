import type { EntityId, Tenant } from '../model/entities.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { TenantDetails } from './tenant.ts';
import { plainDetails, TENANTS, tenantOf, tenantRecord } from './tenant-collection.ts';

/** The stored tenants: every change of one goes through here, so that the number of them is known. */
export class TenantRecords {
  readonly #repositories: Repositories;
  #count = 0;

  private constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  /** Files of an earlier version have the tenant `default` alone, and no record of it. */
  static async open(repositories: Repositories, defaultTenant: Tenant): Promise<TenantRecords> {
    const records = new TenantRecords(repositories);
    if ((await repositories.document(TENANTS, defaultTenant.id)) === null) {
      const record = tenantRecord(plainDetails(defaultTenant));
      await repositories.commit([{ kind: 'putDocument', collection: TENANTS, record, expectedVersion: null }]);
    }
    await records.#recount();
    return records;
  }

  /** null: there is none, or it is being removed. */
  async get(id: EntityId): Promise<TenantDetails | null> {
    return tenantOf(await this.#repositories.document(TENANTS, id));
  }

  count(): number {
    return this.#count;
  }

  async commit(changes: readonly Change[]): Promise<CommitOutcome> {
    const outcome = await this.#repositories.commit(changes);
    if (outcome === 'done') await this.#recount();
    return outcome;
  }

  async #recount(): Promise<void> {
    const { total } = await this.#repositories.documents(TENANTS, {
      tenantId: null,
      conditions: [{ member: 'listed', is: '=', value: true }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 0,
    });
    this.#count = total;
  }
}
