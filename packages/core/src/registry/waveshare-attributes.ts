import type { Json, JsonObject } from '../model/entities.ts';
import type { WaveshareAttribute, WaveshareAttributeType } from '../model/profile-settings.ts';
import { hasControlCharacters, MAX_NAME_LENGTH } from './text-rules.ts';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const TYPES: readonly WaveshareAttributeType[] = ['int', 'float', 'bool', 'string', 'enum', 'json'];
const MAX_ENUM_VALUES = 256;
const RANGE_MEMBERS = ['minimum', 'maximum', 'step'] as const;

type Range = Record<(typeof RANGE_MEMBERS)[number], number | null>;

/** An attribute as the vendor's console knows it, or why it is none, as the end of a sentence. waveshare.md, 4.2 */
export function readWaveshareAttribute(entry: Json): WaveshareAttribute | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'is not an object';
  const given = entry as JsonObject;
  const { identifier } = given;
  if (typeof identifier !== 'string' || !IDENTIFIER.test(identifier)) {
    return 'has an identifier that is not a letter or _ and at most 63 further letters, digits and _';
  }
  const type = TYPES.find((known) => known === given.type);
  if (type === undefined) return `has a type that is not one of ${TYPES.join(', ')}`;
  const name = readText(given.name);
  const unit = readText(given.unit);
  if (name === undefined) return `has a name that is no text of at most ${MAX_NAME_LENGTH} characters`;
  if (unit === undefined) return `has a unit that is no text of at most ${MAX_NAME_LENGTH} characters`;
  const range = readRange(given);
  if (typeof range === 'string') return range;
  const values = readValues(type, given.values ?? null);
  if (typeof values === 'string') return values;
  const access = given.access ?? 'rw';
  if (access !== 'r' && access !== 'rw') return 'has an access that is not r or rw';
  return { identifier, name, type, unit, ...range, values, access };
}

/** null: left out; undefined: no text to be shown. */
function readText(text: Json | undefined): string | null | undefined {
  if (text === undefined || text === null) return null;
  if (typeof text !== 'string' || text.length > MAX_NAME_LENGTH) return undefined;
  return hasControlCharacters(text) || !text.isWellFormed() ? undefined : text;
}

function readRange(given: JsonObject): Range | string {
  const range: Range = { minimum: null, maximum: null, step: null };
  for (const member of RANGE_MEMBERS) {
    const value = given[member] ?? null;
    if (value !== null && typeof value !== 'number') return `has a ${member} that is no number`;
    range[member] = value;
  }
  const { minimum, maximum, step } = range;
  if (minimum !== null && maximum !== null && minimum > maximum) return 'has a minimum above its maximum';
  return step !== null && step <= 0 ? 'has a step that is not above 0' : range;
}

function readValues(type: WaveshareAttributeType, given: Json): readonly (string | number)[] | null | string {
  if (type !== 'enum') return given === null ? null : 'has values, which are for the type enum only';
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_ENUM_VALUES) {
    return `has no list of 1 to ${MAX_ENUM_VALUES} values, as the type enum needs`;
  }
  const entries: readonly Json[] = given;
  const values = entries.filter((value) => typeof value === 'number' || typeof value === 'string');
  const isFine = values.every((value) => typeof value === 'number' || readText(value) === value);
  return values.length === given.length && isFine ? values : 'has values that are no texts or numbers';
}
