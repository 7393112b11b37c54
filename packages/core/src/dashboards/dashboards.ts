import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, CustomerService, Page } from '../platform.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import { type PageWindow, toPage } from '../registry/paging.ts';
import { textMember } from '../relations/body-members.ts';
import { inSlices } from '../relations/document-pages.ts';
import { relationRemovals } from '../relations/relation-collection.ts';
import {
  contentDocument,
  contentOf,
  DASHBOARD_ASSIGNMENTS,
  DASHBOARD_CONTENTS,
  DASHBOARDS,
  type DashboardRecord,
  dashboardDocument,
  dashboardOf,
  haveSameListMembers,
} from './dashboard-collections.ts';
import { DashboardCustomers, MAX_CUSTOMERS } from './dashboard-customers.ts';
import { homeOf, inputProblem, listWindow, mobileCondition } from './dashboard-rules.ts';
import type {
  Dashboard,
  DashboardInfo,
  DashboardInput,
  DashboardListQuery,
  DashboardService,
  HomeDashboard,
} from './dashboard-service.ts';

export interface DashboardsOptions {
  readonly repositories: Repositories;
  readonly customers: Pick<CustomerService, 'get' | 'publicCustomer'>;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry. */
  readonly locks: Pick<EntityLocks, 'run'>;
}

/** The dashboards of all tenants, stored and returned as they are. thingsboard-server.md, 2.7 and 2.9 */
export class Dashboards implements DashboardService {
  readonly #options: DashboardsOptions;
  readonly #customers: DashboardCustomers;

  constructor(options: DashboardsOptions) {
    this.#options = options;
    this.#customers = new DashboardCustomers(options.repositories, options.customers, options.crypto);
  }

  async save(caller: Caller, input: DashboardInput): Promise<Result<Dashboard>> {
    const { id } = input;
    const refusal = authorizeRole(caller, id === null ? 'create' : 'write', 'dashboard') ?? inputProblem(input);
    if (refusal !== null) return refusal;
    return id === null ? this.#create(caller, input) : this.#lock(id, () => this.#update(caller, id, input));
  }

  async get(caller: Caller, id: EntityId): Promise<Result<Dashboard>> {
    const found = await this.#find(caller, id, 'read');
    return found.ok ? this.#whole(caller, found.value) : found;
  }

  async info(caller: Caller, id: EntityId): Promise<Result<DashboardInfo>> {
    const found = await this.#find(caller, id, 'read');
    return found.ok ? this.#shown(caller, found.value) : found;
  }

