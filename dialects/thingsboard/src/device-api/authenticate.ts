import type { DeviceRef } from '@moorage/core';
import type { DeviceDesk, DeviceRequest } from '@moorage/dialect-api';
import { DIALECT_ID } from '../manifest.ts';

/**
 * The device whose access token is in the path; null: nobody's, and the guess has been noted. Other credentials can not
 * use HTTP and CoAP. Section 9
 */
export async function authenticate(request: DeviceRequest, desk: DeviceDesk): Promise<DeviceRef | null> {
  const token = request.parameters.token ?? '';
  const holder = token === '' ? undefined : desk.credentials.byUsername(token);
  if (holder?.dialect === DIALECT_ID) {
    for (const { credentialsType, device } of holder.credentials) {
      if (credentialsType === 'ACCESS_TOKEN' && device !== null) return device;
    }
  }
  await desk.refused(request.remoteAddress, token, 'No ThingsBoard device has this access token.');
  return null;
}

/**
 * A profile that is bound to another transport refuses CoAP, as it refuses MQTT (section 1.3). No transport type is
 * HTTP, so no profile keeps its devices from it.
 */
export function mayUseCoap({ settings }: DeviceRef): boolean {
  return settings.transportType === 'DEFAULT' || settings.transportType === 'COAP';
}
