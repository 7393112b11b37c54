import {
  PointList,
  type TextDecoding,
  typeNumber,
  type Value,
  type ValueFault,
  ValueKind,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';

/** Most properties of one message; one with more is kept as text. */
const MAXIMUM_VALUES = 16_384;
/** Section 4.5. Characters and bytes of what is no JSON. */
const RAW_CHARACTERS = 1024;
const RAW_BYTES = 512;

/** The prefix of nearly every message: `{"data":`. */
const PREFIX = encodeText('{"data":');
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Strict JSON whose values keep the types they are written in. Section 4.5 */
const OPTIONS: ValueReadOptions = {
  castStrings: false,
  tolerant: false,
  nulls: 'skipped',
  maximumValues: MAXIMUM_VALUES,
};

/** What a message on the Pub topic says of the device: its properties, all at `receivedAt`. Section 4.5 */
export function decodeUplink(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  receivedAt: number,
): PointList {
  if (payload.length === 0) return new PointList();
  const inner = wrapped(payload);
  const data = inner === null ? 'malformed' : readObject(reader, inner, decoding, receivedAt);
  // What follows `{"data":` is one object up to the last brace, so there is nothing else in the message.
  if (typeof data !== 'string') return data;
  const members = readObject(reader, payload, decoding, receivedAt);
  const points = typeof members === 'string' ? members : withoutEnvelope(reader, members, decoding, receivedAt);
  if (typeof points !== 'string') return points;
  const value = points === 'wrongShape' ? readValue(reader, payload, decoding, receivedAt) : points;
  return typeof value === 'string' ? rawProperty(payload, decoding, receivedAt) : value;
}

/** The bytes between `{"data":` and the last brace, if they begin like an object. */
function wrapped(payload: Uint8Array): Uint8Array | null {
  const { length } = PREFIX;
  if (payload[length] !== OPEN_BRACE || payload[payload.length - 1] !== CLOSE_BRACE) return null;
  for (let index = 0; index < length; index++) if (payload[index] !== PREFIX[index]) return null;
  return payload.subarray(length, payload.length - 1);
}

function readObject(
  reader: ValueReader,
  bytes: Uint8Array,
  decoding: TextDecoding,
  receivedAt: number,
): PointList | ValueFault {
  const points = new PointList();
  const fault = reader.readObject(bytes, decoding, OPTIONS, points, receivedAt);
  return fault === 'numberOutOfRange' ? readNearest(reader, bytes, decoding, receivedAt) : (fault ?? points);
}

/** The members of `data` if it is an object, else all but `ID`. */
function withoutEnvelope(
  reader: ValueReader,
  members: PointList,
  decoding: TextDecoding,
  receivedAt: number,
): PointList | ValueFault {
  const at = members.keys.indexOf('data');
  const data = members.values[at];
  if (members.kinds[at] === ValueKind.Json && typeof data === 'string' && data.startsWith('{')) {
    return readObject(reader, encodeText(data), decoding, receivedAt);
  }
  if (!members.keys.includes('ID')) return members;
  const points = new PointList();
  for (const [index, key] of members.keys.entries()) {
    const kind = members.kinds[index];
    const value = members.values[index];
    if (key !== 'ID' && kind !== undefined && value !== undefined) points.add(receivedAt, key, kind, value);
  }
  return points;
}

/** JSON that is no object: the property `value`. */
function readValue(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  receivedAt: number,
): PointList | ValueFault {
  const json = reader.readJson(payload, decoding);
  if (json === undefined) return 'malformed';
  return readObject(reader, encodeText(`{"value":${json}}`), decoding, receivedAt);
}

/** An object in which some number is larger or finer than a double: the nearest double is taken. Section 4.5 */
function readNearest(
  reader: ValueReader,
  bytes: Uint8Array,
  decoding: TextDecoding,
  receivedAt: number,
): PointList | ValueFault {
  const members = reader.readMembers(bytes, decoding, MAXIMUM_VALUES);
  if (typeof members === 'string') return members;
  const points = new PointList();
  for (const [key, json] of members) {
    const value = nearestValue(json);
    if (value !== null) points.add(receivedAt, key, value.kind, value.value);
  }
  return points;
}

/** The value of compact JSON text; null for `null`. */
function nearestValue(json: string): Value | null {
  switch (json.charAt(0)) {
    case 'n':
      return null;
    case 't':
    case 'f':
      return { kind: ValueKind.Boolean, value: json === 'true' };
    case '{':
    case '[':
      return { kind: ValueKind.Json, value: json };
    case '"': {
      const text: unknown = JSON.parse(json);
      return { kind: ValueKind.String, value: String(text).toWellFormed() };
    }
    default: {
      const typed = typeNumber(json, false);
      if (typeof typed !== 'string') return typed;
      const nearest = Number(json);
      if (Number.isFinite(nearest)) return { kind: ValueKind.Double, value: nearest };
      return { kind: ValueKind.String, value: json.slice(0, RAW_CHARACTERS) };
    }
  }
}

/** What is no JSON, or JSON whose names or depth nothing can hold, as it came. */
function rawProperty(payload: Uint8Array, decoding: TextDecoding, receivedAt: number): PointList {
  const points = new PointList();
  const text = decoding.text(payload);
  const value = text === undefined ? hexText(payload.subarray(0, RAW_BYTES)) : beginning(text);
  points.add(receivedAt, 'raw', ValueKind.String, value);
  return points;
}

function beginning(text: string): string {
  if (text.length <= RAW_CHARACTERS) return text;
  const start = text.slice(0, RAW_CHARACTERS);
  // Half of a surrogate pair could not be stored.
  return start.isWellFormed() ? start : start.slice(0, -1);
}

/** Lower-case hexadecimal digits. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