  async list(caller: Caller, query: DashboardListQuery): Promise<Result<Page<DashboardInfo>>> {
    // Customers have lists of their own.
    const role = authorizeRole(caller, 'write', 'dashboard');
    if (role !== null) return role;
    const window = listWindow(query);
    if (!window.ok) return window;
    const found = await this.#options.repositories.documents(DASHBOARDS, {
      ...window.value,
      tenantId: caller.tenantId,
      conditions: mobileCondition(query),
    });
    return this.#page(caller, window.value, found.records.map(dashboardOf), found.total);
  }

  async ofCustomer(
    caller: Caller,
    customerId: EntityId,
    query: DashboardListQuery,
  ): Promise<Result<Page<DashboardInfo>>> {
    const role = authorizeRole(caller, 'read', 'dashboard');
    if (role !== null) return role;
    const customer = await this.#options.customers.get(caller, customerId);
    if (!customer.ok) return customer;
    const window = listWindow(query);
    if (!window.ok) return window;
    const { repositories } = this.#options;
    const { sort } = window.value;
    const found = await repositories.documents(DASHBOARD_ASSIGNMENTS, {
      ...window.value,
      sort: sort === 'id' ? 'dashboardId' : sort,
      tenantId: caller.tenantId,
      conditions: [{ member: 'customerId', is: '=', value: customerId }, ...mobileCondition(query)],
    });
    const ids = found.records.flatMap(({ body }) => textMember(body, 'dashboardId') ?? []);
    const documents = await inSlices(ids, (id) => repositories.document(DASHBOARDS, id));
    const dashboards = documents.flatMap((document) => (document === null ? [] : dashboardOf(document)));
    return this.#page(caller, window.value, dashboards, found.total);
  }

  remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    return this.#lock(id, async () => {
      const found = await this.#find(caller, id, 'delete');
      if (!found.ok) return found;
      const refusal = await this.#commit([
        { kind: 'deleteDocument', collection: DASHBOARDS, id, expectedVersion: found.value.version },
        { kind: 'deleteDocument', collection: DASHBOARD_CONTENTS, id, expectedVersion: null },
        {
          kind: 'deleteDocuments',
          collection: DASHBOARD_ASSIGNMENTS,
          tenantId: found.value.tenantId,
          conditions: [{ member: 'dashboardId', is: '=', value: id }],
          limit: MAX_CUSTOMERS,
        },
        ...relationRemovals(id),
      ]);
      return refusal ?? success(null);
    });
  }

  async changeCustomers(
    caller: Caller,
    id: EntityId,
    change: 'add' | 'remove' | 'set',
    customerIds: readonly EntityId[],
  ): Promise<Result<Dashboard>> {
    const role = authorizeRole(caller, 'assign', 'dashboard');
    if (role !== null) return role;
    const wanted = new Set(customerIds);
    if (wanted.size > MAX_CUSTOMERS) return tooManyCustomers();
    return this.#lock(id, async () => {
      const found = await this.#find(caller, id, 'assign');
      if (!found.ok) return found;
      const missing = change === 'remove' ? null : await this.#customers.missing(caller.tenantId, [...wanted]);
      if (missing !== null) return refuse('notFound', `Customer with id [${missing}] is not found`);
      const present = await this.#customers.of(found.value);
      const leaving = present.filter(
        ({ customerId }) => change !== 'add' && wanted.has(customerId) === (change === 'remove'),
      );
      for (const { customerId } of present) wanted.delete(customerId);
      const entering = change === 'remove' ? [] : [...wanted];
      if (present.length - leaving.length + entering.length > MAX_CUSTOMERS) return tooManyCustomers();
      const refusal = await this.#commit([
        ...this.#customers.removals(leaving),
        ...this.#customers.additions(found.value, entering),
      ]);
      return refusal ?? this.#whole(caller, found.value);
    });
  }

  async changePublic(caller: Caller, id: EntityId, change: 'add' | 'remove'): Promise<Result<Dashboard>> {
    const found = await this.#find(caller, id, 'assign');
    if (!found.ok) return found;
    const customer = await this.#options.customers.publicCustomer(caller);
    return customer.ok ? this.changeCustomers(caller, id, change, [customer.value.id]) : customer;
  }

  async home(caller: Caller): Promise<Result<HomeDashboard | null>> {
    const user = await this.#options.repositories.user(caller.userId);
    const own = homeOf(user?.additionalInfo ?? null);
    if (own !== null && (await this.#find(caller, own.dashboardId, 'read')).ok) return success(own);
    if (caller.authority !== 'CUSTOMER_USER') return success(null);
    const customer = await this.#options.customers.get(caller, caller.customerId);
    const shared = homeOf(customer.ok ? customer.value.additionalInfo : null);
    const isVisible = shared !== null && (await this.#find(caller, shared.dashboardId, 'read')).ok;
    return success(isVisible ? shared : null);
  }

  async #create(caller: Caller, input: DashboardInput): Promise<Result<Dashboard>> {
    const { crypto, clock } = this.#options;
    const { title, image, mobileHide, mobileOrder } = input;
    const dashboard: DashboardRecord = {
      id: crypto.uuid(),
      createdTime: clock.now(),
      tenantId: caller.tenantId,
      title,
      image,
      mobileHide,
      mobileOrder,
      version: 1,
    };
    const configuration = input.configuration ?? null;
    const refusal = await this.#commit(putChanges(dashboard, null, configuration));
    return refusal ?? success({ ...dashboard, assignedCustomers: [], configuration });
  }

  async #update(caller: Caller, id: EntityId, input: DashboardInput): Promise<Result<Dashboard>> {
    const found = await this.#find(caller, id, 'write');
    if (!found.ok) return found;
    const current = found.value;
    if (input.version !== null && input.version !== current.version) return refuse('versionConflict');
    const { title, image, mobileHide, mobileOrder } = input;
    const dashboard = { ...current, title, image, mobileHide, mobileOrder, version: current.version + 1 };
    const configuration =
      input.configuration === undefined ? (await this.#content(id)).configuration : input.configuration;
    const renewals = haveSameListMembers(current, dashboard)
      ? []
      : this.#customers.renewals(dashboard, await this.#customers.of(current));
    const refusal = await this.#commit([...putChanges(dashboard, current.version, configuration), ...renewals]);
    if (refusal !== null) return refusal;
    const shown = await this.#shown(caller, dashboard);
    return shown.ok ? success({ ...shown.value, configuration }) : shown;
  }

  async #content(id: EntityId): Promise<ReturnType<typeof contentOf>> {
    return contentOf(await this.#options.repositories.document(DASHBOARD_CONTENTS, id));
  }

  async #whole(caller: Caller, dashboard: DashboardRecord): Promise<Result<Dashboard>> {
    const shown = await this.#shown(caller, dashboard);
    if (!shown.ok) return shown;
    const { configuration, image } = await this.#content(dashboard.id);
    return success({ ...shown.value, image: image ?? dashboard.image, configuration });
  }

  async #shown(caller: Caller, dashboard: DashboardRecord): Promise<Result<DashboardInfo>> {
    const customers = await this.#customers.shown(caller, [dashboard]);
    return success({ ...dashboard, assignedCustomers: customers?.get(dashboard.id) ?? [] });
  }

  async #page(
    caller: Caller,
    window: PageWindow<string>,
    dashboards: readonly DashboardRecord[],
    total: number,
  ): Promise<Result<Page<DashboardInfo>>> {
    const customers = await this.#customers.shown(caller, dashboards);
    if (customers === null) return refuse('limitExceeded', 'These dashboards have too many customers for one page!');
    const found = { records: dashboards, total };
    return success(
      toPage(window, found, (dashboard) => ({
        ...dashboard,
        assignedCustomers: customers.get(dashboard.id) ?? [],
      })),
    );
  }

  async #find(caller: Caller, id: EntityId, operation: Operation): Promise<Result<DashboardRecord>> {
    const role = authorizeRole(caller, operation, 'dashboard');
    if (role !== null) return role;
    const document = await this.#options.repositories.document(DASHBOARDS, id);
    if (document === null) return refuse('notFound', `Dashboard with id [${id}] is not found`);
    const refusal = authorize(caller, operation, 'dashboard', document);
    if (refusal !== null) return refusal;
    const { tenantId, customerId } = caller;
    const isTheirs =
      caller.authority !== 'CUSTOMER_USER' || (await this.#customers.isAssigned(tenantId, id, customerId));
    return isTheirs ? success(dashboardOf(document)) : refuse('permissionDenied');
  }

  async #commit(changes: readonly Change[]): Promise<PlatformError | null> {
    if (changes.length === 0) return null;
    const outcome = await this.#options.repositories.commit(changes);
    return outcome === 'done' ? null : commitRefusal(outcome);
  }

  #lock<T>(id: EntityId, task: () => Promise<Result<T>>): Promise<Result<T>> {
    return this.#options.locks.run(id, task);
  }
}

function putChanges(
  dashboard: DashboardRecord,
  former: number | null,
  configuration: string | null,
): readonly Change[] {
  return [
    { kind: 'putDocument', collection: DASHBOARDS, record: dashboardDocument(dashboard), expectedVersion: former },
    {
      kind: 'putDocument',
      collection: DASHBOARD_CONTENTS,
      record: contentDocument(dashboard, configuration),
      expectedVersion: former,
    },
  ];
}

function tooManyCustomers(): PlatformError {
  return refuse('limitExceeded', `A dashboard can be assigned to at most ${MAX_CUSTOMERS} customers!`);
}
