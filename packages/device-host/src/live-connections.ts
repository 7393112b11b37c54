import type { DialectId, EntityId } from '@moorage/core';
import type { HostContext } from './host-context.ts';

/** A connection as a console shows it. */
export interface LiveConnection {
  readonly clientId: string;
  /** Device or application. */
  readonly principalId: EntityId;
  /** Of the device or application. */
  readonly name: string;
  readonly tenantId: EntityId;
  readonly dialect: DialectId;
  readonly address: string;
  readonly listener: string;
  /** 3, 4 or 5. */
  readonly level: number;
  /** Epoch milliseconds, to the second. */
  readonly connectedAt: number;
  /** Devices that speak through it. */
  readonly subDevices: number;
}

/** The live connections of a tenant, or (null) of all, in no particular order; at most `limit` from `offset` on. */
export function listConnections(
  context: HostContext,
  tenantId: EntityId | null,
  offset: number,
  limit: number,
): { readonly total: number; readonly connections: readonly LiveConnection[] } {
  const { clock } = context.options;
  const connections: LiveConnection[] = [];
  let total = 0;
  for (const target of context.targets) {
    if (target.kind !== 'connection') continue;
    const { principal, handle, principalId } = target;
    if (handle === null || principalId === null) continue;
    if (tenantId !== null && principal.tenantId !== tenantId) continue;
    total++;
    if (total <= offset || connections.length >= limit) continue;
    connections.push({
      clientId: handle.clientId,
      principalId,
      name: (principal.device ?? principal.application)?.name ?? '',
      tenantId: principal.tenantId,
      dialect: principal.dialect,
      address: handle.via.remoteAddress,
      listener: handle.via.listener,
      level: handle.level,
      connectedAt: Math.round(clock.now() - clock.monotonic() + target.openedAtSeconds * 1000),
      subDevices: target.extras?.gateway?.size ?? 0,
    });
  }
  return { total, connections };
}
