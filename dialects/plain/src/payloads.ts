import {
  jsonString,
  PointList,
  type TextDecoding,
  type ValueFault,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';

/** Most values of one message. PL-32 */
const MAXIMUM_VALUES = 20_000;
/** Longest name of an RPC method in characters. */
const MAXIMUM_METHOD_LENGTH = 255;
const MAXIMUM_REQUEST_MEMBERS = 16;
/** An answer with more members is taken whole. */
const MAXIMUM_RESPONSE_MEMBERS = 1000;

/** Strict JSON; strings are cast if the device's profile says so. */
export function readOptions(castStrings: boolean): ValueReadOptions {
  return { castStrings, tolerant: false, nulls: 'skipped', maximumValues: MAXIMUM_VALUES };
}

/** Points of an object of values, of `{"ts","values"}`, or of an array of these. architecture.md, Spaces */
export function decodeValues(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
  options: ValueReadOptions,
  receivedAt: number,
): PointList | ValueFault {
  const points = new PointList();
  return reader.readSeries(payload, decoding, options, points, receivedAt) ?? points;
}

/** The answer of a device as JSON text: what stands in `result`, else the whole. undefined: it is not JSON. */
export function decodeRpcResponse(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
): string | undefined {
  const json = reader.readJson(payload, decoding);
  if (json === undefined) return undefined;
  const members = reader.readMembers(payload, decoding, MAXIMUM_RESPONSE_MEMBERS);
  return (typeof members === 'string' ? undefined : members.get('result')) ?? json;
}

/** The command of an application. `params` is JSON text. */
export interface RpcRequest {
  readonly method: string;
  readonly params: string;
}

/** `{"method":text,"params":any}`, where `params` may be missing; undefined: it is something else. */
export function decodeRpcRequest(
  reader: ValueReader,
  payload: Uint8Array,
  decoding: TextDecoding,
): RpcRequest | undefined {
  const members = reader.readMembers(payload, decoding, MAXIMUM_REQUEST_MEMBERS);
  if (typeof members === 'string') return undefined;
  const method = jsonString(members.get('method'));
  if (method === undefined || method === '' || method.length > MAXIMUM_METHOD_LENGTH) return undefined;
  return { method, params: members.get('params') ?? 'null' };
}

/** A command to a device; `params` is JSON text. */
export function encodeRpcRequest(method: string, params: string): Uint8Array {
  return encodeText(`{"method":${JSON.stringify(method)},"params":${params === '' ? 'null' : params}}`);
}
