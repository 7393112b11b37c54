import type { DeviceRef } from '../model/connect-registry.ts';
import type { RpcSubmission } from './persistent-rpc.ts';

const LIFE_MS = 24 * 3_600_000;
const RETRIES = 3;

/**
 * The RPC that tells a gateway what became of a device behind it: `gateway_device_renamed` or `gateway_device_deleted`.
 * `params` is JSON text. thingsboard-device.md, section 8
 */
export function gatewayNotice(gateway: DeviceRef, method: string, params: string, now: number): RpcSubmission {
  return {
    tenantId: gateway.tenantId,
    deviceId: gateway.id,
    method,
    params,
    oneway: true,
    expirationTime: now + LIFE_MS,
    retries: RETRIES,
    additionalInfo: null,
    id: null,
  };
}
