import { type Attribute, formatValue, type Point, type Value, ValueKind } from '@moorage/core';

/** JSON of a value: its native form, or, as ThingsBoard does by default, its text. thingsboard-server.md, 3.2 */
function valueJson(value: Value, strict: boolean): string {
  const json = formatValue(value);
  if (strict || value.kind === ValueKind.String) return json;
  return value.kind === ValueKind.Json ? JSON.stringify(json) : `"${json}"`;
}

/**
 * Latest values as a JSON text. By hand, since integers beyond 2^53 must keep every digit. A key without data has one
 * null value at `now`.
 */
export function latestJson(latest: ReadonlyMap<string, Point | null>, strict: boolean, now: number): string {
  let json = '{';
  for (const [key, point] of latest) {
    if (json.length > 1) json += ',';
    json +=
      point === null
        ? `${JSON.stringify(key)}:[{"ts":${now},"value":null}]`
        : `${JSON.stringify(key)}:[{"ts":${point.ts},"value":${valueJson(point, strict)}}]`;
  }
  return `${json}}`;
}

/** Points by key as a JSON text. */
export function seriesJson(series: ReadonlyMap<string, readonly Point[]>, strict: boolean): string {
  let json = '{';
  for (const [key, points] of series) {
    json += json.length > 1 ? `,${JSON.stringify(key)}:[` : `${JSON.stringify(key)}:[`;
    let separator = '';
    for (const point of points) {
      json += `${separator}{"ts":${point.ts},"value":${valueJson(point, strict)}}`;
      separator = ',';
    }
    json += ']';
  }
  return `${json}}`;
}

/** Attributes as a JSON text, values in their native form. thingsboard-server.md, 3.1 */
export function attributesJson(attributes: readonly Attribute[]): string {
  let json = '[';
  for (const attribute of attributes) {
    if (json.length > 1) json += ',';
    const { lastUpdateTs, key } = attribute;
    json += `{"lastUpdateTs":${lastUpdateTs},"key":${JSON.stringify(key)},"value":${formatValue(attribute)}}`;
  }
  return `${json}]`;
}
