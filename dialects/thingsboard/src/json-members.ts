import {
  formatValue,
  PointList,
  type TextDecoding,
  type ValueFault,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';

/** The members of a JSON object as compact JSON text by name. */
export type Members = ReadonlyMap<string, string>;

function lenient(maximumMembers: number): ValueReadOptions {
  return { castStrings: false, tolerant: true, nulls: 'skipped', maximumValues: maximumMembers };
}

/**
 * Reads a JSON object, strictly or else leniently (section 2.2). Of equal names the last holds; a member that is null
 * may be left out.
 */
export function readMembers(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  maximumMembers: number,
): Members | ValueFault {
  const strict = reader.readMembers(payload, decoding, maximumMembers);
  if (strict !== 'malformed') return strict;
  const points = new PointList();
  const fault = reader.readObject(payload, decoding, lenient(maximumMembers), points, 0);
  if (fault !== null) return fault;
  const members = new Map<string, string>();
  for (const [index, name] of points.keys.entries()) {
    const kind = points.kinds[index];
    const value = points.values[index];
    if (kind !== undefined && value !== undefined) members.set(name, formatValue({ kind, value }));
  }
  return members;
}

/** The member as parsed JSON; null where it is absent or null. */
export function memberOf(members: Members, name: string): unknown {
  const text = members.get(name);
  return text === undefined ? null : JSON.parse(text);
}

/** The member as text; a number or boolean as it is written. null: absent or null; undefined: an object or array. */
export function textMember(members: Members, name: string): string | null | undefined {
  const value = memberOf(members, name);
  if (value === null) return null;
  // A lone surrogate could not be stored as UTF-8.
  if (typeof value === 'string') return value.toWellFormed();
  return typeof value === 'object' ? undefined : members.get(name);
}
