import type { Json, JsonObject } from '../../model/entities.ts';
import { isObject } from '../../values/json.ts';

/** Longest text of a credentials value; a PEM certificate with a chain of attributes fits. */
export const MAX_VALUE_LENGTH = 65_536;

/** A credentials value that is a JSON object; undefined: it is not. */
export function parseValue(text: string): JsonObject | undefined {
  if (text.length > MAX_VALUE_LENGTH) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

/** A member that may be text, null or absent; an empty text counts as null. undefined: it is something else. */
export function textMember(value: JsonObject, member: string): string | null | undefined {
  const text = Object.hasOwn(value, member) ? value[member] : null;
  if (text === null || text === undefined || text === '') return null;
  return typeof text === 'string' ? text : undefined;
}

/** Whether the value of a device's credentials lets it connect, as far as the type knows such a word. */
export function saysEnabled(credentialsValue: string | null): boolean {
  return credentialsValue === null || parseValue(credentialsValue)?.enabled !== false;
}
