import type {
  DeviceProfile as ApiDeviceProfile,
  DeviceProfileInfo as ApiDeviceProfileInfo,
  DeviceProfileInput as ApiDeviceProfileInput,
} from '@moorage/api-types';
import type { DeviceProfile, ProfileInput } from '@moorage/core';
import { entityId, inputId, optionalId } from './entity-ids.ts';

/** thingsboard-server.md, 2.4 */
export function toDeviceProfile(profile: DeviceProfile): ApiDeviceProfile {
  return {
    id: entityId('DEVICE_PROFILE', profile.id),
    createdTime: profile.createdTime,
    tenantId: entityId('TENANT', profile.tenantId),
    name: profile.name,
    description: profile.description,
    image: null,
    type: 'DEFAULT',
    transportType: profile.transportType,
    provisionType: profile.provisionType,
    defaultRuleChainId: null,
    defaultDashboardId: null,
    defaultQueueName: null,
    profileData: profile.profileData,
    provisionDeviceKey: profile.provisionDeviceKey,
    firmwareId: optionalId('OTA_PACKAGE', profile.firmwareId),
    softwareId: optionalId('OTA_PACKAGE', profile.softwareId),
    defaultEdgeRuleChainId: null,
    externalId: null,
    version: profile.version,
    default: profile.isDefault,
  };
}

export function toDeviceProfileInfo(profile: DeviceProfile): ApiDeviceProfileInfo {
  return {
    id: entityId('DEVICE_PROFILE', profile.id),
    tenantId: entityId('TENANT', profile.tenantId),
    name: profile.name,
    image: null,
    defaultDashboardId: null,
    type: 'DEFAULT',
    transportType: profile.transportType,
  };
}

export function fromProfileInput(input: ApiDeviceProfileInput): ProfileInput {
  return {
    id: inputId(input.id),
    name: input.name,
    description: input.description ?? null,
    transportType: input.transportType ?? null,
    provisionType: input.provisionType ?? null,
    provisionDeviceKey: input.provisionDeviceKey ?? null,
    profileData: input.profileData ?? null,
    firmwareId: inputId(input.firmwareId),
    softwareId: inputId(input.softwareId),
    version: input.version ?? null,
  };
}
