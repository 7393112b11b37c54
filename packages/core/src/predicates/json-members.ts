import { type PlatformError, refuse } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';

/** An own member; null also where it is absent. */
export function memberOf(object: JsonObject, name: string): Json {
  return Object.hasOwn(object, name) ? (object[name] ?? null) : null;
}

/** A text of the list that is equal to the value. */
export function oneOf<T extends string>(allowed: readonly T[], value: Json): T | undefined {
  return allowed.find((one) => one === value);
}

/** 400 that names the member at fault. */
export function invalid(path: string, what: string): PlatformError {
  return refuse('badRequest', `Validation error: ${path} ${what}`);
}
