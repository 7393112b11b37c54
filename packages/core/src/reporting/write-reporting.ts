import type { DeviceOwner, DeviceValues, Written } from '../ota/rollout/device-values.ts';
import { type Value, ValueKind } from '../values/value.ts';
import { REPORTING_ATTRIBUTE } from './reporting-limits.ts';

/** Makes the device's shared attribute what its profile says: `text` is JSON, null: no limits. Does nothing if it is so already. */
export async function writeReporting(values: DeviceValues, device: DeviceOwner, text: string | null): Promise<Written> {
  const keys = [REPORTING_ATTRIBUTE];
  const [present] = await values.readShared(device, keys);
  if (text === null) return present === undefined ? 'stored' : values.removeShared(device, keys);
  if (present?.kind === ValueKind.Json && present.value === text) return 'stored';
  const value: Value = { kind: ValueKind.Json, value: text };
  return values.saveShared(device, new Map([[REPORTING_ATTRIBUTE, value]]));
}
