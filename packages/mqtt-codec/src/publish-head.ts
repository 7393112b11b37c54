import { illFormedText, zeroPacketIdentifier } from './body-reader.ts';
import { byteAt, twoBytesAt } from './bytes.ts';
import type { ReadText } from './limits.ts';
import type { ProtocolLevel } from './packets.ts';
import type { ProtocolError } from './protocol-error.ts';
import type { PublishFields } from './publish-fields.ts';
import { malformed } from './refusals.ts';
import { TextQuality, textQuality } from './utf8.ts';

const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;

/**
 * Reads what all versions share of a PUBLISH: flags, Topic Name, Packet Identifier. Sets `payloadStart` behind them.
 * One scan decides that a Topic Name is plain ASCII without control characters and wildcards; only others are looked at
 * closely. Measured on 24 characters with utf8Slice: 70 ns, against 98 ns for a TextDecoder that checks UTF-8 alone.
 */
export function readPublishHead(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  readText: ReadText,
  target: PublishFields,
): ProtocolError | null {
  const qos = (firstByte >> 1) & 3;
  if (qos !== 0 && qos !== 1 && qos !== 2) return malformed(level, 'The QoS is 3.', 'MQTT-3.3.1-4');
  const dup = (firstByte & 0x08) !== 0;
  if (dup && qos === 0) return malformed(level, 'DUP is 1 on QoS 0.', 'MQTT-3.3.1-2');
  const topicStart = bodyStart + 2;
  const topicEnd = topicStart <= end ? topicStart + twoBytesAt(buffer, bodyStart) : topicStart;
  if (topicEnd > end) return malformed(level, 'The packet ends inside the Topic Name.', 'MQTT 1.2');
  for (let position = topicStart; position < topicEnd; position++) {
    const byte = byteAt(buffer, position);
    if (byte < 0x20 || byte > 0x7e || byte === PLUS || byte === NUMBER_SIGN) {
      const error = topicNameError(level, buffer, position, topicEnd);
      if (error !== null) return error;
      break;
    }
  }
  target.topicName = topicStart === topicEnd ? '' : readText(buffer, topicStart, topicEnd);
  target.topicStart = topicStart;
  target.topicEnd = topicEnd;
  target.qos = qos;
  target.dup = dup;
  target.retain = (firstByte & 0x01) !== 0;
  target.payloadEnd = end;
  if (qos === 0) {
    target.packetIdentifier = 0;
    target.payloadStart = topicEnd; // [MQTT-2.2.1-2]
    return null;
  }
  if (end - topicEnd < 2) return malformed(level, 'The packet ends inside the Packet Identifier.', 'MQTT 1.2');
  const packetIdentifier = twoBytesAt(buffer, topicEnd);
  if (packetIdentifier === 0) return zeroPacketIdentifier(level);
  target.packetIdentifier = packetIdentifier;
  target.payloadStart = topicEnd + 2;
  return null;
}

/** `start` is the first byte that is not plain. */
function topicNameError(level: ProtocolLevel, buffer: Uint8Array, start: number, end: number): ProtocolError | null {
  const quality = textQuality(buffer, start, end);
  if (quality !== TextQuality.WellFormed) return illFormedText(level, 'The Topic Name', quality);
  for (let position = start; position < end; position++) {
    const byte = byteAt(buffer, position);
    if (byte === PLUS || byte === NUMBER_SIGN) {
      return malformed(level, 'The Topic Name holds a wildcard.', 'MQTT-3.3.2-2');
    }
  }
  return null;
}
