import type {
  Device as ApiDevice,
  DeviceCredentials as ApiDeviceCredentials,
  DeviceCredentialsInput as ApiDeviceCredentialsInput,
  DeviceInfo as ApiDeviceInfo,
  DeviceInput as ApiDeviceInput,
} from '@moorage/api-types';
import type { CredentialsInput, Device, DeviceCredentials, DeviceInfo, DeviceInput } from '@moorage/core';
import { entityId, inputId, optionalId } from './entity-ids.ts';

/** thingsboard-server.md, 2.1 */
export function toDevice(device: Device): ApiDevice {
  return {
    id: entityId('DEVICE', device.id),
    createdTime: device.createdTime,
    tenantId: entityId('TENANT', device.tenantId),
    customerId: entityId('CUSTOMER', device.customerId),
    name: device.name,
    type: device.type,
    label: device.label,
    deviceProfileId: entityId('DEVICE_PROFILE', device.deviceProfileId),
    dialect: device.dialect,
    deviceData: device.deviceData,
    firmwareId: optionalId('OTA_PACKAGE', device.firmwareId),
    softwareId: optionalId('OTA_PACKAGE', device.softwareId),
    externalId: null,
    version: device.version,
    additionalInfo: device.additionalInfo,
  };
}

export function toDeviceInfo(device: DeviceInfo): ApiDeviceInfo {
  return {
    ...toDevice(device),
    customerTitle: device.customerTitle,
    customerIsPublic: device.customerIsPublic,
    deviceProfileName: device.deviceProfileName,
    active: device.active,
  };
}

/** thingsboard-server.md, 2.3 */
export function toDeviceCredentials(credentials: DeviceCredentials): ApiDeviceCredentials {
  return {
    id: { id: credentials.id },
    createdTime: credentials.createdTime,
    deviceId: entityId('DEVICE', credentials.deviceId),
    credentialsType: credentials.credentialsType,
    credentialsId: credentials.credentialsId,
    credentialsValue: credentials.credentialsValue,
    version: credentials.version,
  };
}

export function fromDeviceInput(input: ApiDeviceInput): DeviceInput {
  return {
    id: inputId(input.id),
    name: input.name,
    label: input.label ?? null,
    type: input.type ?? null,
    deviceProfileId: inputId(input.deviceProfileId),
    deviceData: input.deviceData ?? null,
    firmwareId: inputId(input.firmwareId),
    softwareId: inputId(input.softwareId),
    additionalInfo: input.additionalInfo ?? null,
    version: input.version ?? null,
  };
}

export function fromCredentialsInput(input: ApiDeviceCredentialsInput): CredentialsInput {
  return {
    id: inputId(input.id),
    credentialsType: input.credentialsType,
    credentialsId: input.credentialsId ?? null,
    credentialsValue: input.credentialsValue ?? null,
    version: input.version ?? null,
  };
}
