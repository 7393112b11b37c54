import type { Json, JsonObject } from '../model/entities.ts';

/** A member of a document's body; undefined if the body itself has none of that name. */
function memberOf(body: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

export function textMember(body: JsonObject, name: string): string | null {
  const value = memberOf(body, name);
  return typeof value === 'string' ? value : null;
}

export function numberMember(body: JsonObject, name: string): number | null {
  const value = memberOf(body, name);
  return typeof value === 'number' ? value : null;
}

export function flagMember(body: JsonObject, name: string): boolean {
  return memberOf(body, name) === true;
}

export function objectMember(body: JsonObject, name: string): JsonObject | null {
  const value = memberOf(body, name);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
