import { byteAt, EMPTY_BYTES, twoBytesAt } from './bytes.ts';
import type { DecodeLimits, ReadText } from './limits.ts';
import type { ProtocolLevel } from './packets.ts';
import type { ProtocolError } from './protocol-error.ts';
import { clauseOf, forbidden, malformed } from './refusals.ts';
import { topicFilterError } from './topics/topic-filter.ts';
import { hasWildcard } from './topics/topic-name.ts';
import { TextQuality, textQuality } from './utf8.ts';
import {
  INVALID_VARIABLE_BYTE_INTEGER,
  readVariableByteInteger,
  variableByteIntegerSize,
} from './variable-byte-integer.ts';

/**
 * Reads the fields of one packet in order and remembers the first thing that is wrong; from then on every read gives
 * zero, empty text or no bytes, so that a decoder needs to look at `error` only where it would loop or return.
 */
export class BodyReader {
  readonly level: ProtocolLevel;
  readonly buffer: Uint8Array;
  readonly limits: DecodeLimits;
  position: number;
  /** Fields may not reach past this; drawn in while properties are read (U-4). */
  end: number;
  error: ProtocolError | null = null;
  /** A Client Identifier with a control character or non-character was read (O-3). */
  clientIdDiscouraged = false;
  readonly #readText: ReadText;

  constructor(
    level: ProtocolLevel,
    buffer: Uint8Array,
    start: number,
    end: number,
    limits: DecodeLimits,
    readText: ReadText,
  ) {
    this.level = level;
    this.buffer = buffer;
    this.position = start;
    this.end = end;
    this.limits = limits;
    this.#readText = readText;
  }

  /** Bytes that are left; 0 after an error. */
  get remaining(): number {
    return this.error === null ? this.end - this.position : 0;
  }

  fail(error: ProtocolError): void {
    this.error ??= error;
    this.position = this.end;
  }

  /** Moves over `size` bytes and gives their start, or -1 where the packet has fewer. */
  #take(size: number, field: string): number {
    const start = this.position;
    if (this.end - start < size) {
      this.fail(malformed(this.level, `The packet ends inside ${field}.`, 'MQTT 1.2'));
      return -1;
    }
    this.position = start + size;
    return start;
  }

  byte(field: string): number {
    const start = this.#take(1, field);
    return start < 0 ? 0 : byteAt(this.buffer, start);
  }

  twoBytes(field: string): number {
    const start = this.#take(2, field);
    return start < 0 ? 0 : twoBytesAt(this.buffer, start);
  }

  fourBytes(field: string): number {
    const start = this.#take(4, field);
    return start < 0 ? 0 : twoBytesAt(this.buffer, start) * 0x1_0000 + twoBytesAt(this.buffer, start + 2);
  }

  variableByteInteger(field: string): number {
    const value = readVariableByteInteger(this.buffer, this.position, this.end);
    if (value === INVALID_VARIABLE_BYTE_INTEGER) {
      const message = `${field} is cut short, or not a Variable Byte Integer in its shortest form.`;
      this.fail(malformed(this.level, message, 'MQTT-1.5.5-1'));
      return 0;
    }
    this.position += variableByteIntegerSize(value);
    return value;
  }

  /** A copy, since these values are kept longer than the chunk they came in. */
  binary(field: string): Uint8Array {
    const size = this.twoBytes(field);
    const start = this.#take(size, field);
    return start < 0 || size === 0 ? EMPTY_BYTES : new Uint8Array(this.buffer.subarray(start, start + size));
  }

  text(field: string): string {
    return this.#text(field, false);
  }

  /** As `text`, but an identifier that is well-formed and not wanted is refused later and in another way (O-3). */
  clientId(): string {
    return this.#text('the Client Identifier', true);
  }

  #text(field: string, isClientId: boolean): string {
    const size = this.twoBytes(field);
    const start = this.#take(size, field);
    if (start < 0 || size === 0) return '';
    const quality = textQuality(this.buffer, start, start + size);
    if (quality !== TextQuality.WellFormed) {
      if (quality === TextQuality.IllFormed || !isClientId) {
        this.fail(illFormedText(this.level, field, quality));
        return '';
      }
      this.clientIdDiscouraged = true;
    }
    return this.#readText(this.buffer, start, start + size);
  }

  /** A Topic Name that stands outside a PUBLISH's first field, so may not be empty. */
  topicName(field: string): string {
    const name = this.text(field);
    if (hasWildcard(name)) {
      const clause = clauseOf(this.level, 'MQTT-4.7.0-1', 'MQTT-4.7.1-1');
      this.fail(malformed(this.level, `${field} holds a wildcard.`, clause));
    }
    if (name.length === 0) this.fail(forbidden(this.level, `${field} is empty.`, 'MQTT-4.7.3-1'));
    return name;
  }

  topicFilter(): string {
    const filter = this.text('a Topic Filter');
    if (this.error !== null) return filter;
    const wrong = topicFilterError(filter);
    if (wrong !== null) this.fail(malformed(this.level, wrong.message, wrong.clause)); // O-9
    return filter;
  }

  packetIdentifier(): number {
    const packetIdentifier = this.twoBytes('the Packet Identifier');
    if (packetIdentifier === 0) this.fail(zeroPacketIdentifier(this.level));
    return packetIdentifier;
  }

  /** Call behind the last field. */
  expectEnd(): void {
    const left = this.remaining;
    if (left > 0) this.fail(malformed(this.level, `The packet has ${left} bytes behind its last field.`, 'MQTT 1.2'));
  }
}

export function illFormedText(level: ProtocolLevel, field: string, quality: TextQuality): ProtocolError {
  const clause = clauseOf(level, 'MQTT-1.5.4-1, MQTT-1.5.4-2', 'MQTT-1.5.3-1, MQTT-1.5.3-2');
  return quality === TextQuality.IllFormed
    ? malformed(level, `${field} is not well-formed UTF-8, or holds U+0000.`, clause)
    : malformed(level, `${field} holds a control character or a non-character.`, 'O-3');
}

export function zeroPacketIdentifier(level: ProtocolLevel): ProtocolError {
  return forbidden(level, 'The Packet Identifier is 0.', clauseOf(level, 'MQTT-2.2.1-3', 'MQTT-2.3.1-1'));
}
