import { isText } from '../text.ts';

const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;
const SOLIDUS = 0x2f;

/** Tells whether a text holds `+` or `#`, which only Topic Filters may. [MQTT-4.7.0-1] */
export function hasWildcard(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === PLUS || unit === NUMBER_SIGN) return true;
  }
  return false;
}

/** Tells whether a text is a Topic Name: one character at least, at most 65,535 bytes, no wildcard, and fit for a string field. MQTT 5.0, 4.7 */
export function isTopicName(text: string): boolean {
  return text.length > 0 && !hasWildcard(text) && isText(text);
}

/** Counts the levels of a Topic Name or Topic Filter; empty levels count, so `/a` has two. MQTT 5.0, 4.7.1.1 */
export function countTopicLevels(text: string): number {
  let levels = 1;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) === SOLIDUS) levels++;
  }
  return levels;
}
