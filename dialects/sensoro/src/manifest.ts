import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'sensoro';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'SENSORO',
  documents: [
    'SENSORO developer documentation: MQTT (7 December 2021)',
    'SENSORO developer documentation: Webhook, API authentication, Open API (public copies, examples of 2016 to 2018)',
    'Sensoro/IoT-Developer-Demo, the receiver of pushes (2017)',
  ],
  capabilities: ['telemetry'],
};
