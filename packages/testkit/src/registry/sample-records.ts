import { randomUUID } from 'node:crypto';
import {
  type Change,
  type DeviceProfile,
  NULL_ID,
  type StoredApplication,
  type StoredCredentials,
  type StoredDevice,
  type StoredUser,
  type Tenant,
} from '@moorage/core';

/** A tenant of its own name. */
export function sampleTenant(parts: Partial<Tenant> = {}): Tenant {
  const id = randomUUID();
  return { id, createdTime: 1_700_000_000_000, name: `tenant ${id}`, ...parts };
}

/** A tenant administrator of its own e-mail, without a password. */
export function sampleUser(tenantId: string, parts: Partial<StoredUser> = {}): StoredUser {
  const id = randomUUID();
  return {
    id,
    createdTime: 1_700_000_000_000,
    tenantId,
    customerId: NULL_ID,
    email: `${id}@example.org`,
    authority: 'TENANT_ADMIN',
    firstName: null,
    lastName: null,
    enabled: true,
    tokensValidFrom: 0,
    additionalInfo: null,
    version: 1,
    passwordHash: null,
    ...parts,
  };
}

/** A profile that is not the default one. */
export function sampleProfile(tenantId: string, parts: Partial<DeviceProfile> = {}): DeviceProfile {
  const id = randomUUID();
  return {
    id,
    createdTime: 1_700_000_000_000,
    tenantId,
    name: `profile ${id}`,
    description: null,
    isDefault: false,
    transportType: 'DEFAULT',
    provisionType: 'DISABLED',
    profileData: { configuration: { type: 'DEFAULT' } },
    provisionDeviceKey: null,
    firmwareId: null,
    softwareId: null,
    version: 1,
    ...parts,
  };
}

/** A device of a profile. */
export function sampleDevice(profile: DeviceProfile, parts: Partial<StoredDevice> = {}): StoredDevice {
  const id = randomUUID();
  return {
    id,
    createdTime: 1_700_000_000_000,
    tenantId: profile.tenantId,
    customerId: NULL_ID,
    name: `device ${id}`,
    label: null,
    deviceProfileId: profile.id,
    deviceData: {},
    firmwareId: null,
    softwareId: null,
    additionalInfo: null,
    version: 1,
    ...parts,
  };
}

/** An access token of a device. */
export function sampleCredentials(deviceId: string, parts: Partial<StoredCredentials> = {}): StoredCredentials {
  const token = parts.credentialsId ?? randomUUID();
  return {
    id: randomUUID(),
    createdTime: 1_700_000_000_000,
    deviceId,
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: token,
    credentialsValue: null,
    dialect: 'thingsboard',
    sealed: false,
    username: token,
    clientId: null,
    version: 1,
    ...parts,
  };
}

/** An application of the dialect `plain`. */
export function sampleApplication(tenantId: string, parts: Partial<StoredApplication> = {}): StoredApplication {
  const id = randomUUID();
  return {
    id,
    createdTime: 1_700_000_000_000,
    tenantId,
    name: `application ${id}`,
    dialect: 'plain',
    enabled: true,
    configuration: { publish: ['#'], subscribe: ['#'], command: false },
    username: `user ${id}`,
    sealedCredentials: 'sealed',
    version: 1,
    ...parts,
  };
}

/** The change that creates credentials with the user name they occupy. */
export function putToken(record: StoredCredentials, expectedVersion: number | null = null): Change {
  const { dialect } = record;
  const names =
    record.username === null ? [] : [{ list: 'username' as const, name: record.username, dialect, exclusive: false }];
  return { kind: 'putCredentials', record, expectedVersion, names };
}
