import { StoreError } from '../sqlite/store-error.ts';

/** Reads what `ByteWriter` wrote. Reading past the end throws `StoreError` `corrupt-record`. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Throws unless `sizeBytes` more bytes are there. */
  need(sizeBytes: number): void {
    if (this.at + sizeBytes > this.bytes.length) {
      throw new StoreError('corrupt-record', `Record of ${this.bytes.length} bytes ends within a value at ${this.at}`);
    }
  }

  byte(): number {
    this.need(1);
    return this.bytes[this.at++] ?? 0;
  }

  varint(): number {
    const bytes = this.bytes;
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = bytes[this.at++];
      if (byte === undefined || shift > 49) this.need(this.bytes.length);
      const part = (byte ?? 0) & 127;
      value = shift < 28 ? value | (part << shift) : value + part * 2 ** shift;
      if ((byte ?? 0) < 128) return value;
      shift += 7;
    }
  }

  signed(): number {
    const value = this.varint();
    if (value <= 0x7fffffff) return (value >>> 1) ^ -(value & 1);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    this.need(8);
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    const head = this.varint();
    const wide = head % 2 === 1;
    const sizeBytes = (head - (wide ? 1 : 0)) / 2;
    this.need(sizeBytes);
    const end = this.at + sizeBytes;
    const value = wide ? this.bytes.toString('utf16le', this.at, end) : this.bytes.toString('utf8', this.at, end);
    this.at = end;
    return value;
  }
}
