import { type PlatformError, refuse } from '../errors.ts';
import type { JsonObject } from '../model/entities.ts';

/** Longest name, label or type. thingsboard-server.md, 0.3 */
export const MAX_NAME_LENGTH = 255;
/** Longest JSON text of one free member of an entity. */
export const MAX_JSON_LENGTH = 1_048_576;

const MARKUP = /<[a-z!/?]/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const ENTITY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** True for text in the form of an id, in any case. */
export function isEntityId(text: string): boolean {
  return ENTITY_ID.test(text);
}

/** True for C0 and C1 control characters anywhere in the text. */
export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** Refuses a display text that is too long, has control characters or HTML markup; null: it is fine. */
export function textProblem(member: string, text: string | null): PlatformError | null {
  if (text === null) return null;
  if (text.length > MAX_NAME_LENGTH) {
    return refuse('badRequest', `Validation error: ${member} length must be equal or less than ${MAX_NAME_LENGTH}`);
  }
  if (MARKUP.test(text) || CONTROL.test(text) || !text.isWellFormed()) {
    return refuse('badRequest', `Validation error: ${member} is malformed`);
  }
  return null;
}

/** The same for a name, which must not be blank. `entity` begins the sentence, as in `Device name should be specified!`. */
export function nameProblem(entity: string, name: string): PlatformError | null {
  if (name.trim() === '') return refuse('badRequest', `${entity} name should be specified!`);
  return textProblem('name', name);
}

/** Refuses free JSON that is too long to keep; null: it is fine. */
export function jsonProblem(member: string, value: JsonObject | null): PlatformError | null {
  if (value === null || JSON.stringify(value).length <= MAX_JSON_LENGTH) return null;
  return refuse('badRequest', `Validation error: ${member} is longer than ${MAX_JSON_LENGTH} characters`);
}
