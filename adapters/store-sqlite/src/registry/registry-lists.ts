import type {
  ApplicationSort,
  DeviceIdQuery,
  DeviceRecordQuery,
  DeviceSort,
  ListQuery,
  ProfileSort,
  UserRecordQuery,
  UserSort,
} from '@moorage/core';
import type { SqlRow } from '../sqlite/driver.ts';
import { NO_CUSTOMER } from './no-customer.ts';
import type { Statements } from './statements.ts';

/** Rows of one page and the number of all that match. */
export interface RowPage {
  readonly rows: readonly SqlRow[];
  readonly total: number;
}

interface ListPlan {
  /** Conditions joined by AND, with one parameter each. */
  readonly conditions: readonly string[];
  readonly parameters: readonly unknown[];
  /** Columns and direction. */
  readonly order: string;
}

const DEVICE_ORDER: Readonly<Record<DeviceSort, string>> = {
  id: 'd.id',
  createdTime: 'd.created_time',
  name: 'd.name_key',
  label: 'd.label_key',
  type: 'p.name_key',
};
const PROFILE_ORDER: Readonly<Record<ProfileSort, string>> = {
  id: 'id',
  createdTime: 'created_time',
  name: 'name_key',
  transportType: 'transport_type',
};
const APPLICATION_ORDER: Readonly<Record<ApplicationSort, string>> = {
  id: 'id',
  createdTime: 'created_time',
  name: 'name_key',
  dialect: 'dialect',
};
const USER_ORDER: Readonly<Record<UserSort, string>> = {
  id: 'id',
  createdTime: 'created_time',
  email: 'email',
  firstName: 'first_name_key',
  lastName: 'last_name_key',
};

/** What a device row lacks: the profile's name and the credentials' dialect. */
export const DEVICE_COLUMNS = `d.*, p.name AS type, c.dialect AS dialect`;
/** Joins that go with `DEVICE_COLUMNS`. */
export const DEVICE_JOINS = `CROSS JOIN profile p ON p.id = d.profile_id LEFT JOIN credentials c ON c.device_id = d.id`;

