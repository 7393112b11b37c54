import type { DeviceRef, SessionLimits } from '@moorage/core';
import type { MessageLimits } from '../options.ts';

/** Bytes of a payload and of a chunk. thingsboard-device.md, 11 */
export const MAXIMUM_PAYLOAD_BYTES = 65_536;
/** Messages of a device that may be unfinished at the same time. thingsboard-device.md, 4.5 */
export const MAXIMUM_INFLIGHT_MESSAGES = 100;

const NONE = { messages: '', telemetryMessages: '', telemetryDataPoints: '' };

/** What `getSessionLimits` tells a device. thingsboard-device.md, 4.5 */
export function sessionLimitsOf(device: DeviceRef, limits: MessageLimits | undefined): SessionLimits {
  return (
    limits?.sessionLimits(device) ?? {
      maxPayloadSize: MAXIMUM_PAYLOAD_BYTES,
      maxInflightMessages: MAXIMUM_INFLIGHT_MESSAGES,
      ...NONE,
      subDevice: device.gateway ? NONE : null,
    }
  );
}
