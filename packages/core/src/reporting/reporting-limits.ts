import { type PlatformError, refuse } from '../errors.ts';
import type { Json, JsonObject } from '../model/entities.ts';
import { isObject } from '../values/json.ts';

/** Shared attribute by which a device learns when it is to report. */
export const REPORTING_ATTRIBUTE = 'moorage_reporting';

/** Telemetry keys that a profile may give limits for. */
const MAX_KEYS = 200;
const MAX_KEY_LENGTH = 255;
const MEMBERS: readonly string[] = ['min', 'max', 'delta', 'fastMs', 'slowMs'];
const FIELD = 'profileData.moorage.reporting';

/**
 * When devices of the profile report: telemetry key to `{min, max, delta, fastMs, slowMs}`, all optional. A device sends
 * at once when a value crosses `min` or `max` or moves by `delta`, then every `fastMs` milliseconds while it is outside,
 * else every `slowMs`. null: the profile says nothing of it. product.md, "What none of the five has", 6
 */
export function reportingOf(profileData: JsonObject): JsonObject | null {
  const given = givenReporting(profileData);
  return isObject(given) && Object.keys(given).length > 0 ? given : null;
}

/** Refuses reporting limits that devices could not obey, and names the member at fault; null: they are fine. */
export function reportingProblem(profileData: JsonObject): PlatformError | null {
  const given = givenReporting(profileData);
  if (given === undefined || given === null) return null;
  if (!isObject(given)) return invalid('', 'must be an object of telemetry keys');
  const entries = Object.entries(given);
  if (entries.length > MAX_KEYS) return invalid('', `must not have more than ${MAX_KEYS} keys`);
  for (const [key, limits] of entries) {
    if (key.trim() === '' || key.length > MAX_KEY_LENGTH || key.includes('\0')) {
      return invalid('', `has a key that is blank, has a null character or more than ${MAX_KEY_LENGTH} characters`);
    }
    const problem = limitsProblem(`.${key}`, limits);
    if (problem !== null) return problem;
  }
  return null;
}

function limitsProblem(path: string, limits: Json): PlatformError | null {
  if (!isObject(limits)) return invalid(path, 'must be an object');
  for (const [member, value] of Object.entries(limits)) {
    if (!MEMBERS.includes(member)) return invalid(`${path}.${member}`, `is not one of ${MEMBERS.join(', ')}`);
    if (typeof value !== 'number' || !Number.isFinite(value)) return invalid(`${path}.${member}`, 'must be a number');
  }
  const { min, max, delta, fastMs, slowMs } = limits as Readonly<Record<string, number | undefined>>;
  if (min !== undefined && max !== undefined && min > max) return invalid(`${path}.min`, 'must not be above max');
  if (delta !== undefined && delta < 0) return invalid(`${path}.delta`, 'must not be negative');
  for (const [member, value] of [['fastMs', fastMs] as const, ['slowMs', slowMs] as const]) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      return invalid(`${path}.${member}`, 'must be a whole number of milliseconds above 0');
    }
  }
  if (fastMs === undefined || slowMs === undefined || fastMs <= slowMs) return null;
  return invalid(`${path}.fastMs`, 'must not be above slowMs');
}

function givenReporting(profileData: JsonObject): Json | undefined {
  const own = Object.hasOwn(profileData, 'moorage') ? profileData.moorage : undefined;
  return isObject(own) && Object.hasOwn(own, 'reporting') ? own.reporting : undefined;
}

function invalid(path: string, what: string): PlatformError {
  return refuse('badRequest', `Validation error: ${FIELD}${path} ${what}`);
}
