import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

const POWERS = new Float64Array([1, 10, 100, 1000, 10_000, 100_000, 1_000_000]);
/** Largest decimal scale tried: 10^6. */
export const LARGEST_SCALE = POWERS.length - 1;
/** Scaled integers stay below this, so that their differences are exact doubles and fit `ByteWriter.signed`. */
const LARGEST_SCALED = 2 ** 51;

/** 10 to the power of a scale from 0 to `LARGEST_SCALE`. */
export function powerOfTen(scale: number): number {
  return POWERS[scale] ?? 1;
}

/**
 * The smallest scale at which every value is an integer divided by a power of ten, or -1. Negative zero is no such
 * value: its sign would be lost.
 */
export function decimalScale(values: Float64Array, count: number): number {
  let scale = 0;
  let largest = 0;
  for (let at = 0; at < count; at++) {
    const value = values[at] ?? 0;
    if (Object.is(value, -0)) return -1;
    const size = Math.abs(value);
    if (size > largest) largest = size;
    for (;;) {
      const power = POWERS[scale] ?? 1;
      if (Math.round(value * power) / power === value) break;
      if (++scale > LARGEST_SCALE) return -1;
    }
  }
  return largest * (POWERS[scale] ?? 1) < LARGEST_SCALED ? scale : -1;
}

/** Differences of the scaled integers as zigzag varints. `scale` comes from `decimalScale`. */
export function writeDecimals(writer: ByteWriter, values: Float64Array, count: number, scale: number): void {
  writer.reserve(count * 8);
  const power = POWERS[scale] ?? 1;
  const bytes = writer.bytes;
  let at = writer.at;
  let previous = 0;
  for (let index = 0; index < count; index++) {
    const scaled = Math.round((values[index] ?? 0) * power);
    const difference = scaled - previous;
    previous = scaled;
    if (difference > 0x3fffffff || difference < -0x3fffffff) {
      writer.at = at;
      writer.signed(difference);
      at = writer.at;
      continue;
    }
    let rest = (difference << 1) ^ (difference >> 31);
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
  }
  writer.at = at;
}

export function readDecimals(
  reader: ByteReader,
  values: Float64Array,
  from: number,
  count: number,
  scale: number,
): void {
  const power = powerOfTen(scale);
  const bytes = reader.bytes;
  let scaled = 0;
  for (let index = from; index < from + count; index++) {
    const first = bytes[reader.at] ?? 128;
    if (first < 128) {
      reader.at++;
      scaled += (first >>> 1) ^ -(first & 1);
    } else scaled += reader.signed();
    values[index] = scaled / power;
  }
}

const word = new DataView(new ArrayBuffer(8));

function zeroBytes(bits: number): number {
  return bits === 0 ? 4 : Math.clz32(bits) >>> 3;
}

function trailingZeroBytes(bits: number): number {
  return bits === 0 ? 4 : (31 - Math.clz32(bits & -bits)) >>> 3;
}

/**
 * The bytes in which each double differs from the one before: a byte with the number of leading (high half) and
 * trailing equal bytes, then the rest. At most 9 bytes per value.
 */
export function writeXor(writer: ByteWriter, values: Float64Array, count: number): void {
  writer.reserve(count * 9);
  let previousHigh = 0;
  let previousLow = 0;
  for (let index = 0; index < count; index++) {
    word.setFloat64(0, values[index] ?? 0);
    const high = word.getInt32(0);
    const low = word.getInt32(4);
    const differentHigh = high ^ previousHigh;
    const differentLow = low ^ previousLow;
    previousHigh = high;
    previousLow = low;
    const leading = differentHigh === 0 ? 4 + zeroBytes(differentLow) : zeroBytes(differentHigh);
    const trailing = differentLow === 0 ? 4 + trailingZeroBytes(differentHigh) : trailingZeroBytes(differentLow);
    const kept = leading === 8 ? 0 : 8 - leading - trailing;
    writer.byte((leading << 4) | (leading === 8 ? 0 : trailing));
    word.setInt32(0, differentHigh);
    word.setInt32(4, differentLow);
    for (let byte = leading; byte < leading + kept; byte++) writer.byte(word.getUint8(byte));
  }
}

export function readXor(reader: ByteReader, values: Float64Array, from: number, count: number): void {
  let high = 0;
  let low = 0;
  for (let index = from; index < from + count; index++) {
    const control = reader.byte();
    const leading = control >>> 4;
    const kept = leading >= 8 ? 0 : 8 - leading - (control & 15);
    reader.need(kept);
    word.setFloat64(0, 0);
    for (let byte = leading; byte < leading + kept; byte++) word.setUint8(byte, reader.bytes[reader.at++] ?? 0);
    high ^= word.getInt32(0);
    low ^= word.getInt32(4);
    word.setInt32(0, high);
    word.setInt32(4, low);
    values[index] = word.getFloat64(0);
  }
}
