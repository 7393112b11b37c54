import { byteAt, EMPTY_BYTES } from './bytes.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-codes.ts';

/** The chunk is used up; push the next one. */
export const FRAME_NEED_MORE = 0;
/** A whole packet lies between `start` and `end`. */
export const FRAME_READY = 1;
/** The stream cannot be read any further; see `error`. */
export const FRAME_ERROR = -1;
export type FrameResult = typeof FRAME_NEED_MORE | typeof FRAME_READY | typeof FRAME_ERROR;

/** First byte and at most four bytes of Remaining Length. */
const MAXIMUM_HEADER_SIZE = 5;
const HEADER_INCOMPLETE = -1;
const HEADER_INVALID = -2;

/**
 * Cuts a byte stream into control packets without a callback and without an allocation per packet. A packet that lies
 * whole in a chunk is given as a range of that chunk; an incomplete one is kept as an own copy whose size follows the
 * bytes that arrived (at most twice as many), never the announced length alone. MQTT 5.0, 2.1.4
 */
export class FrameReader {
  /** Largest packet in bytes, first byte and Remaining Length included (U-20). May be changed between packets. */
  maximumPacketSize: number;
  /** true on 5.0: a Remaining Length that is not in its shortest form is refused, and errors may be answered. [MQTT-1.5.5-1] */
  strictLength = false;

  /** First byte of the packet: type and flags. This and the next four are valid after FRAME_READY until the next call. */
  firstByte = 0;
  buffer: Uint8Array = EMPTY_BYTES;
  /** Index of the first byte of the packet in `buffer`. */
  start = 0;
  /** Index of the first byte behind the Remaining Length. */
  bodyStart = 0;
  /** Index behind the last byte of the packet. */
  end = 0;
  /** Set after FRAME_ERROR, which is final. */
  error: ProtocolError | null = null;

  #chunk: Uint8Array = EMPTY_BYTES;
  #position = 0;
  #pending: Uint8Array | null = null;
  #pendingBytes = 0;
  /** Size of the pending packet, 0 while its Remaining Length is incomplete. */
  #pendingSize = 0;
  #pendingBodyStart = 0;

  constructor(maximumPacketSize: number) {
    this.maximumPacketSize = maximumPacketSize;
  }

