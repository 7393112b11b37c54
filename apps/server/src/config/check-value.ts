import type { ValueSchema } from './setting.ts';

/** A value of a setting, checked. */
export type SettingValue = null | boolean | number | string | readonly string[];

/** A good value, or what the setting wants instead. */
export type Checked =
  | { readonly ok: true; readonly value: SettingValue }
  | { readonly ok: false; readonly wants: string };

/** Checks a value that has types of its own, as from a file. */
export function checkValue(schema: ValueSchema, value: unknown): Checked {
  return fits(schema, value) ? { ok: true, value } : { ok: false, wants: wanted(schema) };
}

/** Checks a value that came as text, from the environment or the command line. Lists are separated by commas. */
export function checkText(schema: ValueSchema, text: string): Checked {
  return checkValue(schema, fromText(schema, text));
}

/** What a setting accepts, in words. */
export function wanted(schema: ValueSchema): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf
      .filter((inner) => inner.type !== 'null')
      .map(wanted)
      .join(' or ');
  }
  if (schema.enum !== undefined)
    return schema.enum.length === 1 ? `${schema.enum[0]}` : `one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return schema.topicFilters === true ? 'a list of Topic Filters' : `a list of ${schema.entries ?? 'texts'}`;
    default:
      return wantedText(schema);
  }
}

function wantedText({ pattern, entries, minLength = 0, maxLength }: ValueSchema): string {
  if (entries !== undefined) return entries;
  if (pattern?.includes('@') === true) return 'an e-mail address';
  if (maxLength !== undefined) return `a text of ${minLength} to ${maxLength} characters`;
  return minLength > 0 ? 'a text that is not empty' : 'a text';
}

function fromText(schema: ValueSchema, text: string): unknown {
  const kinds = (schema.anyOf ?? [schema]).map((inner) => inner.type);
  if (kinds.includes('integer')) return /^[+-]?\d{1,16}$/.test(text) ? Number(text) : text;
  if (kinds.includes('boolean')) return text === 'true' ? true : text === 'false' ? false : text;
  if (kinds.includes('array')) {
    return text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  }
  return text;
}

function fits(schema: ValueSchema, value: unknown): value is SettingValue {
  if (schema.anyOf !== undefined) return schema.anyOf.some((inner) => fits(inner, value));
  if (schema.enum !== undefined) return typeof value === 'string' && schema.enum.includes(value);
  switch (schema.type) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value) && isBetween(Number(value), schema.minimum, schema.maximum);
    case 'string':
      return typeof value === 'string' && fitsText(schema, value);
    case 'array':
      return Array.isArray(value) && fitsList(schema, value);
    default:
      return false;
  }
}

function fitsText({ pattern, minLength, maxLength }: ValueSchema, value: string): boolean {
  const length = [...value].length;
  return isBetween(length, minLength, maxLength) && (pattern === undefined || new RegExp(pattern, 'u').test(value));
}

function fitsList({ items = {}, maxItems, topicFilters }: ValueSchema, values: readonly unknown[]): boolean {
  if (!isBetween(values.length, 0, maxItems)) return false;
  return values.every((value) => fits(items, value) && (topicFilters !== true || isTopicFilter(value)));
}

/** MQTT 5.0, 4.7.1: `#` alone in the last level, `+` alone in its level. A filter that cannot match would forbid nothing. */
function isTopicFilter(value: unknown): boolean {
  if (typeof value !== 'string' || value.includes('\0')) return false;
  const levels = value.split('/');
  return levels.every(
    (level, at) => !/[#+]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1),
  );
}

function isBetween(value: number, minimum = 0, maximum = Number.POSITIVE_INFINITY): boolean {
  return value >= minimum && value <= maximum;
}