function orderBy(column: string, id: string, descending: boolean): string {
  const direction = descending ? 'DESC' : 'ASC';
  return column === id ? `${id} ${direction}` : `${column} ${direction}, ${id} ${direction}`;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

/** The index that covers what a query compares and sorts by; the planner would often take the one of the order alone. */
function deviceIndex(query: DeviceRecordQuery): string {
  if (query.customerId !== null && query.customerId !== NO_CUSTOMER) return 'device_by_customer';
  if (query.profileId !== null || query.sort === 'type') return 'device_by_profile';
  if (query.sort === 'createdTime') return 'device_by_time';
  return query.sort === 'id' ? 'device_by_id' : 'device_by_name';
}

/** A page of devices: ids from an index that covers search and order, then their rows. */
export function deviceRows(statements: Statements, query: DeviceRecordQuery): RowPage {
  const { conditions, parameters, order } = devicePlan(query);
  const devices = `device d INDEXED BY ${deviceIndex(query)}`;
  // CROSS JOIN keeps the few profiles outside, so that their names cost nothing per device.
  const source = query.sort === 'type' ? `profile p CROSS JOIN ${devices} ON d.profile_id = p.id` : devices;
  const count = statements.get(`SELECT count(*) AS total FROM ${devices} ${where(conditions)}`, parameters);
  const rows = statements.all(
    `SELECT ${DEVICE_COLUMNS} FROM (
       SELECT d.id FROM ${source} ${where(conditions)} ORDER BY ${order} LIMIT ? OFFSET ?
     ) page CROSS JOIN device d ON d.id = page.id ${DEVICE_JOINS} ORDER BY ${order}`,
    [...parameters, query.limit, query.offset],
  );
  return { rows, total: Number(count?.total ?? 0) };
}

function devicePlan(query: DeviceRecordQuery): ListPlan {
  const conditions: string[] = [];
  const parameters: unknown[] = [];
  const add = (condition: string, ...values: unknown[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  if (query.tenantId !== null) add('d.tenant_id = ?', query.tenantId);
  if (query.profileId !== null) add('d.profile_id = ?', query.profileId);
  if (query.customerId !== null) {
    add('d.customer_id = ?', query.customerId);
    // Lets SQLite take the index that leaves out the devices without customer.
    if (query.customerId !== NO_CUSTOMER) conditions.push(`d.customer_id <> '${NO_CUSTOMER}'`);
  }
  if (query.textSearch !== null) {
    const key = query.textSearch.toLowerCase();
    add('(instr(d.name_key, ?) > 0 OR instr(d.label_key, ?) > 0)', key, key);
  }
  return { conditions, parameters, order: orderBy(DEVICE_ORDER[query.sort], 'd.id', query.descending) };
}

/** Devices of a `DeviceIdQuery`, from `device` on, with the values of its marks. */
export function deviceIdScope(query: Omit<DeviceIdQuery, 'after' | 'limit'>): {
  readonly source: string;
  readonly parameters: readonly unknown[];
} {
  const { tenantId, profileId, customerId, withoutPackage } = query;
  const conditions = ['tenant_id = ?'];
  const parameters: unknown[] = [tenantId];
  if (profileId !== null) {
    conditions.push('profile_id = ?');
    parameters.push(profileId);
  }
  if (customerId !== null) {
    conditions.push('customer_id = ?');
    parameters.push(customerId);
    if (customerId !== NO_CUSTOMER) conditions.push(`customer_id <> '${NO_CUSTOMER}'`);
  }
  if (withoutPackage !== null) {
    conditions.push(`${withoutPackage === 'FIRMWARE' ? 'firmware_id' : 'software_id'} IS NULL`);
  }
  const ofCustomer = customerId !== null && customerId !== NO_CUSTOMER;
  const index = ofCustomer ? 'device_by_customer' : profileId !== null ? 'device_of_profile' : 'device_by_id';
  return { source: `device INDEXED BY ${index} ${where(conditions)}`, parameters };
}

export function userRows(statements: Statements, query: UserRecordQuery): RowPage {
  const conditions: string[] = [];
  const parameters: unknown[] = [];
  if (query.customerId !== null) {
    conditions.push('customer_id = ?');
    parameters.push(query.customerId);
  }
  if (query.authority !== null) {
    conditions.push('authority = ?');
    parameters.push(query.authority);
  }
  const searched = ['email', 'first_name_key', 'last_name_key'];
  return namedRows(statements, 'user', query, USER_ORDER[query.sort], { searched, conditions, parameters });
}

interface Narrowing {
  /** Columns in lower case. */
  readonly searched: readonly string[];
  readonly conditions: readonly string[];
  readonly parameters: readonly unknown[];
}

function namedRows(
  statements: Statements,
  table: string,
  query: ListQuery<string>,
  column: string,
  narrowing: Narrowing = { searched: ['name_key'], conditions: [], parameters: [] },
): RowPage {
  const conditions = [...narrowing.conditions];
  const parameters = [...narrowing.parameters];
  if (query.tenantId !== null) {
    conditions.push('tenant_id = ?');
    parameters.push(query.tenantId);
  }
  if (query.textSearch !== null) {
    const key = query.textSearch.toLowerCase();
    conditions.push(`(${narrowing.searched.map((searched) => `instr(${searched}, ?) > 0`).join(' OR ')})`);
    parameters.push(...narrowing.searched.map(() => key));
  }
  const scope = `${table} ${where(conditions)}`;
  const count = statements.get(`SELECT count(*) AS total FROM ${scope}`, parameters);
  const order = orderBy(column, 'id', query.descending);
  const rows = statements.all(`SELECT * FROM ${scope} ORDER BY ${order} LIMIT ? OFFSET ?`, [
    ...parameters,
    query.limit,
    query.offset,
  ]);
  return { rows, total: Number(count?.total ?? 0) };
}

export function profileRows(statements: Statements, query: ListQuery<ProfileSort>): RowPage {
  return namedRows(statements, 'profile', query, PROFILE_ORDER[query.sort]);
}

export function applicationRows(statements: Statements, query: ListQuery<ApplicationSort>): RowPage {
  return namedRows(statements, 'application', query, APPLICATION_ORDER[query.sort]);
}
