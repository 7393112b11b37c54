import {
  longValue,
  MAXIMUM_KEY_LENGTH,
  type PointList,
  type TextDecoding,
  type ValueFault,
  ValueKind,
  type ValueReader,
  type ValueReadOptions,
} from '@moorage/core';
import { encodeText } from '@moorage/dialect-api';
import { readText } from './scalars.ts';
import { WireReader, WireType } from './wire-reader.ts';

/** Latest moment of the calendar in milliseconds, either way from 1970. */
const LAST_MOMENT = 8.64e15;

/** Kinds of values in the platform's own messages. Observed in the original: KeyValueType */
const KIND = { Boolean: 0, Long: 1, Double: 2, String: 3, Json: 4 } as const;

/** What reading a value needs beside its bytes. */
export interface ValueReading {
  readonly reader: ValueReader;
  readonly decoding: TextDecoding;
  readonly options: ValueReadOptions;
}

interface KeyValue {
  key: string;
  kind: number;
  boolean: boolean;
  long: bigint;
  double: number;
  text: string;
  json: string;
}

function readKeyValue(reader: WireReader, decoding: TextDecoding): KeyValue {
  const read: KeyValue = { key: '', kind: KIND.Boolean, boolean: false, long: 0n, double: 0, text: '', json: '' };
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    const { wireType } = reader;
    if (number === 1 && wireType === WireType.Bytes) read.key = readText(reader, decoding);
    else if (number === 2 && wireType === WireType.Varint) read.kind = Number(BigInt.asIntN(32, reader.varint()));
    else if (number === 3 && wireType === WireType.Varint) read.boolean = reader.varint() !== 0n;
    else if (number === 4 && wireType === WireType.Varint) read.long = BigInt.asIntN(64, reader.varint());
    else if (number === 5 && wireType === WireType.Fixed64) read.double = reader.double();
    else if (number === 6 && wireType === WireType.Bytes) read.text = readText(reader, decoding);
    else if (number === 7 && wireType === WireType.Bytes) read.json = readText(reader, decoding);
    else reader.skip();
  }
  return read;
}

function isKey(text: string): boolean {
  return text.length <= MAXIMUM_KEY_LENGTH && text.trim() !== '' && !text.includes('\0');
}

function addValue(read: KeyValue, ts: number, into: PointList, reading: ValueReading): ValueFault | null {
  if (!isKey(read.key)) return 'invalidKey';
  if (into.length >= reading.options.maximumValues) return 'tooManyValues';
  switch (read.kind) {
    case KIND.Boolean:
      into.add(ts, read.key, ValueKind.Boolean, read.boolean);
      return null;
    case KIND.Long: {
      const { kind, value } = longValue(read.long);
      into.add(ts, read.key, kind, value);
      return null;
    }
    case KIND.Double:
      if (!Number.isFinite(read.double)) return 'numberOutOfRange';
      into.add(ts, read.key, ValueKind.Double, read.double);
      return null;
    case KIND.String:
      into.add(ts, read.key, ValueKind.String, read.text);
      return null;
    case KIND.Json: {
      const { reader, decoding, options } = reading;
      const json = reader.readJson(encodeText(read.json), decoding);
      if (json === undefined) return 'malformed';
      return reader.readObject(encodeText(`{${JSON.stringify(read.key)}:${json}}`), decoding, options, into, ts);
    }
    default:
      return 'wrongShape';
  }
}

/** Values that follow each other as field `field`; `tsField` 0: there is no time among them. */
function readValues(
  payload: Uint8Array,
  field: number,
  tsField: number,
  receivedAt: number,
  into: PointList,
  reading: ValueReading,
): ValueFault | null {
  const reader = new WireReader(payload);
  const values: KeyValue[] = [];
  let ts = 0n;
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    if (number === field && reader.wireType === WireType.Bytes) {
      const inner = new WireReader(reader.block());
      values.push(readKeyValue(inner, reading.decoding));
      if (inner.malformed) reader.fail();
    } else if (number === tsField && reader.wireType === WireType.Varint) ts = BigInt.asIntN(64, reader.varint());
    else reader.skip();
  }
  if (reader.malformed) return 'malformed';
  if (values.length === 0) return 'wrongShape';
  const at = ts === 0n ? receivedAt : Number(ts);
  if (Math.abs(at) > LAST_MOMENT) return 'invalidTimestamp';
  for (const value of values) {
    const fault = addValue(value, at, into, reading);
    if (fault !== null) return fault;
  }
  return null;
}

/** Telemetry in the platform's own message, `{ts = 1, repeated kv = 2}`; no time is the time of receipt. */
export function readPlatformTelemetry(
  payload: Uint8Array,
  receivedAt: number,
  into: PointList,
  reading: ValueReading,
): ValueFault | null {
  return readValues(payload, 2, 1, receivedAt, into, reading);
}

/** Client attributes in the platform's own message, `{repeated kv = 1}`. */
export function readPlatformAttributes(
  payload: Uint8Array,
  receivedAt: number,
  into: PointList,
  reading: ValueReading,
): ValueFault | null {
  return readValues(payload, 1, 0, receivedAt, into, reading);
}
