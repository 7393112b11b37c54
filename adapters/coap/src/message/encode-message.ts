import { type CoapMessage, MESSAGE_TYPES } from './coap-message.ts';

const PAYLOAD_MARKER = 0xff;

/** The datagram of a message. RFC 7252, 3 */
export function encodeMessage({ type, code, messageId, token, options, payload }: CoapMessage): Uint8Array {
  const first = (1 << 6) | (MESSAGE_TYPES.indexOf(type) << 4) | token.length;
  const head: number[] = [first, code, messageId >> 8, messageId & 0xff, ...token];
  let previous = 0;
  for (const { number, value } of options) {
    const delta = number - previous;
    head.push((nibble(delta) << 4) | nibble(value.length), ...extension(delta), ...extension(value.length), ...value);
    previous = number;
  }
  if (payload.length > 0) head.push(PAYLOAD_MARKER);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

function nibble(value: number): number {
  if (value < 13) return value;
  return value < 269 ? 13 : 14;
}

function extension(value: number): number[] {
  if (value < 13) return [];
  return value < 269 ? [value - 13] : [(value - 269) >> 8, (value - 269) & 0xff];
}
