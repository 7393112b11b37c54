import type { DeviceIntent, Intent } from '@moorage/core';

/** Points and attribute values that a message brings for the device that sent it. thingsboard-device.md, 11 */
export function pointsIn(intents: readonly (Intent | DeviceIntent)[]): number {
  let points = 0;
  for (const intent of intents) {
    if (intent.kind === 'telemetry') points += intent.points.length;
    else if (intent.kind === 'attributes') points += intent.values.length;
  }
  return points;
}
