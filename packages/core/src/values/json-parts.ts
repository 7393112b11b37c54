const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index of the quote that ends the string which begins at `start`; the length of the text if none does. */
export function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === BACKSLASH) index++;
    else if (unit === QUOTE) return index;
  }
  return text.length;
}

/**
 * What stands between the commas of a compact object or array that is known to be well-formed, as it is written and in
 * its order; undefined: it has more than `maximum` parts, or no end. Reads no further than the part that is too many.
 */
export function jsonParts(text: string, maximum: number): readonly string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let index = 1; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case 0x5b:
      case 0x7b:
        depth++;
        break;
      case 0x5d:
      case 0x7d:
        if (depth === 0) {
          if (index > start) parts.push(text.slice(start, index));
          return parts.length > maximum ? undefined : parts;
        }
        depth--;
        break;
      case 0x2c:
        if (depth > 0) break;
        parts.push(text.slice(start, index));
        if (parts.length > maximum) return undefined;
        start = index + 1;
        break;
      default:
    }
  }
  return undefined;
}

/** The text of a JSON string that is known to be well-formed; undefined: it is something else. */
export function jsonString(text: string | undefined): string | undefined {
  if (text?.charCodeAt(0) !== QUOTE) return undefined;
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'string' ? parsed : undefined;
}