  /** Bytes held of an incomplete packet; 0 when idle. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Hands over the next bytes of the stream. The chunk before must be used up: `next()` gave FRAME_NEED_MORE. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
  }

  /** Looks for the next packet. */
  next(): FrameResult {
    if (this.error !== null) return FRAME_ERROR;
    if (this.#pending !== null) return this.#continuePending(this.#pending);
    const chunk = this.#chunk;
    const start = this.#position;
    if (start >= chunk.length) return this.#release();
    const bodyStart = this.#readHeader(chunk, start, chunk.length);
    if (bodyStart === HEADER_INVALID) return FRAME_ERROR;
    if (bodyStart === HEADER_INCOMPLETE || this.end > chunk.length) {
      this.#keep(chunk, start, bodyStart);
      return this.#release();
    }
    this.buffer = chunk;
    this.start = start;
    this.bodyStart = bodyStart;
    this.#position = this.end;
    return FRAME_READY;
  }

  /** Reads first byte and Remaining Length, sets `firstByte` and `end`, and gives the start of the body. */
  #readHeader(bytes: Uint8Array, start: number, available: number): number {
    if (available - start < 2) return HEADER_INCOMPLETE;
    this.firstByte = byteAt(bytes, start);
    let position = start + 1;
    let byte = byteAt(bytes, position++);
    let remainingLength = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      if (shift > 21)
        return this.#fail(ReasonCode.MalformedPacket, 'The Remaining Length has a fifth byte.', 'MQTT 2.1.4');
      if (position === available) return HEADER_INCOMPLETE;
      byte = byteAt(bytes, position++);
      remainingLength |= (byte & 0x7f) << shift;
    }
    if (byte === 0 && position > start + 2 && this.strictLength) {
      return this.#fail(
        ReasonCode.MalformedPacket,
        'The Remaining Length is not in its shortest form.',
        'MQTT-1.5.5-1',
      );
    }
    this.end = position + remainingLength;
    if (this.end - start > this.maximumPacketSize) {
      const message = `The packet has ${this.end - start} bytes, ${this.maximumPacketSize} are allowed.`;
      return this.#fail(ReasonCode.PacketTooLarge, message, 'MQTT-3.2.2-15');
    }
    return position;
  }

  #fail(reasonCode: ReasonCode, message: string, clause: string): typeof HEADER_INVALID {
    this.error = new ProtocolError(reasonCode, message, clause, this.strictLength);
    this.#pending = null;
    this.#pendingBytes = 0;
    this.#release();
    return HEADER_INVALID;
  }

  /** Copies the incomplete packet at the end of the chunk. */
  #keep(chunk: Uint8Array, start: number, bodyStart: number): void {
    const arrived = chunk.length - start;
    this.#pendingSize = 0;
    let capacity = MAXIMUM_HEADER_SIZE;
    if (bodyStart !== HEADER_INCOMPLETE) {
      this.#pendingSize = this.end - start;
      this.#pendingBodyStart = bodyStart - start;
      capacity = Math.min(this.#pendingSize, arrived * 2);
    }
    this.#pending = new Uint8Array(capacity);
    this.#pending.set(chunk.subarray(start));
    this.#pendingBytes = arrived;
  }

  #continuePending(pending: Uint8Array): FrameResult {
    if (this.#pendingSize === 0) {
      const done = this.#completeHeader(pending);
      if (done !== FRAME_READY) return done;
    }
    const size = this.#pendingSize;
    const have = this.#pendingBytes;
    const chunk = this.#chunk;
    const from = this.#position;
    const take = Math.min(size - have, chunk.length - from);
    const target = this.#grow(pending, have + take);
    target.set(from === 0 && take === chunk.length ? chunk : chunk.subarray(from, from + take), have);
    this.#position = from + take;
    this.#pendingBytes = have + take;
    if (have + take < size) return this.#release();
    this.#pending = null;
    this.#pendingBytes = 0;
    this.firstByte = byteAt(target, 0);
    this.buffer = target;
    this.start = 0;
    this.bodyStart = this.#pendingBodyStart;
    this.end = size;
    return FRAME_READY;
  }

  /** Takes bytes one by one until the Remaining Length is known. */
  #completeHeader(pending: Uint8Array): FrameResult {
    while (this.#position < this.#chunk.length) {
      pending[this.#pendingBytes++] = byteAt(this.#chunk, this.#position++);
      const bodyStart = this.#readHeader(pending, 0, this.#pendingBytes);
      if (bodyStart === HEADER_INVALID) return FRAME_ERROR;
      if (bodyStart === HEADER_INCOMPLETE) continue;
      this.#pendingSize = this.end;
      this.#pendingBodyStart = bodyStart;
      return FRAME_READY;
    }
    return this.#release();
  }

  /** Gives a buffer for `needed` bytes: at least doubled, so that a packet in many chunks is copied twice at most on average. */
  #grow(pending: Uint8Array, needed: number): Uint8Array {
    if (needed <= pending.length) return pending;
    const grown = new Uint8Array(Math.min(this.#pendingSize, Math.max(needed, pending.length * 2)));
    grown.set(pending.subarray(0, this.#pendingBytes));
    this.#pending = grown;
    return grown;
  }

  /** Lets go of the chunk, so that an idle connection owns no buffer. */
  #release(): typeof FRAME_NEED_MORE {
    this.#chunk = EMPTY_BYTES;
    this.#position = 0;
    this.buffer = EMPTY_BYTES;
    return FRAME_NEED_MORE;
  }
}
