import type { CredentialsType, Device, DeviceCredentials, DeviceRef, DialectId } from '@moorage/core';

/** The record of a device that a connection knows as `ref`, with nothing in it but what a connection knows. */
export function deviceRecord(ref: DeviceRef, dialect: DialectId): Device {
  return {
    id: ref.id,
    createdTime: 0,
    tenantId: ref.tenantId,
    customerId: ref.tenantId,
    name: ref.name,
    label: null,
    deviceProfileId: ref.profileId,
    type: 'default',
    dialect,
    deviceData: {},
    firmwareId: null,
    softwareId: null,
    additionalInfo: null,
    version: 1,
  };
}

/** Credentials of a device; `value` becomes JSON text. */
export function credentialsRecord(
  { id: deviceId }: Pick<Device, 'id'>,
  credentialsType: CredentialsType,
  credentialsId: string,
  value: object | null,
): DeviceCredentials {
  const credentialsValue = value === null ? null : JSON.stringify(value);
  return { id: 'c', createdTime: 0, deviceId, credentialsType, credentialsId, credentialsValue, version: 1 };
}
