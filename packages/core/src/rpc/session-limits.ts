import type { SessionLimits } from '../device-platform.ts';
import { strictestRateLimit } from '../limits/rate-limit-text.ts';

/**
 * The answer to `getSessionLimits` as JSON text. thingsboard-device.md, 4.5
 *
 * A gateway's client libraries disagree on which of the two objects is theirs, so both carry the limits that are safe for
 * the gateway and for each of its devices.
 */
export function sessionLimitsText(limits: SessionLimits): string {
  const { maxPayloadSize, maxInflightMessages, messages, telemetryMessages, telemetryDataPoints, subDevice } = limits;
  if (subDevice === null) {
    const rateLimits = { messages, telemetryMessages, telemetryDataPoints };
    return JSON.stringify({ maxPayloadSize, maxInflightMessages, rateLimits });
  }
  const rateLimits = {
    messages: strictestRateLimit(messages, subDevice.messages),
    telemetryMessages: strictestRateLimit(telemetryMessages, subDevice.telemetryMessages),
    telemetryDataPoints: strictestRateLimit(telemetryDataPoints, subDevice.telemetryDataPoints),
  };
  return JSON.stringify({ maxPayloadSize, maxInflightMessages, rateLimits, gatewayRateLimits: rateLimits });
}
