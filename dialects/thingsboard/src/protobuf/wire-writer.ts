import { encodeText } from '@moorage/dialect-api';
import { WireType } from './wire-reader.ts';

/** Writes the wire format of Protocol Buffers. */
export class WireWriter {
  private bytes = new Uint8Array(128);
  private length = 0;

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  tag(field: number, wireType: number): void {
    this.varint((BigInt(field) << 3n) | BigInt(wireType));
  }

  /** A negative number is written as its 64-bit complement. */
  varint(value: bigint): void {
    let left = BigInt.asUintN(64, value);
    this.reserve(10);
    while (left >= 0x80n) {
      this.bytes[this.length++] = Number(left & 0x7fn) | 0x80;
      left >>= 7n;
    }
    this.bytes[this.length++] = Number(left);
  }

  fixed32(value: number): void {
    this.reserve(4);
    new DataView(this.bytes.buffer).setUint32(this.length, value, true);
    this.length += 4;
  }

  fixed64(value: bigint): void {
    this.reserve(8);
    new DataView(this.bytes.buffer).setBigUint64(this.length, BigInt.asUintN(64, value), true);
    this.length += 8;
  }

  float(value: number): void {
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.length, value, true);
    this.length += 4;
  }

  double(value: number): void {
    this.reserve(8);
    new DataView(this.bytes.buffer).setFloat64(this.length, value, true);
    this.length += 8;
  }

  block(bytes: Uint8Array): void {
    this.varint(BigInt(bytes.length));
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A whole field with a text. */
  text(field: number, text: string): void {
    this.tag(field, WireType.Bytes);
    this.block(encodeText(text));
  }

  /** A whole field with a message. */
  message(field: number, message: WireWriter): void {
    this.tag(field, WireType.Bytes);
    this.block(message.finish());
  }

  /** A whole field with a number or a boolean. */
  number(field: number, value: bigint): void {
    this.tag(field, WireType.Varint);
    this.varint(value);
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
