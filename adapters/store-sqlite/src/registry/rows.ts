import type {
  Authority,
  CredentialsType,
  Device,
  DeviceProfile,
  FleetRow,
  JsonObject,
  StoredApplication,
  StoredCredentials,
  StoredDocument,
  StoredUser,
  Tenant,
} from '@moorage/core';
import type { SqlRow, SqlValue } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';

function fault(column: string): StoreError {
  return new StoreError('corrupt-record', `The column ${column} of the registry has a value of another type`);
}

/** A column that is text and not null. */
export function text(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw fault(column);
  return value;
}

/** A column that is text or null. */
export function textOrNull(row: SqlRow, column: string): string | null {
  const value: SqlValue | undefined = row[column];
  if (value === null || typeof value === 'string') return value;
  throw fault(column);
}

/** A column that is an integer within the safe ones. */
export function integer(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw fault(column);
  return value;
}

function json(row: SqlRow, column: string): JsonObject {
  const value: unknown = JSON.parse(text(row, column));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(column);
  return value as JsonObject;
}

function jsonOrNull(row: SqlRow, column: string): JsonObject | null {
  return row[column] === null ? null : json(row, column);
}

const AUTHORITIES: readonly Authority[] = ['SYS_ADMIN', 'TENANT_ADMIN', 'CUSTOMER_USER'];
const CREDENTIALS_TYPES: readonly CredentialsType[] = [
  'ACCESS_TOKEN',
  'MQTT_BASIC',
  'X509_CERTIFICATE',
  'PLAIN',
  'ALIBABA',
  'WAVESHARE',
  'THINGSCALE',
];

function oneOf<T extends string>(row: SqlRow, column: string, values: readonly T[]): T {
  const value = values.find((candidate) => candidate === row[column]);
  if (value === undefined) throw fault(column);
  return value;
}

export function tenantOf(row: SqlRow): Tenant {
  return { id: text(row, 'id'), createdTime: integer(row, 'created_time'), name: text(row, 'name') };
}

export function userOf(row: SqlRow): StoredUser {
  return {
    id: text(row, 'id'),
    createdTime: integer(row, 'created_time'),
    tenantId: text(row, 'tenant_id'),
    customerId: text(row, 'customer_id'),
    email: text(row, 'email'),
    authority: oneOf(row, 'authority', AUTHORITIES),
    firstName: textOrNull(row, 'first_name'),
    lastName: textOrNull(row, 'last_name'),
    enabled: row.enabled === 1,
    tokensValidFrom: integer(row, 'tokens_valid_from'),
    additionalInfo: jsonOrNull(row, 'additional_info'),
    version: integer(row, 'version'),
    passwordHash: textOrNull(row, 'password_hash'),
  };
}

export function profileOf(row: SqlRow): DeviceProfile {
  return {
    id: text(row, 'id'),
    createdTime: integer(row, 'created_time'),
    tenantId: text(row, 'tenant_id'),
    name: text(row, 'name'),
    description: textOrNull(row, 'description'),
    isDefault: row.is_default === 1,
    transportType: text(row, 'transport_type'),
    provisionType: text(row, 'provision_type'),
    profileData: json(row, 'profile_data'),
    provisionDeviceKey: textOrNull(row, 'provision_device_key'),
    firmwareId: textOrNull(row, 'firmware_id'),
    softwareId: textOrNull(row, 'software_id'),
    version: integer(row, 'version'),
  };
}

/** Needs the columns `type` (the profile's name) and `dialect` (the credentials', null without any) beside the device's. */
export function deviceOf(row: SqlRow): Device {
  return {
    id: text(row, 'id'),
    createdTime: integer(row, 'created_time'),
    tenantId: text(row, 'tenant_id'),
    customerId: text(row, 'customer_id'),
    name: text(row, 'name'),
    label: textOrNull(row, 'label'),
    deviceProfileId: text(row, 'profile_id'),
    type: text(row, 'type'),
    dialect: textOrNull(row, 'dialect') ?? '',
    deviceData: json(row, 'device_data'),
    firmwareId: textOrNull(row, 'firmware_id'),
    softwareId: textOrNull(row, 'software_id'),
    additionalInfo: jsonOrNull(row, 'additional_info'),
    version: integer(row, 'version'),
  };
}

export function credentialsOf(row: SqlRow): StoredCredentials {
  return {
    id: text(row, 'id'),
    createdTime: integer(row, 'created_time'),
    deviceId: text(row, 'device_id'),
    credentialsType: oneOf(row, 'credentials_type', CREDENTIALS_TYPES),
    credentialsId: text(row, 'credentials_id'),
    credentialsValue: textOrNull(row, 'credentials_value'),
    dialect: text(row, 'dialect'),
    sealed: row.sealed === 1,
    username: textOrNull(row, 'username'),
    clientId: textOrNull(row, 'client_id'),
    version: integer(row, 'version'),
  };
}

export function applicationOf(row: SqlRow): StoredApplication {
  return {
    id: text(row, 'id'),
    createdTime: integer(row, 'created_time'),
    tenantId: text(row, 'tenant_id'),
    name: text(row, 'name'),
    dialect: text(row, 'dialect'),
    enabled: row.enabled === 1,
    configuration: json(row, 'configuration'),
    username: textOrNull(row, 'username'),
    sealedCredentials: text(row, 'sealed_credentials'),
    version: integer(row, 'version'),
  };
}

export function documentOf(row: SqlRow): StoredDocument {
  return {
    id: text(row, 'id'),
    tenantId: text(row, 'tenant_id'),
    createdTime: integer(row, 'created_time'),
    version: integer(row, 'version'),
    body: json(row, 'body'),
  };
}

export function fleetRowOf(row: SqlRow): FleetRow {
  return {
    deviceId: text(row, 'id'),
    tenantId: text(row, 'tenant_id'),
    customerId: text(row, 'customer_id'),
    name: text(row, 'name'),
    profileId: text(row, 'profile_id'),
    gateway: row.gateway === 1,
    credentialsType: row.credentials_type === null ? null : oneOf(row, 'credentials_type', CREDENTIALS_TYPES),
    credentialsId: textOrNull(row, 'credentials_id'),
    username: textOrNull(row, 'username'),
    clientId: textOrNull(row, 'client_id'),
    sealedValue: textOrNull(row, 'sealed_value'),
  };
}
