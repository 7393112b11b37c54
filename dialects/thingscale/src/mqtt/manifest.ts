import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'thingscale';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'ThingScale',
  documents: [
    'ThingScale API 2.x, Using MQTT (dev.thingscale.io)',
    'ThingScale API 2.x, Using HTTP, and services device, channel, stream, event, publish, session (dev.thingscale.io)',
    'ThingScale API Reference V2.0.0 (sensinics.atlassian.net)',
  ],
  capabilities: ['telemetry', 'rpc', 'provision', 'routing'],
};
