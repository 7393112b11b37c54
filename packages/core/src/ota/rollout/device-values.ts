import type { Result } from '../../errors.ts';
import type { EntityId } from '../../model/entities.ts';
import type { TelemetryService } from '../../platform.ts';
import type { Attribute } from '../../ports/telemetry-store.ts';
import { platformCaller } from '../../registry/authorize.ts';
import type { PointList } from '../../values/point-list.ts';
import type { Value } from '../../values/value.ts';

/** The device whose values are written. */
export interface DeviceOwner {
  readonly id: EntityId;
  readonly tenantId: EntityId;
}

/** `refused`: not stored, and trying again does not help; the device may be gone. `full` and `failed` are the store's. */
export type Written = 'stored' | 'full' | 'failed' | 'refused';

/** Telemetry and shared attributes that the platform itself writes for a device; durable when resolved. */
export interface DeviceValues {
  saveTelemetry(device: DeviceOwner, points: PointList): Promise<Written>;
  readShared(device: DeviceOwner, keys: readonly string[]): Promise<readonly Attribute[]>;
  /** Connected devices are told, of all values at once. */
  saveShared(device: DeviceOwner, values: ReadonlyMap<string, Value>): Promise<Written>;
  /** The same; keys that do not exist are ignored. */
  removeShared(device: DeviceOwner, keys: readonly string[]): Promise<Written>;
}

/** Writes as a user of the device's tenant would, so that order, live feed and pushes to the device are the same. */
export function deviceValuesOf(telemetry: TelemetryService): DeviceValues {
  return {
    saveTelemetry: async ({ id, tenantId }, points) =>
      writtenOf(await telemetry.save(platformCaller(tenantId), id, points)),
    readShared: async ({ id, tenantId }, keys) => {
      const found = await telemetry.attributes(platformCaller(tenantId), id, 'SHARED', keys);
      return found.ok ? found.value : [];
    },
    saveShared: async ({ id, tenantId }, values) =>
      writtenOf(await telemetry.saveAttributes(platformCaller(tenantId), id, 'SHARED', values)),
    removeShared: async ({ id, tenantId }, keys) =>
      writtenOf(await telemetry.removeAttributes(platformCaller(tenantId), id, 'SHARED', keys)),
  };
}

function writtenOf(result: Result<null>): Written {
  if (result.ok) return 'stored';
  switch (result.code) {
    case 'storageFull':
      return 'full';
    case 'storageFailed':
      return 'failed';
    default:
      return 'refused';
  }
}
