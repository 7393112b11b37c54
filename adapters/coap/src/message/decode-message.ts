import {
  type CoapMessage,
  type CoapOption,
  EMPTY_CODE,
  MESSAGE_TYPES,
  type MessageType,
  NO_BYTES,
} from './coap-message.ts';

const VERSION = 1;
const MAXIMUM_TOKEN_LENGTH = 8;
const MAXIMUM_OPTIONS = 64;
const MAXIMUM_OPTION_NUMBER = 0xffff;
const PAYLOAD_MARKER = 0xff;
const HEADER_LENGTH = 4;
const RESERVED_CLASSES: readonly number[] = [1, 6, 7];

/** A datagram whose header could be read and nothing behind it: rejected with Reset if it asks for an answer. */
export interface FormatError {
  readonly formatError: true;
  readonly type: MessageType;
  readonly messageId: number;
}

/**
 * Reads one datagram; options and payload are views of it. undefined: not CoAP, or of a version to be ignored
 * (RFC 7252, 3). Never throws.
 */
export function decodeMessage(bytes: Uint8Array): CoapMessage | FormatError | undefined {
  const [first = 0, code = 0, high = 0, low = 0] = bytes;
  const type = MESSAGE_TYPES[(first >> 4) & 3];
  if (bytes.length < HEADER_LENGTH || first >> 6 !== VERSION || type === undefined) return undefined;
  const messageId = (high << 8) | low;
  const formatError: FormatError = { formatError: true, type, messageId };
  const tokenLength = first & 15;
  const isBroken = tokenLength > MAXIMUM_TOKEN_LENGTH || bytes.length < HEADER_LENGTH + tokenLength;
  if (isBroken || RESERVED_CLASSES.includes(code >> 5)) return formatError;
  if (code === EMPTY_CODE && bytes.length > HEADER_LENGTH) return formatError;
  const token = bytes.subarray(HEADER_LENGTH, HEADER_LENGTH + tokenLength);
  const rest = readOptions(bytes, HEADER_LENGTH + tokenLength);
  return rest === undefined ? formatError : { type, code, messageId, token, ...rest };
}

function readOptions(bytes: Uint8Array, start: number): Pick<CoapMessage, 'options' | 'payload'> | undefined {
  const options: CoapOption[] = [];
  let at = start;
  let number = 0;
  /** The nibble itself, or what the one or two bytes behind the header say; undefined: reserved, or cut off. */
  const extended = (nibble: number): number | undefined => {
    if (nibble < 13) return nibble;
    const [first, second] = [bytes[at], bytes[at + 1]];
    if (nibble === 13 && first !== undefined) {
      at += 1;
      return first + 13;
    }
    if (nibble !== 14 || first === undefined || second === undefined) return undefined;
    at += 2;
    return ((first << 8) | second) + 269;
  };
  while (at < bytes.length) {
    const header = bytes[at++] ?? 0;
    if (header === PAYLOAD_MARKER) {
      // A marker with nothing behind it is an error. RFC 7252, 3
      return at === bytes.length ? undefined : { options, payload: bytes.subarray(at) };
    }
    const delta = extended(header >> 4);
    const length = delta === undefined ? undefined : extended(header & 15);
    if (delta === undefined || length === undefined || at + length > bytes.length) return undefined;
    number += delta;
    if (number > MAXIMUM_OPTION_NUMBER || options.length === MAXIMUM_OPTIONS) return undefined;
    options.push({ number, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return { options, payload: NO_BYTES };
}
