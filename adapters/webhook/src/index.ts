export type { ResolvedAddress } from './guarded-connector.ts';
export { UndiciWebhookSender, type WebhookSenderOptions } from './undici-webhook-sender.ts';
