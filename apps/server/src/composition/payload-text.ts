import { isUtf8 } from 'node:buffer';
import type { ReadText } from '@moorage/mqtt-codec';

const REPLACEMENT = '\uFFFD';

/** Text of bytes that are known to be well-formed; Node's own reader of a Buffer. */
export const readText: ReadText = (bytes, start, end) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');

/** Text of a payload, or undefined if it is not well-formed UTF-8. The costly check runs only where something was replaced. */
export function payloadText(payload: Uint8Array): string | undefined {
  const text = readText(payload, 0, payload.byteLength);
  if (text.includes(REPLACEMENT) && !isUtf8(payload)) return undefined;
  return text;
}
