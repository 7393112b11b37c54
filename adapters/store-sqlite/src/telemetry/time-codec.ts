import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Milliseconds of a UTC day. */
export const DAY_MS = 86_400_000;

/** Times of one day after the first one, rising, as differences of differences. All values stay within 30 bits. */
export function writeTimes(writer: ByteWriter, ts: Float64Array, count: number): void {
  writer.reserve(count * 5);
  const bytes = writer.bytes;
  let at = writer.at;
  let last = ts[0] ?? 0;
  let lastStep = 0;
  for (let index = 1; index < count; index++) {
    const time = ts[index] ?? 0;
    const step = time - last;
    const change = step - lastStep;
    last = time;
    lastStep = step;
    let rest = (change << 1) ^ (change >> 31);
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
  }
  writer.at = at;
}

export function readTimes(reader: ByteReader, ts: Float64Array, from: number, count: number, first: number): void {
  const bytes = reader.bytes;
  let time = first;
  let step = 0;
  ts[from] = first;
  for (let index = from + 1; index < from + count; index++) {
    const byte = bytes[reader.at] ?? 128;
    if (byte < 128) {
      reader.at++;
      step += (byte >>> 1) ^ -(byte & 1);
    } else step += reader.signed();
    time += step;
    ts[index] = time;
  }
}
