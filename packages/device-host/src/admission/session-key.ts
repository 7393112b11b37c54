import type { DialectId, EntityId } from '@moorage/core';
import type { Principal } from '@moorage/dialect-api';

/** Key of a Session on the whole server: tenant, dialect, identity. architecture.md, Identity */
export function sessionKey({ tenantId, dialect, identity }: Principal): string | null {
  return identity === null ? null : keyOf(tenantId, dialect, identity);
}

export function keyOf(tenantId: EntityId, dialect: DialectId, identity: string): string {
  return `${tenantId}/${dialect}/${identity}`;
}
