import { jsonParts, jsonString, type TextDecoding, type ValueFault, type ValueReader } from '@moorage/core';
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
  return text?.charCodeAt(0) === 0x5b ? jsonParts(text, maximum) : undefined;
}

/** A whole number that is written as a number or as a string; undefined: it is something else. */
export function integerOf(text: string | undefined): number | undefined {
  const written = text === undefined ? undefined : (jsonString(text) ?? text);
  if (written === undefined || !/^-?\d{1,16}$/.test(written)) return undefined;
  const number = Number(written);
  return Number.isSafeInteger(number) ? number : undefined;
}
