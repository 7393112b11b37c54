import type { CustomerContact } from '../customers/customer.ts';
import type { Result } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** A tenant with what is known of it beside its name. thingsboard-server.md, 0.6 */
export interface TenantDetails extends CustomerContact {
  readonly id: EntityId;
  readonly createdTime: number;
  /** Unique on the server. */
  readonly title: string;
  readonly region: string | null;
  readonly additionalInfo: JsonObject | null;
  readonly version: number;
}

/** A tenant to create (`id` null) or to update. */
export interface TenantInput extends CustomerContact {
  readonly id: EntityId | null;
  readonly title: string;
  readonly region: string | null;
  readonly additionalInfo: JsonObject | null;
  readonly version: number | null;
}

/** The tenants of the server, for system administrators; the administrator of a tenant may read its own. */
export interface TenantService {
  /** A new tenant has a default device profile and no users. */
  save(caller: Caller, input: TenantInput): Promise<Result<TenantDetails>>;
  get(caller: Caller, id: EntityId): Promise<Result<TenantDetails>>;
  /** Sortable by title, region, e-mail, country and city besides id and creation. */
  list(caller: Caller, query: PageQuery): Promise<Result<Page<TenantDetails>>>;
  /** Its users, devices and everything else go in the background, also across a restart; the tenant is gone at once. */
  remove(caller: Caller, id: EntityId): Promise<Result<null>>;
  /** Tenants of the server, those that are being removed left out. */
  count(): number;
}
