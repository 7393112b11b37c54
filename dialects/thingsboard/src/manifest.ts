import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'thingsboard';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'ThingsBoard device API',
  documents: [
    'ThingsBoard MQTT Device API Reference, thingsboard.io, 2026',
    'ThingsBoard Community Edition, behaviour of development branch 4.4, mid 2026',
  ],
  capabilities: ['telemetry', 'attributes', 'rpc', 'claim', 'provision', 'ota', 'gateway'],
};
