import { type PlatformError, refuse } from '../errors.ts';
import { type Authority, type EntityId, NULL_ID } from '../model/entities.ts';
import type { Caller } from '../platform.ts';

export type EntityKind =
  | 'device'
  | 'profile'
  | 'application'
  | 'customer'
  | 'user'
  | 'otaPackage'
  | 'dashboard'
  | 'asset'
  | 'assetProfile'
  | 'tenant'
  | 'apiKey'
  | 'auditLog'
  | 'storage'
  | 'link';

/** What a caller wants to do with an entity. `assign`: to a customer, or take it back. `claim`: for the own customer. `data`: telemetry, attributes and RPC. */
export type Operation =
  | 'read'
  | 'create'
  | 'write'
  | 'delete'
  | 'assign'
  | 'claim'
  | 'readCredentials'
  | 'writeCredentials'
  | 'data';

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
  'assign',
  'readCredentials',
  'writeCredentials',
  'data',
];

/** thingsboard-server.md, 0.6 and the "who" column of 2.2. */
const RIGHTS: Readonly<Record<Authority, Readonly<Record<EntityKind, readonly Operation[]>>>> = {
  SYS_ADMIN: {
    device: NOTHING,
    profile: NOTHING,
    application: NOTHING,
    customer: NOTHING,
    // Administrators of tenants only; the service sees to that.
    user: EVERYTHING,
    otaPackage: NOTHING,
    dashboard: NOTHING,
    asset: NOTHING,
    assetProfile: NOTHING,
    tenant: EVERYTHING,
    apiKey: EVERYTHING,
    auditLog: NOTHING,
    storage: ['read'],
    link: NOTHING,
  },
  TENANT_ADMIN: {
    device: EVERYTHING,
    profile: EVERYTHING,
    application: EVERYTHING,
    customer: EVERYTHING,
    user: EVERYTHING,
    otaPackage: EVERYTHING,
    dashboard: EVERYTHING,
    asset: EVERYTHING,
    assetProfile: EVERYTHING,
    tenant: ['read'],
    apiKey: EVERYTHING,
    auditLog: ['read'],
    storage: ['read'],
    link: EVERYTHING,
  },
  CUSTOMER_USER: {
    device: ['read', 'write', 'claim', 'readCredentials', 'data'],
    profile: ['read'],
    application: NOTHING,
    customer: ['read'],
    user: ['read'],
    otaPackage: ['read'],
    dashboard: ['read'],
    asset: ['read', 'write', 'data'],
    assetProfile: ['read'],
    tenant: NOTHING,
    apiKey: ['read', 'create', 'write', 'delete'],
    auditLog: NOTHING,
    storage: NOTHING,
    link: NOTHING,
  },
};

/** What anybody who knows a public customer may do. A kind that is not here is hidden. */
const PUBLIC_RIGHTS: Readonly<Partial<Record<EntityKind, readonly Operation[]>>> = {
  device: ['read', 'data'],
  profile: ['read'],
  customer: ['read'],
  dashboard: ['read'],
  asset: ['read', 'data'],
  assetProfile: ['read'],
};

function rightsOf({ authority, isPublic }: Caller, kind: EntityKind): readonly Operation[] {
  return isPublic === true ? (PUBLIC_RIGHTS[kind] ?? NOTHING) : RIGHTS[authority][kind];
}

/** Whether the role may do this to any entity of the kind at all; asked before anything is read. null: yes. */
export function authorizeRole(caller: Caller, operation: Operation, kind: EntityKind): PlatformError | null {
  // Devices of no customer carry the null id: a customer user without customer must not match them.
  const nobody = caller.authority === 'CUSTOMER_USER' && caller.customerId === NULL_ID;
  return !nobody && rightsOf(caller, kind).includes(operation) ? null : refuse('permissionDenied');
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

/** The platform itself, acting in a tenant for a device that has no user behind it. */
export function platformCaller(tenantId: EntityId): Caller {
  return { userId: NULL_ID, authority: 'TENANT_ADMIN', tenantId, customerId: NULL_ID };
}

/** True for the platform itself; viewers of public links have no user either. */
export function isPlatform({ userId, authority, isPublic }: Caller): boolean {
  return userId === NULL_ID && authority === 'TENANT_ADMIN' && isPublic !== true;
}
