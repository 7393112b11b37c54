import type { Result } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** A customer that sees a dashboard. */
export interface AssignedCustomer {
  readonly customerId: EntityId;
  readonly title: string;
  readonly isPublic: boolean;
}

/** A dashboard without what it shows. thingsboard-server.md, 2.9 */
export interface DashboardInfo {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly title: string;
  /** An address or picture data; longer than 2,048 characters it comes with the whole dashboard only. */
  readonly image: string | null;
  readonly mobileHide: boolean;
  readonly mobileOrder: number | null;
  /** By title; for users of a customer, their own one alone. */
  readonly assignedCustomers: readonly AssignedCustomer[];
  readonly version: number;
}

export interface Dashboard extends DashboardInfo {
  /** The JSON text exactly as it was saved; null: none. */
  readonly configuration: string | null;
}

/** A dashboard to create (`id` null) or to update. */
export interface DashboardInput {
  readonly id: EntityId | null;
  readonly title: string;
  readonly image: string | null;
  readonly mobileHide: boolean;
  readonly mobileOrder: number | null;
  /** Well-formed JSON text of an object. null: none, left out: as it is. */
  readonly configuration?: string | null;
  /** Optimistic lock; null overwrites. */
  readonly version: number | null;
}

export interface DashboardListQuery extends PageQuery {
  /** Only those for the mobile application, by default in its order. */
  readonly mobile: boolean;
}

/** What opens after sign-in. */
export interface HomeDashboard {
  readonly dashboardId: EntityId;
  readonly hideToolbar: boolean;
}

export interface DashboardService {
  save(caller: Caller, input: DashboardInput): Promise<Result<Dashboard>>;
  get(caller: Caller, id: EntityId): Promise<Result<Dashboard>>;
  info(caller: Caller, id: EntityId): Promise<Result<DashboardInfo>>;
  list(caller: Caller, query: DashboardListQuery): Promise<Result<Page<DashboardInfo>>>;
  ofCustomer(caller: Caller, customerId: EntityId, query: DashboardListQuery): Promise<Result<Page<DashboardInfo>>>;
  /** Also its assignments and relations. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** `set`: these customers and no others. All of them or none; at most 10,000 customers see one dashboard. */
  changeCustomers(
    caller: Caller,
    id: EntityId,
    change: 'add' | 'remove' | 'set',
    customerIds: readonly EntityId[],
  ): Promise<Result<Dashboard>>;
  /** `add` makes the customer `Public` at first use. */
  changePublic(caller: Caller, id: EntityId, change: 'add' | 'remove'): Promise<Result<Dashboard>>;
  /** By the additional information of the user, else of its customer: `homeDashboardId`, `homeDashboardHideToolbar`. */
  home(caller: Caller): Promise<Result<HomeDashboard | null>>;
}
