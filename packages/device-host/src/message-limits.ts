import type { DeviceRateLimits, DeviceRef, EntityId, SessionLimits } from '@moorage/core';
import { MAXIMUM_INFLIGHT_MESSAGES, MAXIMUM_PAYLOAD_BYTES } from './intents/session-limits.ts';
import type { DeviceRole, MessageLimiter, MessageLimits } from './options.ts';

type Meter = Pick<DeviceRateLimits, 'texts' | 'of' | 'take' | 'removed'>;

/** The limits of devices, of gateways, and of the devices behind gateways. thingsboard-device.md, 4.5 and 11 */
export class RoleLimits implements MessageLimits {
  readonly #meters: Readonly<Record<DeviceRole, Meter>>;

  constructor(meters: Readonly<Record<DeviceRole, Meter>>) {
    this.#meters = meters;
  }

  limiterOf(device: DeviceRef, role: DeviceRole): MessageLimiter | null {
    const meter = this.#meters[role];
    const state = meter.of(device.id);
    if (state === null) return null;
    return { take: (points) => meter.take(state, points > 0 ? 'telemetry' : 'message', points) };
  }

  sessionLimits(device: DeviceRef): SessionLimits {
    return {
      maxPayloadSize: MAXIMUM_PAYLOAD_BYTES,
      maxInflightMessages: MAXIMUM_INFLIGHT_MESSAGES,
      ...this.#meters[device.gateway ? 'gateway' : 'device'].texts,
      subDevice: device.gateway ? this.#meters.subDevice.texts : null,
    };
  }

  removed(deviceId: EntityId): void {
    for (const meter of Object.values(this.#meters)) meter.removed(deviceId);
  }
}
