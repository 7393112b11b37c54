import { littleEndianHex, type RunningChecksum } from './running-checksum.ts';

/** Eight tables of 256 entries: table n holds the CRC of a byte followed by n zero bytes ("slicing by eight"). */
function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (-(crc & 1) & 0xedb88320);
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index += 1) {
    const before = tables[index - 256] ?? 0;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

const TABLES = makeTables();

/** The entry of a table for the lowest byte of `value`. */
function entry(table: number, value: number): number {
  return TABLES[(table << 8) | (value & 0xff)] ?? 0;
}

/** CRC-32 of ISO 3309 (polynomial 0xEDB88320 reflected). `123456789` is 0xCBF43926, written `2639f4cb`. */
export class Crc32 implements RunningChecksum {
  #crc = -1;

  update(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const whole = bytes.length - (bytes.length % 8);
    let crc = this.#crc;
    let at = 0;
    for (; at < whole; at += 8) {
      crc ^= view.getInt32(at, true);
      const next = view.getInt32(at + 4, true);
      crc =
        entry(7, crc) ^
        entry(6, crc >>> 8) ^
        entry(5, crc >>> 16) ^
        entry(4, crc >>> 24) ^
        entry(3, next) ^
        entry(2, next >>> 8) ^
        entry(1, next >>> 16) ^
        entry(0, next >>> 24);
    }
    for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ entry(0, crc ^ view.getUint8(at));
    this.#crc = crc;
  }

  hex(): string {
    return littleEndianHex([~this.#crc]);
  }
}
