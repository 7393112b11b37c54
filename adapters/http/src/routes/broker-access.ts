import { type Caller, type DeviceService, type Result, refuse, success } from '@moorage/core';
import type { BrokerTarget } from '../broker-desk.ts';

/** The broker's state is for administrators of tenants, each for the own one; gives the tenant. */
export function brokerTenantOf({ authority, tenantId }: Caller): Result<string> {
  return authority === 'TENANT_ADMIN' ? success(tenantId) : refuse('permissionDenied');
}

/** Whom a request names: a Client Identifier, or a device that the caller has the right to. */
export async function brokerTargetOf(
  devices: Pick<DeviceService, 'get'>,
  caller: Caller,
  named: { readonly clientId?: string; readonly deviceId?: string },
): Promise<Result<BrokerTarget>> {
  const { clientId, deviceId } = named;
  if ((clientId === undefined) === (deviceId === undefined)) {
    return refuse('badRequest', 'Name the client by either clientId or deviceId.');
  }
  if (clientId !== undefined) return success({ clientId });
  const device = await devices.get(caller, (deviceId ?? '').toLowerCase());
  return device.ok ? success({ device: device.value }) : device;
}
