import type { ByteReader } from '../telemetry/byte-reader.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';

/** Bytes with their length. */
export function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.reserve(bytes.length + 8);
  writer.varint(bytes.length);
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

/** A copy, which does not keep the page it came in. */
export function readBytes(reader: ByteReader): Uint8Array<ArrayBuffer> {
  return new Uint8Array(viewBytes(reader));
}

/** A view, valid as long as the page. */
export function viewBytes(reader: ByteReader): Buffer {
  const sizeBytes = reader.varint();
  reader.need(sizeBytes);
  const view = reader.bytes.subarray(reader.at, reader.at + sizeBytes);
  reader.at += sizeBytes;
  return view;
}

/** Integers from 0 to 2^53 - 1 with their number. */
export function writeNumbers(writer: ByteWriter, numbers: readonly number[]): void {
  writer.reserve(8 + numbers.length * 8);
  writer.varint(numbers.length);
  for (const number of numbers) writer.varint(number);
}

/** Reads what `writeNumbers` wrote. */
export function readNumbers(reader: ByteReader): number[] {
  const count = reader.varint();
  reader.need(count);
  return Array.from({ length: count }, () => reader.varint());
}

/** Leaves room for a number of four bytes that is known later; gives its place. */
export function leaveNumber(writer: ByteWriter): number {
  writer.reserve(4);
  writer.at += 4;
  return writer.at - 4;
}

/** Fills the room that `leaveNumber` left. */
export function fillNumber(writer: ByteWriter, place: number, value: number): void {
  writer.bytes.writeUInt32LE(value, place);
}

/** Reads what `fillNumber` wrote. */
export function readNumber(reader: ByteReader): number {
  reader.need(4);
  reader.at += 4;
  return reader.bytes.readUInt32LE(reader.at - 4);
}

/** A view of bytes behind their length in four bytes, valid as long as the page. */
export function viewBlock(reader: ByteReader): Buffer {
  const sizeBytes = readNumber(reader);
  reader.need(sizeBytes);
  reader.at += sizeBytes;
  return reader.bytes.subarray(reader.at - sizeBytes, reader.at);
}

/** The bytes of an answer as a reader's. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
