import { endOfString, jsonParts } from '@moorage/core';

/** Deepest nesting of a stored value, the outermost object included. thingscale.md, 4.5 */
export const MAXIMUM_DEPTH = 16;

const QUOTE = 0x22;

/** Nesting of brackets outside strings. Told before anything is parsed, so also of text that is no JSON. */
export function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case 0x5b:
      case 0x7b:
        depth++;
        deepest = Math.max(deepest, depth);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
      default:
    }
  }
  return deepest;
}

/** Well-formed JSON without white space between its parts; numbers and texts stay as they are written. */
export function compactJson(text: string): string {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) index = endOfString(text, index);
    else if (unit <= 0x20) {
      if (index > start) parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.join('');
}

/** Elements of a well-formed, compact JSON array as texts. */
export function elementTexts(array: string): readonly string[] {
  return jsonParts(array, Number.POSITIVE_INFINITY) ?? [];
}

/** Members of a well-formed, compact JSON object as texts, in their order; of equal names the last holds. */
export function memberTexts(object: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const part of jsonParts(object, Number.POSITIVE_INFINITY) ?? []) {
    const colon = endOfString(part, 0) + 1;
    const name: string = JSON.parse(part.slice(0, colon));
    // A lone surrogate could not be stored as UTF-8.
    members.set(name.toWellFormed(), part.slice(colon + 1));
  }
  return members;
}

/** Text of an object of these members. */
export function objectText(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}
