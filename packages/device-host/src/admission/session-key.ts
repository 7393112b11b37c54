import type { Principal } from '@moorage/dialect-api';

/** Key of a Session on the whole server: tenant, dialect, identity. architecture.md, Identity */
export function sessionKey(principal: Principal): string | null {
  return principal.identity === null ? null : `${principal.tenantId}/${principal.dialect}/${principal.identity}`;
}
