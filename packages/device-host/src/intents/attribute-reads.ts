import type { Attribute, AttributeScope, AttributeStore, EntityId } from '@moorage/core';

/** Keys of one scope: null for none of them. */
export type WantedKeys = readonly string[] | 'all' | null;

/** What a device may read of itself; the SERVER scope is never among it. thingsboard-device.md, 3.3 */
export async function readAttributes(
  store: Pick<AttributeStore, 'read'>,
  deviceId: EntityId,
  clientKeys: WantedKeys,
  sharedKeys: WantedKeys,
): Promise<{ readonly client: readonly Attribute[]; readonly shared: readonly Attribute[] }> {
  const [client, shared] = await Promise.all([
    readScope(store, deviceId, 'CLIENT', clientKeys),
    readScope(store, deviceId, 'SHARED', sharedKeys),
  ]);
  return { client, shared };
}

async function readScope(
  store: Pick<AttributeStore, 'read'>,
  deviceId: EntityId,
  scope: AttributeScope,
  keys: WantedKeys,
): Promise<readonly Attribute[]> {
  if (keys === null || keys.length === 0) return [];
  return store.read(deviceId, scope, keys === 'all' ? null : [...new Set(keys)]);
}
