import { type Clock, DeviceRateLimits, NO_RATE_LIMIT, parseRateLimit, type RateLimit } from '@moorage/core';
import { RoleLimits } from '@moorage/device-host';
import type { Configuration } from '../config/schema.ts';
import { EXIT, StartError } from '../start-error.ts';

type Settings = Configuration['device']['limits'];

/** The rates that devices, gateways and the devices behind them must keep to. Throws `StartError` for an impossible one. */
export function deviceLimits({ device, gateway }: Configuration, clock: Clock): RoleLimits {
  const meter = (setting: string, limits: Settings) =>
    new DeviceRateLimits(
      {
        messages: rate(`${setting}.messages`, limits.messages),
        telemetryMessages: rate(`${setting}.telemetryMessages`, limits.telemetryMessages),
        telemetryDataPoints: rate(`${setting}.telemetryDataPoints`, limits.telemetryDataPoints),
      },
      clock,
    );
  return new RoleLimits({
    device: meter('device.limits', device.limits),
    gateway: meter('gateway.limits', gateway.limits),
    subDevice: meter('gateway.deviceLimits', gateway.deviceLimits),
  });
}

function rate(setting: string, text: string | null): RateLimit {
  if (text === null) return NO_RATE_LIMIT;
  const parsed = parseRateLimit(text);
  if (parsed.ok) return parsed.limit;
  throw new StartError(`${setting}: ${parsed.message}`, {
    hint: 'as in 20:1,600:60, twenty a second and six hundred a minute',
    exitCode: EXIT.configuration,
  });
}
