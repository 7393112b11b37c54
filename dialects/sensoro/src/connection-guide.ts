import type { Device } from '@moorage/core';
import { type ConnectionGuide, mqttEndpoints, type PublicEndpoint } from '@moorage/dialect-api';
import { DIALECT_ID } from './manifest.ts';

/** No device connects by this dialect: applications do, and are told of devices of every other one. */
export function connectionGuide(device: Device, _credentials: unknown, endpoint: PublicEndpoint): ConnectionGuide {
  const text = [
    `SENSORO applications at ${endpoint.host} hear what devices send; the devices themselves connect by another dialect.`,
    `To choose the serial number that applications see, set the server attribute sensoro.sn of ${JSON.stringify(device.name)}.`,
  ].join('\n');
  return {
    dialect: DIALECT_ID,
    endpoints: mqttEndpoints(endpoint),
    fields: [{ name: 'device', value: device.name, secret: false }],
    snippets: [{ title: 'SENSORO', language: 'text', text }],
  };
}
