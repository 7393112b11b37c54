import { encodeText } from '@moorage/dialect-api';

/** Levels that mean something else in a topic. thingscale.md, 4.4 */
const RESERVED: ReadonlySet<string> = new Set(['0', 'json', 'binary', 'bin', 'state']);

/** Characters that split topics and filters, and control characters. */
const FORBIDDEN = /[/+#\p{Cc}]/u;

function isLevel(text: string, maximumBytes: number): boolean {
  return text !== '' && !FORBIDDEN.test(text) && text.isWellFormed() && encodeText(text).length <= maximumBytes;
}

/** 1 to 128 bytes. thingscale.md, 4.4 */
export function isDeviceId(text: string): boolean {
  return isLevel(text, 128) && !RESERVED.has(text);
}

/** 1 to 64 bytes. thingscale.md, 4.4 */
export function isTag(text: string): boolean {
  return isLevel(text, 64);
}
