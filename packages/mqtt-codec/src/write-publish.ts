import type { ProtocolLevel, QoS } from './packets.ts';
import { variableByteIntegerSize, writeVariableByteInteger } from './variable-byte-integer.ts';

/**
 * Copies `source` to `offset` and returns the offset behind it. TypedArray.set also for short runs: a loop over the bytes
 * made writePublish of 60 bytes 3.4 times slower (9.6 instead of 33 million a second).
 */
function copyBytes(target: Uint8Array, offset: number, source: Uint8Array): number {
  target.set(source, offset);
  return offset + source.length;
}

/** Bytes behind the fixed header. */
function bodySize(
  level: ProtocolLevel,
  topicBytes: number,
  payloadBytes: number,
  qos: QoS,
  propertiesBytes: number,
): number {
  const properties = level === 5 ? Math.max(propertiesBytes, 1) : 0;
  return 2 + topicBytes + (qos === 0 ? 0 : 2) + properties + payloadBytes;
}

/**
 * Size of a whole PUBLISH in bytes. `propertiesBytes` is the length of what encodeProperties gave, or 0 for none; 3.x
 * has no properties and does not count them. Above 268,435,460 no such packet exists.
 */
export function publishSize(
  level: ProtocolLevel,
  topicBytes: number,
  payloadBytes: number,
  qos: QoS,
  propertiesBytes: number,
): number {
  const body = bodySize(level, topicBytes, payloadBytes, qos, propertiesBytes);
  return 1 + variableByteIntegerSize(body) + body;
}

/**
 * Writes a PUBLISH up to its payload at `offset` and returns the offset behind. `topic` is UTF-8 without length
 * (encodeText), `propertyBytes` what encodeProperties gave. The caller has made room for `publishSize` bytes.
 */
export function writePublishHeader(
  target: Uint8Array,
  offset: number,
  level: ProtocolLevel,
  topic: Uint8Array,
  payloadBytes: number,
  qos: QoS,
  dup: boolean,
  retain: boolean,
  packetIdentifier: number,
  propertyBytes: Uint8Array | null,
): number {
  const topicBytes = topic.length;
  target[offset] = 0x30 | (dup ? 0x08 : 0) | (qos << 1) | (retain ? 0x01 : 0);
  const body = bodySize(level, topicBytes, payloadBytes, qos, propertyBytes === null ? 0 : propertyBytes.length);
  let position = writeVariableByteInteger(target, offset + 1, body);
  target[position] = topicBytes >> 8;
  target[position + 1] = topicBytes;
  position = copyBytes(target, position + 2, topic);
  if (qos !== 0) {
    target[position] = packetIdentifier >> 8;
    target[position + 1] = packetIdentifier;
    position += 2;
  }
  if (level !== 5) return position;
  if (propertyBytes !== null && propertyBytes.length > 0) return copyBytes(target, position, propertyBytes);
  target[position] = 0; // [MQTT-2.2.2-1]
  return position + 1;
}

/** Writes a whole PUBLISH at `offset` and returns the offset behind; arguments as for writePublishHeader. */
export function writePublish(
  target: Uint8Array,
  offset: number,
  level: ProtocolLevel,
  topic: Uint8Array,
  payload: Uint8Array,
  qos: QoS,
  dup: boolean,
  retain: boolean,
  packetIdentifier: number,
  propertyBytes: Uint8Array | null,
): number {
  const payloadStart = writePublishHeader(
    target,
    offset,
    level,
    topic,
    payload.length,
    qos,
    dup,
    retain,
    packetIdentifier,
    propertyBytes,
  );
  return copyBytes(target, payloadStart, payload);
}

/** Distance of the Packet Identifier of a QoS 1 or 2 PUBLISH from its first byte, to write another one into a copy. `packetBytes` is its publishSize. */
export function packetIdentifierOffset(topicBytes: number, packetBytes: number): number {
  // The size of the header follows from that of the packet: 2 bytes up to 129, 3 up to 16,386, 4 up to 2,097,155.
  const headerBytes = packetBytes < 0x80 + 2 ? 2 : packetBytes < 0x4000 + 3 ? 3 : packetBytes < 0x20_0000 + 4 ? 4 : 5;
  return headerBytes + 2 + topicBytes;
}
