import type { DeviceLink as ApiDeviceLink, DeviceLinkInput as ApiInput, EntityIdInput } from '@moorage/api-types';
import type { DeviceLink, DeviceLinkInput } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

export function toDeviceLink(link: DeviceLink): ApiDeviceLink {
  const { id, createdTime, tenantId, name, enabled, source, target, map, version, lastOutcome, lastTime } = link;
  return {
    id: entityId('DEVICE_LINK', id),
    createdTime,
    tenantId: entityId('TENANT', tenantId),
    name,
    enabled,
    source: { deviceId: entityId('DEVICE', source.deviceId), key: source.key },
    target: {
      deviceId: entityId('DEVICE', target.deviceId),
      method: target.method,
      attribute: target.attribute,
    },
    map,
    lastOutcome,
    lastTime,
    version,
  };
}

export function fromDeviceLinkInput(input: ApiInput): DeviceLinkInput {
  const { source, target } = input;
  return {
    id: inputId(input.id),
    name: input.name,
    enabled: input.enabled ?? true,
    source: { deviceId: deviceIdOf(source.deviceId), key: source.key },
    target: {
      deviceId: deviceIdOf(target.deviceId),
      method: target.method ?? null,
      attribute: target.attribute ?? null,
    },
    map: input.map ?? null,
    version: input.version ?? null,
  };
}

function deviceIdOf(id: EntityIdInput | string): string {
  return (typeof id === 'string' ? id : id.id).toLowerCase();
}
