import type { WebhookMessage } from './webhook.ts';

const MAX_BODY_BYTES = 262_144;
const MAX_URL = 2_048;
const MAX_CONTENT_TYPE = 255;
const ADDRESS = /^https?:\/\/[^\s/?#]/i;
/** What a kept message costs besides its texts. */
const OVERHEAD_BYTES = 400;

/** Why a message cannot be put down, in plain English; null: it can. */
export function messageProblem(message: WebhookMessage): string | null {
  const { eventId, orderKey, url, contentType, body } = message;
  if (eventId.length < 1 || eventId.length > 64) return 'its event id does not have 1 to 64 characters';
  if (orderKey.length > 128) return 'its order key is longer than 128 characters';
  if (url.length > MAX_URL) return `its address is longer than ${MAX_URL} characters`;
  if (!ADDRESS.test(url)) return 'its address is not one of http or https';
  if (contentType.length > MAX_CONTENT_TYPE) return `its content type is longer than ${MAX_CONTENT_TYPE} characters`;
  if (body.length > MAX_BODY_BYTES) return `its body is longer than ${MAX_BODY_BYTES} bytes`;
  return null;
}

/** What a message costs in memory, about, in bytes. */
export function messageBytes({ url, orderKey, body }: WebhookMessage): number {
  return OVERHEAD_BYTES + 2 * (url.length + orderKey.length) + body.length;
}

/** The message with a body that keeps no larger buffer alive. */
export function compactMessage(message: WebhookMessage): WebhookMessage {
  const { body } = message;
  return body.buffer.byteLength > body.length + OVERHEAD_BYTES ? { ...message, body: body.slice() } : message;
}
