import type { EntityId } from '../model/entities.ts';
import type { Caller, CustomerService } from '../platform.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import { platformCaller } from '../registry/authorize.ts';
import { countDocuments, inSlices } from '../relations/document-pages.ts';
import {
  type Assignment,
  assignmentDocument,
  assignmentOf,
  DASHBOARD_ASSIGNMENTS,
  type DashboardRecord,
  pairOf,
} from './dashboard-collections.ts';
import type { AssignedCustomer } from './dashboard-service.ts';

/** Customers that may see one dashboard. */
export const MAX_CUSTOMERS = 10_000;
/** Assignments that one page of a list may have in all. */
const MAX_ASSIGNMENTS_OF_PAGE = 100_000;
const ID_SLICE = 1000;

/** Who sees which dashboard. */
export class DashboardCustomers {
  readonly #repositories: Pick<Repositories, 'documents'>;
  readonly #customers: Pick<CustomerService, 'get'>;
  readonly #crypto: Pick<Crypto, 'uuid'>;

  constructor(
    repositories: Pick<Repositories, 'documents'>,
    customers: Pick<CustomerService, 'get'>,
    crypto: Pick<Crypto, 'uuid'>,
  ) {
    this.#repositories = repositories;
    this.#customers = customers;
    this.#crypto = crypto;
  }

  async isAssigned(tenantId: EntityId, dashboardId: EntityId, customerId: EntityId): Promise<boolean> {
    const conditions = [{ member: 'pair', is: '=' as const, value: pairOf(dashboardId, customerId) }];
    return (await countDocuments(this.#repositories, DASHBOARD_ASSIGNMENTS, { tenantId, conditions })) > 0;
  }

  /** All assignments of one dashboard. */
  async of({ id, tenantId }: Pick<DashboardRecord, 'id' | 'tenantId'>): Promise<readonly Assignment[]> {
    return (await this.#read(tenantId, [id], MAX_CUSTOMERS)) ?? [];
  }

  /**
   * The customers of each dashboard that the caller may know of, by dashboard; null: too many for one answer. Customers
   * that are gone are left out.
   */
  async shown(
    caller: Caller,
    dashboards: readonly DashboardRecord[],
  ): Promise<ReadonlyMap<EntityId, readonly AssignedCustomer[]> | null> {
    const { tenantId, customerId } = caller;
    const assignments =
      caller.authority === 'CUSTOMER_USER'
        ? dashboards.map(({ id }) => ({ dashboardId: id, customerId }))
        : await this.#read(
            tenantId,
            dashboards.map(({ id }) => id),
            MAX_ASSIGNMENTS_OF_PAGE,
          );
    if (assignments === null) return null;
    const named = await this.#named(tenantId, [...new Set(assignments.map((one) => one.customerId))]);
    const shown = new Map<EntityId, AssignedCustomer[]>();
    for (const assignment of assignments) {
      const customer = named.get(assignment.customerId);
      if (customer === undefined) continue;
      const list = shown.get(assignment.dashboardId);
      if (list === undefined) shown.set(assignment.dashboardId, [customer]);
      else list.push(customer);
    }
    for (const list of shown.values()) list.sort(byTitle);
    return shown;
  }

  /** The first of these customers that does not exist; null: all do. */
  async missing(tenantId: EntityId, customerIds: readonly EntityId[]): Promise<EntityId | null> {
    const named = await this.#named(tenantId, customerIds);
    return customerIds.find((id) => !named.has(id)) ?? null;
  }

  /** Changes after which these customers, and those kept, see the dashboard. */
  additions(dashboard: DashboardRecord, customerIds: readonly EntityId[]): readonly Change[] {
    return customerIds.map((customerId) => ({
      kind: 'putDocument',
      collection: DASHBOARD_ASSIGNMENTS,
      record: assignmentDocument(dashboard, { id: this.#crypto.uuid(), version: 1, customerId }),
      expectedVersion: null,
    }));
  }

  removals(assignments: readonly Assignment[]): readonly Change[] {
    return assignments.map(({ id }) => ({
      kind: 'deleteDocument',
      collection: DASHBOARD_ASSIGNMENTS,
      id,
      expectedVersion: null,
    }));
  }

  /** Changes after which the lists of customers find the dashboard as it is now. */
  renewals(dashboard: DashboardRecord, assignments: readonly Assignment[]): readonly Change[] {
    return assignments.map((assignment) => ({
      kind: 'putDocument',
      collection: DASHBOARD_ASSIGNMENTS,
      record: assignmentDocument(dashboard, { ...assignment, version: assignment.version + 1 }),
      expectedVersion: assignment.version,
    }));
  }

  /** null: there are more than `most`. */
  async #read(
    tenantId: EntityId,
    dashboardIds: readonly EntityId[],
    most: number,
  ): Promise<readonly Assignment[] | null> {
    const found: Assignment[] = [];
    for (let start = 0; start < dashboardIds.length; start += ID_SLICE) {
      const { records, total } = await this.#repositories.documents(DASHBOARD_ASSIGNMENTS, {
        tenantId,
        conditions: [{ member: 'dashboardId', is: 'in', value: dashboardIds.slice(start, start + ID_SLICE) }],
        textSearch: null,
        sort: 'id',
        descending: false,
        offset: 0,
        limit: most - found.length,
      });
      if (found.length + total > most) return null;
      for (const record of records) found.push(assignmentOf(record));
    }
    return found;
  }

  async #named(tenantId: EntityId, customerIds: readonly EntityId[]): Promise<ReadonlyMap<EntityId, AssignedCustomer>> {
    const caller = platformCaller(tenantId);
    const named = new Map<EntityId, AssignedCustomer>();
    const customers = await inSlices(customerIds, (id) => this.#customers.get(caller, id));
    for (const customer of customers) {
      if (!customer.ok) continue;
      const { id, title, isPublic } = customer.value;
      named.set(id, { customerId: id, title, isPublic });
    }
    return named;
  }
}

function byTitle(a: AssignedCustomer, b: AssignedCustomer): number {
  if (a.title !== b.title) return a.title < b.title ? -1 : 1;
  return a.customerId < b.customerId ? -1 : 1;
}
