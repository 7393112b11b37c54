import { isObject, parseJson } from '@moorage/core';
import type { DeviceDesk } from '@moorage/dialect-api';
import { compactJson, depthOf, memberTexts } from '../text/json-parts.ts';

/** Nesting of a body: a value at its deepest within a list of points. */
const MAXIMUM_BODY_DEPTH = 20;
const MAXIMUM_TEXT = 1024;

/** Members of a JSON body as compact texts, by name. */
export type Members = ReadonlyMap<string, string>;

/** The body as compact JSON, whatever the content type says; undefined: it is none, or nests too deep. */
export function jsonBody(body: Uint8Array, desk: DeviceDesk): string | undefined {
  const text = desk.text(body);
  if (text === undefined || depthOf(text) > MAXIMUM_BODY_DEPTH) return undefined;
  const trimmed = text.trim();
  return parseJson(trimmed) === undefined ? undefined : compactJson(trimmed);
}

/** Members of a body that is an object. */
export function bodyMembers(body: Uint8Array, desk: DeviceDesk): Members | undefined {
  const text = jsonBody(body, desk);
  return text !== undefined && isObject(parseJson(text)) ? memberTexts(text) : undefined;
}

/** Thrown while a body is read: a member is not what it has to be. */
export class BadMember extends Error {
  constructor(name: string) {
    super(`The member ${name} of the body is not valid.`);
    this.name = 'BadMember';
  }
}

/** Typed members of a body; each is undefined where it is absent, and throws `BadMember` where it is something else. */
export class BodyReader {
  readonly #members: Members;

  constructor(members: Members) {
    this.#members = members;
  }

  #read(name: string) {
    const text = this.#members.get(name);
    return text === undefined ? undefined : parseJson(text);
  }

  text(name: string, maximum = MAXIMUM_TEXT): string | undefined {
    const value = this.#read(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length > maximum) throw new BadMember(name);
    return value.toWellFormed();
  }

  boolean(name: string): boolean | undefined {
    const value = this.#read(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw new BadMember(name);
  }

  /** A whole number that is not negative, or null. */
  count(name: string): number | null | undefined {
    const value = this.#read(name);
    if (value === undefined || value === null) return value;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new BadMember(name);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.#read(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new BadMember(name);
    return found;
  }
}
