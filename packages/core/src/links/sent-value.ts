import { valueText } from '../live/live-messages.ts';
import type { Json } from '../model/entities.ts';
import { formatValue } from '../values/format-value.ts';
import { type Value, ValueKind } from '../values/value.ts';
import { valueFromJson } from '../values/value-from-json.ts';
import type { StoredLink } from './link.ts';

/** What a link sends: JSON text for a method, a value for an attribute; null: the value cannot be one. */
export interface SentValue {
  readonly params: string;
  readonly value: Value | null;
}

/** What the link makes of a value; null: its map does not have it. api-additions.md, 3 */
export function sentValue({ map }: Pick<StoredLink, 'map'>, value: Value): SentValue | null {
  if (map === null) return { params: formatValue(value), value };
  const json = mapped(map, value);
  return json === undefined ? null : { params: JSON.stringify(json), value: valueFromJson(json, false) };
}

function mapped(map: Readonly<Record<string, Json>>, value: Value): Json | undefined {
  const text = valueText(value);
  if (Object.hasOwn(map, text)) return map[text];
  // Whoever writes `1` means a Double of 1 too, whose text is `1.0`.
  const short = value.kind === ValueKind.Double ? String(value.value) : text;
  return Object.hasOwn(map, short) ? map[short] : undefined;
}

/** Members of a call's parameters that may be keys. */
const MAX_MEMBERS = 16;
const SETTER = /^set[_-]?(.)(.*)$/is;

/**
 * The keys by which the device may report that it did what it was told: the name of the attribute or the method, without
 * a leading `set` too, and the members of the parameters.
 */
export function reportedKeys({ method, attribute }: StoredLink['target'], params: string): ReadonlySet<string> {
  if (attribute !== null) return new Set([attribute]);
  if (method === null) return new Set();
  const keys = new Set([method]);
  const [, first, rest] = SETTER.exec(method) ?? [];
  if (first !== undefined && rest !== undefined) keys.add(first.toLowerCase() + rest).add(first + rest);
  if (params.startsWith('{')) {
    for (const name of Object.keys(JSON.parse(params)).slice(0, MAX_MEMBERS)) keys.add(name);
  }
  return keys;
}
