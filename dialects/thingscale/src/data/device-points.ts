import { type Json, MAXIMUM_KEY_LENGTH, PointList, valueFromJson } from '@moorage/core';

/**
 * Numbers, texts and truth values of a point as telemetry of its device, `tag.key` with a tag. A name that is too long or
 * blank is left out. thingscale.md, 4.5
 */
export function devicePoints(value: ReadonlyMap<string, Json>, tag: string | null, receivedAt: number): PointList {
  const points = new PointList();
  for (const [name, member] of value) {
    if (typeof member === 'object') continue;
    const key = tag === null ? name : `${tag}.${name}`;
    if (key.length > MAXIMUM_KEY_LENGTH || key.trim() === '' || key.includes('\0')) continue;
    const typed = valueFromJson(member, false);
    if (typed !== null) points.add(receivedAt, key, typed.kind, typed.value);
  }
  return points;
}
