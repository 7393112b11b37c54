import { type PlatformError, refuse } from '../errors.ts';
import { type Authority, type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller } from '../platform.ts';

export type EntityKind = 'device' | 'profile' | 'application';

/** What a caller wants to do with an entity. `data` is telemetry, attributes and RPC. */
export type Operation = 'read' | 'create' | 'write' | 'delete' | 'readCredentials' | 'writeCredentials' | 'data';

/** The members of an entity that decide who may touch it; `customerId` is left out where customers do not own such entities. */
export interface Ownership {
  readonly tenantId: EntityId;
  readonly customerId?: EntityId;
}

const NOTHING: readonly Operation[] = [];
const EVERYTHING: readonly Operation[] = [
  'read',
  'create',
  'write',
  'delete',
  'readCredentials',
  'writeCredentials',
  'data',
];

/** thingsboard-server.md, 0.6 and the "who" column of 2.2. */
const RIGHTS: Readonly<Record<Authority, Readonly<Record<EntityKind, readonly Operation[]>>>> = {
  SYS_ADMIN: { device: NOTHING, profile: NOTHING, application: NOTHING },
  TENANT_ADMIN: { device: EVERYTHING, profile: EVERYTHING, application: EVERYTHING },
  CUSTOMER_USER: {
    device: ['read', 'write', 'readCredentials', 'data'],
    profile: ['read'],
    application: NOTHING,
  },
};

/** Whether the role may do this to any entity of the kind at all; asked before anything is read. null: yes. */
export function authorizeRole(caller: Caller, operation: Operation, kind: EntityKind): PlatformError | null {
  // Devices of no customer carry the null id: a customer user without customer must not match them.
  const nobody = caller.authority === 'CUSTOMER_USER' && caller.customerId === NULL_ID;
  return !nobody && RIGHTS[caller.authority][kind].includes(operation) ? null : refuse('permissionDenied');
}

/** Whether the caller may do this to this entity. null: yes. The only place where use cases decide on rights. */
export function authorize(
  caller: Caller,
  operation: Operation,
  kind: EntityKind,
  entity: Ownership,
): PlatformError | null {
  const role = authorizeRole(caller, operation, kind);
  if (role !== null) return role;
  if (entity.tenantId !== caller.tenantId) return refuse('permissionDenied');
  if (caller.authority !== 'CUSTOMER_USER' || entity.customerId === undefined) return null;
  return entity.customerId === caller.customerId ? null : refuse('permissionDenied');
}
