export type { NormaliseUrl } from './applications.ts';
export { SensoroDialect, type SensoroDialectOptions } from './dialect.ts';
export type * from './ports.ts';
export { sensoroWebhookKind, type WebhookKindOptions } from './push/webhook-kind.ts';
