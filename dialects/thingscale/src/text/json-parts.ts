import type { Json, JsonObject } from '@moorage/core';

/** Deepest nesting of a stored value, the outermost object included. thingscale.md, 4.5 */
export const MAXIMUM_DEPTH = 16;

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index of the quote that ends the string which begins at `start`; the length of the text if none does. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === BACKSLASH) index++;
    else if (unit === QUOTE) return index;
  }
  return text.length;
}

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

/** Parsed JSON; undefined: it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    const json: Json = JSON.parse(text);
    return json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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

/** What stands between the commas of a compact object or array. */
function parts(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  const end = text.length - 1;
  for (let index = 1; index < end; index++) {
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
        depth--;
        break;
      case 0x2c:
        if (depth > 0) break;
        found.push(text.slice(start, index));
        start = index + 1;
        break;
      default:
    }
  }
  if (end > start) found.push(text.slice(start, end));
  return found;
}

/** Elements of a well-formed, compact JSON array as texts. */
export function elementTexts(array: string): readonly string[] {
  return parts(array);
}

/** Members of a well-formed, compact JSON object as texts, in their order; of equal names the last holds. */
export function memberTexts(object: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const part of parts(object)) {
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
