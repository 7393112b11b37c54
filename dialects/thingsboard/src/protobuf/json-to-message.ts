import { encodeText, fromBase64 } from '@moorage/dialect-api';
import { WIRE_TYPES } from './scalars.ts';
import type { FieldSchema, MessageSchema, ScalarType, ValueType } from './schema.ts';
import { WireWriter } from './wire-writer.ts';

/** Deepest nesting of messages, the outermost included. */
const MAXIMUM_DEPTH = 24;

/** False: the value is none of this type. */
type Written = boolean;

function member(object: object, field: FieldSchema): unknown {
  const name = Object.hasOwn(object, field.jsonName) ? field.jsonName : field.name;
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function realNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined;
}

/** Smallest and largest number of each type of whole numbers. */
function fits(value: bigint, type: ScalarType): boolean {
  const bits = type.endsWith('32') ? 32 : 64;
  const unsigned = type.startsWith('u') || type.startsWith('fixed');
  return (unsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)) === value;
}

function writeWhole(writer: WireWriter, type: ScalarType, value: bigint): void {
  if (type === 'fixed32' || type === 'sfixed32') writer.fixed32(Number(BigInt.asUintN(32, value)));
  else if (type === 'fixed64' || type === 'sfixed64') writer.fixed64(value);
  else if (type === 'sint32' || type === 'sint64') writer.varint(value < 0n ? -2n * value - 1n : 2n * value);
  else writer.varint(value);
}

function writeScalar(writer: WireWriter, type: ScalarType, value: unknown): Written {
  switch (type) {
    case 'string':
      // Whatever is no text is given as the JSON text that it is: the usual schema has one text for all parameters.
      writer.block(encodeText(typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)));
      return true;
    case 'bytes': {
      const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
      if (bytes !== undefined) writer.block(bytes);
      return bytes !== undefined;
    }
    case 'bool':
      if (typeof value === 'boolean') writer.varint(value ? 1n : 0n);
      return typeof value === 'boolean';
    case 'double':
    case 'float': {
      const number = realNumber(value);
      if (number === undefined) return false;
      if (type === 'double') writer.double(number);
      else writer.float(number);
      return true;
    }
    default: {
      const number = wholeNumber(value);
      if (number === undefined || !fits(number, type)) return false;
      writeWhole(writer, type, number);
      return true;
    }
  }
}

function enumNumber(names: ReadonlyMap<number, string>, value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : undefined;
  for (const [number, name] of names) if (name === value) return number;
  return undefined;
}

function writeValue(writer: WireWriter, number: number, type: ValueType, value: unknown, depth: number): Written {
  if (type.kind === 'message') {
    const inner = new WireWriter();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    if (!writeMessage(inner, type.message, value, depth + 1)) return false;
    writer.message(number, inner);
    return true;
  }
  if (type.kind === 'enum') {
    const known = enumNumber(type.names, value);
    if (known !== undefined) writer.number(number, BigInt(known));
    return known !== undefined;
  }
  writer.tag(number, WIRE_TYPES[type.scalar]);
  return writeScalar(writer, type.scalar, value);
}

function writeEntries(writer: WireWriter, field: FieldSchema, value: unknown, depth: number): Written {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keyType = field.keyType ?? 'string';
  for (const [key, one] of Object.entries(value)) {
    const entry = new WireWriter();
    entry.tag(1, WIRE_TYPES[keyType]);
    if (!writeScalar(entry, keyType, keyType === 'bool' ? key === 'true' : key)) return false;
    if (!writeValue(entry, 2, field.type, one, depth)) return false;
    writer.message(field.number, entry);
  }
  return true;
}

function writeField(writer: WireWriter, field: FieldSchema, value: unknown, depth: number): Written {
  if (field.form === 'map') return writeEntries(writer, field, value, depth);
  if (field.form === 'single') return writeValue(writer, field.number, field.type, value, depth);
  if (!Array.isArray(value)) return false;
  const list: readonly unknown[] = value;
  return list.every((one) => writeValue(writer, field.number, field.type, one, depth));
}

function writeMessage(writer: WireWriter, schema: MessageSchema, object: object, depth: number): Written {
  if (depth > MAXIMUM_DEPTH) return false;
  for (const field of schema.fields) {
    const value = member(object, field);
    if (value === undefined || value === null) continue;
    if (!writeField(writer, field, value, depth)) return false;
  }
  return true;
}

/**
 * A message from parsed JSON; members without a field are left out. Lists are not packed, which every reader takes.
 * undefined: a member does not fit its field.
 */
export function jsonToMessage(json: object, schema: MessageSchema): Uint8Array | undefined {
  const writer = new WireWriter();
  return writeMessage(writer, schema, json, 1) ? writer.finish() : undefined;
}
