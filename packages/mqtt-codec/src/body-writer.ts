import { MAXIMUM_TEXT_BYTES, textBytes, writeText } from './text.ts';
import {
  MAXIMUM_VARIABLE_BYTE_INTEGER,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';

const HEADER_ROOM = 5;
/** Up to 64 bytes V8 keeps the bytes of an array in its own heap; a larger one costs an allocation outside. */
const FIRST_CAPACITY = 64;

/** Collects the fields of one packet in a buffer that grows. Values are taken as they are; the types say which are legal. */
export class BodyWriter {
  /** A text or binary value above 65,535 bytes was left out, since no field can hold it. */
  overflow = false;
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #end = HEADER_ROOM;

  #reserve(size: number): Uint8Array {
    const needed = this.#end + size;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#end));
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  byte(value: number): void {
    this.#reserve(1)[this.#end++] = value;
  }

  twoBytes(value: number): void {
    const bytes = this.#reserve(2);
    bytes[this.#end++] = value >>> 8;
    bytes[this.#end++] = value;
  }

  fourBytes(value: number): void {
    this.twoBytes(value >>> 16);
    this.twoBytes(value & 0xffff);
  }

  variableByteInteger(value: number): void {
    this.#end = writeVariableByteInteger(this.#reserve(4), this.#end, value);
  }

  text(text: string): void {
    const size = textBytes(text);
    if (size > MAXIMUM_TEXT_BYTES) {
      this.overflow = true;
      return;
    }
    this.twoBytes(size);
    this.#end = writeText(this.#reserve(size), this.#end, text);
  }

  binary(value: Uint8Array): void {
    if (value.length > MAXIMUM_TEXT_BYTES) {
      this.overflow = true;
      return;
    }
    this.twoBytes(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length).set(value, this.#end);
    this.#end += value.length;
  }

  /** The fields with their whole length in front, as a Variable Byte Integer. */
  withLength(): Uint8Array {
    const size = this.#end - HEADER_ROOM;
    const start = HEADER_ROOM - variableByteIntegerSize(size);
    writeVariableByteInteger(this.#bytes, start, size);
    return this.#bytes.subarray(start, this.#end);
  }

  /** The whole packet; null when it would exceed `maximumPacketSize`, or when a value did not fit its field. */
  packet(firstByte: number, maximumPacketSize: number): Uint8Array | null {
    const size = this.#end - HEADER_ROOM;
    if (this.overflow || size > MAXIMUM_VARIABLE_BYTE_INTEGER) return null;
    const start = HEADER_ROOM - variableByteIntegerSize(size) - 1;
    if (this.#end - start > maximumPacketSize) return null;
    this.#bytes[start] = firstByte;
    writeVariableByteInteger(this.#bytes, start + 1, size);
    return new Uint8Array(this.#bytes.subarray(start, this.#end));
  }
}
