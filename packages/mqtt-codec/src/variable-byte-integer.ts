import { byteAt } from './bytes.ts';

/** Largest value of a Variable Byte Integer, and so the largest Remaining Length. MQTT 5.0, 1.5.5 */
export const MAXIMUM_VARIABLE_BYTE_INTEGER = 268_435_455;

/** Bytes of the shortest form of a Variable Byte Integer: 1 to 4. */
export function variableByteIntegerSize(value: number): 1 | 2 | 3 | 4 {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

/** Writes the shortest form and returns the offset behind it. `value` is 0 to 268,435,455. [MQTT-1.5.5-1] */
export function writeVariableByteInteger(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let position = offset;
  while (rest > 0x7f) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

/** What `readVariableByteInteger` gives when the bytes end too early, when a fifth byte follows, or when the form is not the shortest. */
export const INVALID_VARIABLE_BYTE_INTEGER = -1;

/** Reads a Variable Byte Integer in its shortest form, or gives INVALID_VARIABLE_BYTE_INTEGER. [MQTT-1.5.5-1] */
export function readVariableByteInteger(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let position = start, shift = 0; position < end && shift < 28; position++, shift += 7) {
    const byte = byteAt(bytes, position);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return byte === 0 && shift > 0 ? INVALID_VARIABLE_BYTE_INTEGER : value;
  }
  return INVALID_VARIABLE_BYTE_INTEGER;
}
