import { byteAt } from './bytes.ts';

/** How good the bytes of a string field are. */
export const TextQuality = {
  /** May stand in every string. */
  WellFormed: 0,
  /** Valid UTF-8, but with a control character or a non-character, which no string may hold here (mqtt.md, O-3). */
  Discouraged: 1,
  /** Not UTF-8, or with a surrogate, or with U+0000. [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
  IllFormed: 2,
} as const;
export type TextQuality = (typeof TextQuality)[keyof typeof TextQuality];

/** Tells whether a code point is a control character (U+0001 to 001F, 007F to 009F) or a non-character. mqtt.md, O-3 */
export function isDiscouragedCodePoint(codePoint: number): boolean {
  if (codePoint < 0x20) return true;
  if (codePoint < 0x7f) return false;
  if (codePoint <= 0x9f) return true;
  return (codePoint >= 0xfdd0 && codePoint <= 0xfdef) || (codePoint & 0xfffe) === 0xfffe;
}

function isContinuation(bytes: Uint8Array, index: number, end: number): boolean {
  return index < end && (byteAt(bytes, index) & 0xc0) === 0x80;
}

/** Classifies the bytes of a string field; nearly all strings are plain ASCII and leave in the first loop. */
export function textQuality(bytes: Uint8Array, start: number, end: number): TextQuality {
  let position = start;
  while (position < end) {
    const byte = byteAt(bytes, position);
    if (byte < 0x20 || byte > 0x7e) break;
    position++;
  }
  return position === end ? TextQuality.WellFormed : fullTextQuality(bytes, position, end);
}

function fullTextQuality(bytes: Uint8Array, start: number, end: number): TextQuality {
  let quality: TextQuality = TextQuality.WellFormed;
  let position = start;
  while (position < end) {
    const lead = byteAt(bytes, position);
    let codePoint: number;
    if (lead < 0x80) {
      if (lead === 0) return TextQuality.IllFormed; // [MQTT-1.5.4-2]
      codePoint = lead;
      position += 1;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
      if (!isContinuation(bytes, position + 1, end)) return TextQuality.IllFormed;
      codePoint = ((lead & 0x1f) << 6) | (byteAt(bytes, position + 1) & 0x3f);
      position += 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      if (!isContinuation(bytes, position + 1, end) || !isContinuation(bytes, position + 2, end)) {
        return TextQuality.IllFormed;
      }
      codePoint =
        ((lead & 0x0f) << 12) | ((byteAt(bytes, position + 1) & 0x3f) << 6) | (byteAt(bytes, position + 2) & 0x3f);
      // Overlong forms, and the surrogates of [MQTT-1.5.4-1].
      if (codePoint < 0x800 || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return TextQuality.IllFormed;
      position += 3;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      if (
        !isContinuation(bytes, position + 1, end) ||
        !isContinuation(bytes, position + 2, end) ||
        !isContinuation(bytes, position + 3, end)
      ) {
        return TextQuality.IllFormed;
      }
      codePoint =
        ((lead & 0x07) << 18) |
        ((byteAt(bytes, position + 1) & 0x3f) << 12) |
        ((byteAt(bytes, position + 2) & 0x3f) << 6) |
        (byteAt(bytes, position + 3) & 0x3f);
      if (codePoint < 0x1_0000 || codePoint > 0x10_ffff) return TextQuality.IllFormed;
      position += 4;
    } else {
      return TextQuality.IllFormed;
    }
    if (isDiscouragedCodePoint(codePoint)) quality = TextQuality.Discouraged;
  }
  return quality;
}
