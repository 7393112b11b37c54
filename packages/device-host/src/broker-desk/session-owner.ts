import type { ApplicationRef, DeviceRef, DialectId, EntityId } from '@moorage/core';

/** A Session key taken apart; identities begin with the id of their owner. architecture.md, Identity */
export interface KeyParts {
  readonly tenantId: EntityId;
  readonly dialect: DialectId;
  readonly ownerId: EntityId;
}

export function keyPartsOf(sessionKey: string): KeyParts {
  const [tenantId = '', dialect = '', ownerId = ''] = sessionKey.split('/', 3);
  return { tenantId, dialect, ownerId };
}

/** What the keys of a tenant's Sessions begin with. */
export function tenantPrefix(tenantId: EntityId): string {
  return `${tenantId}/`;
}

export interface SessionOwner {
  readonly entityType: 'DEVICE' | 'APPLICATION';
  readonly id: EntityId;
  readonly name: string;
}

interface Registry {
  readonly deviceRef: (id: EntityId) => DeviceRef | undefined;
  readonly applicationRef: (id: EntityId) => ApplicationRef | undefined;
}

/** The device or application of a Session; null: an anonymous client. */
export function ownerOf(registry: Registry, { tenantId, ownerId }: KeyParts): SessionOwner | null {
  const device = registry.deviceRef(ownerId);
  if (device !== undefined && device.tenantId === tenantId) {
    return { entityType: 'DEVICE', id: device.id, name: device.name };
  }
  const application = registry.applicationRef(ownerId);
  if (application !== undefined && application.tenantId === tenantId) {
    return { entityType: 'APPLICATION', id: application.id, name: application.name };
  }
  return null;
}
