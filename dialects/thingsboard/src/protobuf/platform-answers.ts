import { type Attribute, type Value, ValueKind } from '@moorage/core';
import { WireType } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** Answers and pushes in the platform's own messages. Field numbers are observed in the original. */

/** Type and value of a key: `{key = 1, type = 2, bool = 3, long = 4, double = 5, string = 6, json = 7}`. */
function keyValue(key: string, { kind, value }: Value): WireWriter {
  const writer = new WireWriter();
  writer.text(1, key);
  switch (kind) {
    case ValueKind.Boolean:
      if (value === true) writer.number(3, 1n);
      break;
    case ValueKind.Long:
      writer.number(2, 1n);
      writer.number(4, BigInt(value));
      break;
    case ValueKind.Double:
      writer.number(2, 2n);
      writer.tag(5, WireType.Fixed64);
      writer.double(Number(value));
      break;
    case ValueKind.String:
      writer.number(2, 3n);
      writer.text(6, String(value));
      break;
    default:
      writer.number(2, 4n);
      writer.text(7, String(value));
  }
  return writer;
}

/** A value with the time of its last write: `{ts = 1, kv = 2}`. */
function timedValue(key: string, value: Value, ts: number): WireWriter {
  const writer = new WireWriter();
  writer.number(1, BigInt(ts));
  writer.message(2, keyValue(key, value));
  return writer;
}

/** `{requestId = 1, repeated client = 2, repeated shared = 3}`. */
export function writeAttributes(id: string, client: readonly Attribute[], shared: readonly Attribute[]): Uint8Array {
  const writer = new WireWriter();
  writer.number(1, BigInt(id));
  for (const one of client) writer.message(2, timedValue(one.key, one, one.lastUpdateTs));
  for (const one of shared) writer.message(3, timedValue(one.key, one, one.lastUpdateTs));
  return writer.finish();
}

/** `{repeated updated = 1}`; `ts` is the time of the push. */
export function writeUpdatedAttributes(values: ReadonlyMap<string, Value>, ts: number): Uint8Array {
  const writer = new WireWriter();
  for (const [key, value] of values) writer.message(1, timedValue(key, value, ts));
  return writer.finish();
}

/** `{repeated deleted = 2}`. */
export function writeDeletedAttributes(keys: readonly string[]): Uint8Array {
  const writer = new WireWriter();
  for (const key of keys) writer.text(2, key);
  return writer.finish();
}

/** `{requestId = 1, payload = 2}`, where the payload is JSON text. */
export function writeClientRpcAnswer(id: string, payload: string): Uint8Array {
  const writer = new WireWriter();
  writer.number(1, BigInt(id));
  writer.text(2, payload);
  return writer.finish();
}
