/** Reads one byte; the caller has checked that `index` lies inside. */
export function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

/** Reads a Two Byte Integer, most significant byte first; the caller has checked the bounds. MQTT 5.0, 1.5.2 */
export function twoBytesAt(bytes: Uint8Array, index: number): number {
  return (byteAt(bytes, index) << 8) | byteAt(bytes, index + 1);
}

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);
