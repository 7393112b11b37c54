import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'alibaba';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'Alibaba Link',
  documents: [
    'Alibaba Cloud IoT Platform, device access documentation, 2024',
    'Link SDK for C 3.0.1, 3.2.0 and 4.2.0 (behaviour)',
    'Link SDK for JavaScript 1.2.8 (behaviour)',
  ],
  capabilities: ['telemetry', 'attributes', 'rpc', 'provision', 'ota', 'gateway', 'routing'],
};
