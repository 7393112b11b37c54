import type { TextDecoding } from '@moorage/core';
import { toBase64 } from '@moorage/dialect-api';
import type { ScalarType } from './schema.ts';
import { type WireReader, WireType } from './wire-reader.ts';

/** Wire type of each type, outside of packed lists. */
export const WIRE_TYPES: Readonly<Record<ScalarType, number>> = {
  double: WireType.Fixed64,
  float: WireType.Fixed32,
  int32: WireType.Varint,
  int64: WireType.Varint,
  uint32: WireType.Varint,
  uint64: WireType.Varint,
  sint32: WireType.Varint,
  sint64: WireType.Varint,
  fixed32: WireType.Fixed32,
  fixed64: WireType.Fixed64,
  sfixed32: WireType.Fixed32,
  sfixed64: WireType.Fixed64,
  bool: WireType.Varint,
  string: WireType.Bytes,
  bytes: WireType.Bytes,
};

/** JSON text of each type's default value. A number of a type with a point keeps it. */
export function defaultOf(type: ScalarType): string {
  if (type === 'string' || type === 'bytes') return '""';
  if (type === 'bool') return 'false';
  return type === 'double' || type === 'float' ? '0.0' : '0';
}

/** JSON text of a double, with a point or an exponent, so that it is read back as a double. */
function formatDouble(value: number, text: string): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value));
  if (!Number.isInteger(value)) return text;
  return `${Math.abs(value) < 1e21 ? text : BigInt(value)}.0`;
}

/** The shortest decimal that is this number of 32 bits. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/** Takes a value of this type, as JSON text. Numbers of 64 bits are written as numbers, in all their digits. */
export function readScalar(reader: WireReader, type: ScalarType, decoding: TextDecoding): string {
  switch (type) {
    case 'double': {
      const value = reader.double();
      return formatDouble(value, String(value));
    }
    case 'float': {
      const value = reader.float();
      return formatDouble(value, shortestFloat(value));
    }
    case 'int32':
      return String(BigInt.asIntN(32, reader.varint()));
    case 'int64':
      return String(BigInt.asIntN(64, reader.varint()));
    case 'uint32':
      return String(BigInt.asUintN(32, reader.varint()));
    case 'uint64':
      return String(reader.varint());
    case 'sint32':
      return String(BigInt.asIntN(32, zigzag(BigInt.asUintN(32, reader.varint()))));
    case 'sint64':
      return String(zigzag(reader.varint()));
    case 'fixed32':
      return String(reader.fixed32());
    case 'fixed64':
      return String(reader.fixed64());
    case 'sfixed32':
      return String(reader.fixed32() | 0);
    case 'sfixed64':
      return String(BigInt.asIntN(64, reader.fixed64()));
    case 'bool':
      return String(reader.varint() !== 0n);
    case 'bytes':
      return `"${toBase64(reader.block())}"`;
    default:
      return JSON.stringify(readText(reader, decoding));
  }
}

/** A text; one that is not UTF-8 makes the message malformed. */
export function readText(reader: WireReader, decoding: TextDecoding): string {
  const text = decoding.text(reader.block());
  if (text === undefined) reader.fail();
  return text ?? '';
}
