import type { BareId, EntityId, EntityIdInput } from '@moorage/api-types';

export type EntityType =
  | 'TENANT'
  | 'CUSTOMER'
  | 'USER'
  | 'DEVICE'
  | 'DEVICE_LINK'
  | 'DEVICE_PROFILE'
  | 'APPLICATION'
  | 'ASSET'
  | 'ASSET_PROFILE'
  | 'DASHBOARD'
  | 'OTA_PACKAGE'
  | 'API_KEY'
  | 'ALARM'
  | 'RPC';

export function entityId(entityType: EntityType, id: string): EntityId {
  return { entityType, id };
}

/** The same for a member that may be empty. */
export function optionalId(entityType: EntityType, id: string | null): EntityId | null {
  return id === null ? null : entityId(entityType, id);
}

/** The id of a request's member, in the platform's spelling; null if there is none. */
export function inputId(id: EntityIdInput | BareId | null | undefined): string | null {
  return id === null || id === undefined ? null : id.id.toLowerCase();
}
