import type { TextDecoding, ValueFault, ValueReader } from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';

/** Members of a JSON object as compact JSON text, by name. */
export type Members = ReadonlyMap<string, string>;

/** Reads the parts of JSON that has been read as compact text before, so that numbers keep the way they are written. */
export class JsonTexts {
  readonly reader: ValueReader;
  readonly decoding: TextDecoding;

  constructor(reader: ValueReader, decoding: TextDecoding) {
    this.reader = reader;
    this.decoding = decoding;
  }

  /** undefined: it is no object, has more members, or a name that nothing can be stored under. */
  members(text: string | undefined, maximum: number): Members | undefined {
    if (text?.charCodeAt(0) !== 0x7b) return undefined;
    const members: Members | ValueFault = this.reader.readMembers(encodeText(text), this.decoding, maximum);
    return typeof members === 'string' ? undefined : members;
  }
}

/** The elements of compact JSON that is known to be well-formed; undefined: it is no array, or has more elements. */
export function elementsOf(text: string | undefined, maximum: number): readonly string[] | undefined {
  if (text?.charCodeAt(0) !== 0x5b) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let start = 1;
  for (let index = 1; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22:
        index = endOfString(text, index);
        break;
      case 0x5b:
      case 0x7b:
        depth++;
        break;
      case 0x5d:
      case 0x7d:
        if (depth === 0) {
          if (index > start) elements.push(text.slice(start, index));
          return elements.length > maximum ? undefined : elements;
        }
        depth--;
        break;
      case 0x2c:
        if (depth > 0) break;
        elements.push(text.slice(start, index));
        if (elements.length > maximum) return undefined;
        start = index + 1;
        break;
      default:
    }
  }
  return undefined;
}

/** Index of the quote that ends the string which begins at `index`. */
function endOfString(text: string, index: number): number {
  for (let at = index + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) at++;
    else if (unit === 0x22) return at;
  }
  return text.length;
}

/** The text of a JSON string; undefined: it is something else. */
export function stringOf(text: string | undefined): string | undefined {
  if (text?.charCodeAt(0) !== 0x22) return undefined;
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** A whole number that is written as a number or as a string; undefined: it is something else. */
export function integerOf(text: string | undefined): number | undefined {
  const written = text === undefined ? undefined : (stringOf(text) ?? text);
  if (written === undefined || !/^-?\d{1,16}$/.test(written)) return undefined;
  const number = Number(written);
  return Number.isSafeInteger(number) ? number : undefined;
}
