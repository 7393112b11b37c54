import {
  type Application,
  type Attribute,
  type AuditEntry,
  type Device,
  type DeviceCredentials,
  type DeviceProfile,
  NULL_ID,
  type Page,
  type PageQuery,
  type Point,
  type Result,
  refuse,
  success,
  type User,
} from '@moorage/core';
import type { LoggedConnection } from '../options.ts';

export const TENANT_ID = '00000000-0000-4000-8000-0000000000aa';
export const ADMIN_EMAIL = 'admin@example.org';
export const ADMIN_PASSWORD = 'correct horse';

/** What the fake services share. */
export interface FakeState {
  now: number;
  counter: number;
  readonly users: Map<string, { user: User; password: string }>;
  readonly devices: Map<string, Device>;
  readonly credentials: Map<string, DeviceCredentials>;
  readonly profiles: Map<string, DeviceProfile>;
  readonly applications: Map<string, Application>;
  readonly series: Map<string, Map<string, Point[]>>;
  readonly attributes: Map<string, Attribute[]>;
  readonly connectionLog: (LoggedConnection & { readonly deviceId: string | null })[];
  readonly disconnected: string[];
  /** What was recorded in the audit log. */
  readonly audited: AuditEntry[];
}

export function newState(): FakeState {
  const state: FakeState = {
    now: 1_700_000_000_000,
    counter: 1,
    users: new Map(),
    devices: new Map(),
    credentials: new Map(),
    profiles: new Map(),
    applications: new Map(),
    series: new Map(),
    attributes: new Map(),
    connectionLog: [],
    disconnected: [],
    audited: [],
  };
  addUser(state, ADMIN_EMAIL, ADMIN_PASSWORD, 'TENANT_ADMIN');
  const id = nextId(state);
  state.profiles.set(id, {
    id,
    createdTime: state.now,
    tenantId: TENANT_ID,
    name: 'default',
    description: null,
    isDefault: true,
    transportType: 'DEFAULT',
    provisionType: 'DISABLED',
    profileData: { configuration: { type: 'DEFAULT' }, transportConfiguration: { type: 'DEFAULT' } },
    provisionDeviceKey: null,
    firmwareId: null,
    softwareId: null,
    version: 1,
  });
  return state;
}

export function addUser(state: FakeState, email: string, password: string, authority: User['authority']): User {
  const user: User = {
    id: nextId(state),
    createdTime: state.now,
    tenantId: authority === 'SYS_ADMIN' ? NULL_ID : TENANT_ID,
    customerId: NULL_ID,
    email,
    authority,
    firstName: 'Ada',
    lastName: null,
    enabled: true,
    tokensValidFrom: 0,
    additionalInfo: null,
    version: 1,
  };
  state.users.set(user.id, { user, password });
  return user;
}

export function nextId(state: FakeState): string {
  return `00000000-0000-4000-8000-${String(state.counter++).padStart(12, '0')}`;
}

const textOf = (entity: object, member: string): string => String(Reflect.get(entity, member) ?? '');

/** Filters, sorts and cuts as thingsboard-server.md, 0.4 says. */
export function pageOf<T extends { readonly id: string }>(all: Iterable<T>, query: PageQuery): Result<Page<T>> {
  const sortMember = query.sortProperty ?? 'id';
  if (!['id', 'name', 'label', 'createdTime'].includes(sortMember)) {
    return refuse('badRequest', `Unsupported sort property: ${sortMember}`);
  }
  const search = query.textSearch?.toLowerCase() ?? '';
  const found = [...all]
    .filter((item) => `${textOf(item, 'name')}\n${textOf(item, 'label')}`.toLowerCase().includes(search))
    .sort((a, b) => (textOf(a, sortMember) < textOf(b, sortMember) ? -1 : 1));
  if (query.sortOrder === 'DESC') found.reverse();
  const start = query.page * query.pageSize;
  return success({
    data: found.slice(start, start + query.pageSize),
    totalPages: Math.ceil(found.length / query.pageSize),
    totalElements: found.length,
    hasNext: start + query.pageSize < found.length,
  });
}
