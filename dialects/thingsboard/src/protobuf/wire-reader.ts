/** Wire types of Protocol Buffers; groups (3 and 4) do not exist in proto3. */
export const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

const MAXIMUM_TAG = 0xffff_ffffn;
/** Bytes of a variable-length number that fit a double exactly. */
const EXACT_BYTES = 7;
const MAXIMUM_BYTES = 10;
const NO_BYTES = new Uint8Array(0);

/**
 * Reads the wire format of Protocol Buffers. Nothing is thrown and nothing is read beyond the end: what cannot be read
 * sets `malformed`, and from there on every step answers zero or nothing.
 */
export class WireReader {
  malformed = false;
  /** Wire type of the present field. */
  wireType: number = WireType.Varint;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private position: number;
  private readonly end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = 0;
    this.end = bytes.length;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** Number of the next field; 0: there is none, or it cannot be read. */
  next(): number {
    if (this.done) return 0;
    const tag = this.varint();
    this.wireType = Number(tag & 7n);
    const known = this.wireType <= WireType.Bytes || this.wireType === WireType.Fixed32;
    if (tag > MAXIMUM_TAG || tag < 8n || !known) this.fail();
    return this.malformed ? 0 : Number(tag >> 3n);
  }

  /** An unsigned number of up to 64 bits. */
  varint(): bigint {
    let small = 0;
    let scale = 1;
    let large = 0n;
    for (let count = 0; count < MAXIMUM_BYTES; count++) {
      const byte = this.bytes[this.position];
      if (byte === undefined) break;
      this.position++;
      const seven = byte & 0x7f;
      if (count < EXACT_BYTES) small += seven * scale;
      else large |= BigInt(seven) << BigInt(7 * count);
      if (byte < 0x80) return count < EXACT_BYTES ? BigInt(small) : BigInt.asUintN(64, BigInt(small) + large);
      scale *= 128;
    }
    this.fail();
    return 0n;
  }

  fixed32(): number {
    return this.take(4) ? this.view.getUint32(this.position - 4, true) : 0;
  }

  fixed64(): bigint {
    return this.take(8) ? this.view.getBigUint64(this.position - 8, true) : 0n;
  }

  float(): number {
    return this.take(4) ? this.view.getFloat32(this.position - 4, true) : 0;
  }

  double(): number {
    return this.take(8) ? this.view.getFloat64(this.position - 8, true) : 0;
  }

  /** Bytes with their length before them; a view into the payload. */
  block(): Uint8Array {
    const length = Number(this.varint());
    return this.take(length) ? this.bytes.subarray(this.position - length, this.position) : NO_BYTES;
  }

  /** Passes over the value of the present field. */
  skip(): void {
    if (this.wireType === WireType.Varint) this.varint();
    else if (this.wireType === WireType.Bytes) this.block();
    else this.take(this.wireType === WireType.Fixed64 ? 8 : 4);
  }

  fail(): void {
    this.malformed = true;
    this.position = this.end;
  }

  private take(length: number): boolean {
    if (this.malformed || length > this.end - this.position) {
      this.fail();
      return false;
    }
    this.position += length;
    return true;
  }
}
