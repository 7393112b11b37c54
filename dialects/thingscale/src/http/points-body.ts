import { parseJson } from '@moorage/core';
import type { DeviceDesk } from '@moorage/dialect-api';
import { elementTexts, memberTexts } from '../text/json-parts.ts';
import { isTag } from '../text/names.ts';
import { MAXIMUM_PAYLOAD, readJsonValue } from '../text/payload.ts';
import { parseTime } from '../text/times.ts';
import { jsonBody, type Members } from './body-members.ts';

/** thingscale.md, 4.8 */
const MAXIMUM_POINTS = 1000;

export interface WrittenPoint {
  /** JSON text of an object. */
  readonly value: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly tag: string | null;
}

export interface PointDefaults {
  readonly tag: string | null;
  readonly at: number;
  readonly zone: string;
}

/** The object without `value` is itself the value. */
function valueText(element: string, members: Members): string | undefined {
  const text = members.get('value') ?? element;
  const value = text.length > MAXIMUM_PAYLOAD ? undefined : readJsonValue(text);
  return typeof value === 'object' ? value.text : undefined;
}

/** undefined: it is no tag. */
function tagOf(members: Members, otherwise: string | null): string | null | undefined {
  const tag = parseJson(members.get('tag') ?? 'null');
  if (tag === null || tag === '') return otherwise;
  return typeof tag === 'string' && isTag(tag) ? tag : undefined;
}

/** undefined: it is no time. */
function timeOf(members: Members, { at, zone }: PointDefaults): number | undefined {
  const text = parseJson(members.get('at') ?? 'null');
  if (text === null) return at;
  const time = typeof text === 'string' ? parseTime(text, zone, 'start') : undefined;
  return time !== undefined && time >= 0 ? time : undefined;
}

function readPoint(element: string, defaults: PointDefaults): WrittenPoint | 'BAD_JSON_FORMAT' | 'BAD_TIME_FORMAT' {
  if (!element.startsWith('{')) return 'BAD_JSON_FORMAT';
  const members = memberTexts(element);
  const value = valueText(element, members);
  const isWhole = !members.has('value');
  const tag = isWhole ? defaults.tag : tagOf(members, defaults.tag);
  if (value === undefined || tag === undefined) return 'BAD_JSON_FORMAT';
  const at = isWhole ? defaults.at : timeOf(members, defaults);
  return at === undefined ? 'BAD_TIME_FORMAT' : { value, at, tag };
}

/** Points of a bulk write, in their order. thingscale.md, 4.8 */
export function writtenPoints(
  body: Uint8Array,
  desk: DeviceDesk,
  defaults: PointDefaults,
): readonly WrittenPoint[] | 'BAD_JSON_FORMAT' | 'BAD_TIME_FORMAT' {
  const text = jsonBody(body, desk);
  if (text === undefined) return 'BAD_JSON_FORMAT';
  const elements = text.startsWith('[') ? elementTexts(text) : [text];
  if (elements.length === 0 || elements.length > MAXIMUM_POINTS) return 'BAD_JSON_FORMAT';
  const points: WrittenPoint[] = [];
  for (const element of elements) {
    const point = readPoint(element, defaults);
    if (typeof point === 'string') return point;
    points.push(point);
  }
  return points;
}
