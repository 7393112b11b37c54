import {
  type AttributesIntent,
  formatValues,
  PointList,
  type TelemetryIntent,
  type TextDecoding,
  type Value,
  type ValueFault,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';

/** Largest payload in bytes; beyond it the connection is closed. Section 11 */
export const MAXIMUM_PAYLOAD_SIZE = 65_536;

/** A payload of 65,536 bytes holds no more values than this. */
const MAXIMUM_VALUES = 16_384;

/** Sections 2.2 and 2.3: lenient JSON, null skipped. */
const CASTING: ValueReadOptions = {
  castStrings: true,
  tolerant: true,
  nulls: 'skipped',
  maximumValues: MAXIMUM_VALUES,
};
const NOT_CASTING: ValueReadOptions = { ...CASTING, castStrings: false };

/** How values are read; casting of strings is up to the profile. Section 2.3 */
export function readOptions(castStrings: boolean): ValueReadOptions {
  return castStrings ? CASTING : NOT_CASTING;
}

/** What a payload asks for; null: it is valid and holds nothing to store. */
export type Reading = TelemetryIntent | AttributesIntent | ValueFault | null;

/** Tells a fault from an intent. */
export function isFault(reading: Reading): reading is ValueFault {
  return typeof reading === 'string';
}

/** A telemetry message in any of the forms of section 2.2. */
export function decodeTelemetry(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  options: ValueReadOptions,
  receivedAt: number,
): Reading {
  const points = new PointList();
  const fault = reader.readSeries(payload, decoding, options, points, receivedAt);
  if (fault !== null) return fault;
  return points.length === 0 ? null : { kind: 'telemetry', points };
}

/** Client attributes: one object. Section 3.2 */
export function decodeAttributes(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  options: ValueReadOptions,
  receivedAt: number,
): Reading {
  const values = new PointList();
  const fault = reader.readObject(payload, decoding, options, values, receivedAt);
  if (fault !== null) return fault;
  return values.length === 0 ? null : { kind: 'attributes', scope: 'CLIENT', values };
}

/** Values of a shared attribute push. Section 3.4 */
export function encodeSharedAttributes(values: ReadonlyMap<string, Value>): Uint8Array {
  return encodeText(formatValues(values));
}

/** Names of deleted shared attributes. Section 3.4 */
export function encodeDeletedAttributes(keys: readonly string[]): Uint8Array {
  return encodeText(JSON.stringify({ deleted: keys }));
}

/** A server-side RPC as JSON text; `params` is JSON text, `head` members before the others. Sections 4.1 and 8 */
export function formatRpc(method: string, params: string, head = ''): string {
  return `{${head}"method":${JSON.stringify(method)},"params":${params === '' ? 'null' : params}}`;
}

export function encodeRpcRequest(method: string, params: string): Uint8Array {
  return encodeText(formatRpc(method, params));
}
