import type { PlatformError } from '../errors.ts';
import type { EntityId, JsonObject } from '../model/entities.ts';
import type { DeviceInput } from '../platform.ts';

/** A device that nobody typed in. */
export function newDeviceInput(
  name: string,
  profile: { readonly id: EntityId } | { readonly name: string | null },
  additionalInfo: JsonObject | null,
): DeviceInput {
  return {
    id: null,
    name,
    label: null,
    type: 'id' in profile ? null : profile.name,
    deviceProfileId: 'id' in profile ? profile.id : null,
    deviceData: null,
    additionalInfo,
    version: null,
  };
}

/** A refusal of the store, as devices are told; null: the refusal has another reason. */
export function storeOutcome(refusal: PlatformError): 'full' | 'failed' | null {
  if (refusal.code === 'storageFull') return 'full';
  return refusal.code === 'storageFailed' ? 'failed' : null;
}
