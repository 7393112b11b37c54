import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'plain';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'Plain MQTT',
  documents: [
    'MQTT Version 5.0, OASIS Standard, 7 March 2019',
    'MQTT Version 3.1.1, OASIS Standard, 29 October 2014',
    'MQTT V3.1 Protocol Specification, 2010',
  ],
  capabilities: ['telemetry', 'attributes', 'rpc', 'routing'],
};
