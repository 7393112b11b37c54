/** A growing byte buffer. `bytes` is replaced when it grows; `at` is the number of bytes written. */
export class ByteWriter {
  bytes: Buffer<ArrayBuffer>;
  at = 0;

  constructor(initialBytes: number) {
    this.bytes = Buffer.from(new ArrayBuffer(initialBytes));
  }

  /** Makes room for `sizeBytes` more bytes. */
  reserve(sizeBytes: number): void {
    const needed = this.at + sizeBytes;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** LEB128 of an integer from 0 to 2^53 - 1; room for 8 bytes must have been reserved. */
  varint(value: number): void {
    const bytes = this.bytes;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.at++] = rest;
  }

  /** Zigzag LEB128 of an integer within ±2^52. */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  double(value: number): void {
    this.at = this.bytes.writeDoubleLE(value, this.at);
  }

  /** Text with its length: UTF-8, or UTF-16 where unpaired surrogates would not survive UTF-8. */
  text(value: string): void {
    if (value.isWellFormed()) {
      const sizeBytes = Buffer.byteLength(value);
      this.reserve(sizeBytes + 8);
      this.varint(sizeBytes * 2);
      this.bytes.write(value, this.at, sizeBytes, 'utf8');
      this.at += sizeBytes;
      return;
    }
    const sizeBytes = value.length * 2;
    this.reserve(sizeBytes + 8);
    this.varint(sizeBytes * 2 + 1);
    this.bytes.write(value, this.at, sizeBytes, 'utf16le');
    this.at += sizeBytes;
  }

  /** A copy of what has been written from `from` on. */
  slice(from = 0): Buffer<ArrayBuffer> {
    const copy = Buffer.from(new ArrayBuffer(this.at - from));
    this.bytes.copy(copy, 0, from, this.at);
    return copy;
  }
}
