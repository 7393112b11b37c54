import type { Result } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';

/** What somebody did, as it is reported. Texts are cut to 255 characters when they are kept. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly ts: number;
  /** null: not known, as of a failed log-in; it is that of the user with the name `userName`, if there is one. */
  readonly tenantId: EntityId | null;
  readonly customerId: EntityId;
  /** null: nobody who is signed in. */
  readonly userId: EntityId | null;
  /** E-mail. */
  readonly userName: string | null;
  /** `DEVICE` and the like; null: no entity, or none that is known. */
  readonly entityType: string | null;
  readonly entityId: EntityId | null;
  readonly entityName: string | null;
  /** `ADDED`, `UPDATED`, `DELETED`, `LOGIN` and so on, as in ThingsBoard. */
  readonly actionType: string;
  /** What was asked for, without secrets; at most a few KiB. */
  readonly actionData: JsonObject;
  /** null: it succeeded. */
  readonly failure: string | null;
}

/** A line of the audit log. thingsboard-server.md, 8.4 */
export interface AuditLine extends Omit<AuditEntry, 'ts' | 'tenantId'> {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
}

/** Whose lines are wanted. */
export type AuditScope =
  | { readonly of: 'tenant' }
  | { readonly of: 'customer'; readonly customerId: EntityId }
  | { readonly of: 'user'; readonly userId: EntityId }
  | { readonly of: 'entity'; readonly entityType: string; readonly entityId: EntityId };

export interface AuditQuery extends PageQuery {
  /** Epoch milliseconds, both inclusive; null: open. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  /** null: all. */
  readonly actionTypes: readonly string[] | null;
}

/** Who did what to which entity, and how it ended. */
export interface AuditService {
  /** Never waits and never fails: what cannot be kept is counted. */
  record(entry: AuditEntry): void;
  /** For administrators of the tenant, newest first unless sorted otherwise. Has everything recorded before the call. */
  list(caller: Caller, scope: AuditScope, query: AuditQuery): Promise<Result<Page<AuditLine>>>;
}
