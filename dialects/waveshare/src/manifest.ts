import type { DialectManifest } from '@moorage/dialect-api';

/** Name of this dialect in the registry, on pinned listeners and in the API. */
export const DIALECT_ID = 'waveshare';

export const manifest: DialectManifest = {
  id: DIALECT_ID,
  title: 'Waveshare Cloud',
  documents: [
    'Waveshare Cloud, device to device communication over MQTT, 2025',
    'ESP32-C6-GEEK chapters 16 and 17, ESP32-S3-A7670E-4G and SIM7028 documentation, 2025',
    'SIMCom A76XX and SIM7XXX series, CMQTT AT commands, 2023',
  ],
  capabilities: ['telemetry', 'attributes', 'rpc', 'routing'],
};
