import { BodyWriter } from './body-writer.ts';
import { fixedFirstByte } from './fixed-header.ts';
import { type Packet, PacketType, type Properties, type ProtocolLevel, type PublishPacket } from './packets.ts';
import { encodeWholeProperties } from './properties/write-properties.ts';
import { encodeText, MAXIMUM_TEXT_BYTES } from './text.ts';
import { writeBody as writeBody3 } from './v3/write-body.ts';
import { writeBody as writeBody5 } from './v5/write-body.ts';
import { MAXIMUM_VARIABLE_BYTE_INTEGER } from './variable-byte-integer.ts';
import { publishSize, writePublish } from './write-publish.ts';

/** Largest packet there is: five bytes of fixed header and the largest Remaining Length. */
const LARGEST_PACKET = MAXIMUM_VARIABLE_BYTE_INTEGER + 5;

const NO_PROPERTIES: Uint8Array = new Uint8Array([0]);

/**
 * Encodes a packet. Where it would exceed `maximumPacketSize`, an answering packet loses first its User Properties, then
 * its Reason String. null: it is still too large, or a text or binary value exceeds 65,535 bytes, or it is an AUTH on
 * 3.x. A CONNECT is written for its own level. What 3.x cannot carry is left out.
 */
export function encodePacket(
  level: ProtocolLevel,
  packet: Packet,
  maximumPacketSize: number = LARGEST_PACKET,
): Uint8Array | null {
  switch (packet.type) {
    case PacketType.Publish:
      return encodePublish(level, packet, maximumPacketSize);
    case PacketType.Connect:
    case PacketType.Subscribe:
    case PacketType.Unsubscribe:
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      return encodeWith(level, packet, null, maximumPacketSize);
    case PacketType.Auth:
      return level === 5 ? encodeAnswer(level, packet, maximumPacketSize) : null;
    default:
      return encodeAnswer(level, packet, maximumPacketSize);
  }
}

type AnswerPacket = Extract<Packet, { readonly reasonCode: number } | { readonly reasonCodes: readonly number[] }>;

/** [MQTT-3.2.2-19] [MQTT-3.2.2-20] and their like in 3.4.2 to 3.7.2, 3.9.2, 3.11.2, 3.14.2, 3.15.2. */
function encodeAnswer(level: ProtocolLevel, packet: AnswerPacket, maximumPacketSize: number): Uint8Array | null {
  const { properties } = packet;
  const whole = encodeWith(level, packet, properties, maximumPacketSize);
  if (whole !== null || properties === null || level !== 5) return whole;
  const { userProperties, ...withoutUser } = properties;
  if (userProperties !== undefined) {
    const lighter = encodeWith(level, packet, orNull(withoutUser), maximumPacketSize);
    if (lighter !== null) return lighter;
  }
  const { reasonString, ...withoutBoth } = withoutUser;
  if (reasonString === undefined) return null;
  return encodeWith(level, packet, orNull(withoutBoth), maximumPacketSize);
}

function orNull(properties: Properties): Properties | null {
  return Object.keys(properties).length === 0 ? null : properties;
}

function encodeWith(
  level: ProtocolLevel,
  packet: Exclude<Packet, PublishPacket>,
  properties: Properties | null,
  maximumPacketSize: number,
): Uint8Array | null {
  const writer = new BodyWriter();
  if (packet.type === PacketType.Connect ? packet.level === 5 : level === 5) writeBody5(writer, packet, properties);
  else writeBody3(writer, level, packet);
  return writer.packet(fixedFirstByte(packet.type), maximumPacketSize);
}

function encodePublish(level: ProtocolLevel, packet: PublishPacket, maximumPacketSize: number): Uint8Array | null {
  const { payload, qos, dup, retain, packetIdentifier, properties } = packet;
  const topic = encodeText(packet.topicName);
  if (topic.length > MAXIMUM_TEXT_BYTES) return null;
  const propertyBytes = level === 5 && properties !== null ? encodeWholeProperties(properties) : NO_PROPERTIES;
  if (propertyBytes === null) return null;
  const size = publishSize(level, topic.length, payload.length, qos, propertyBytes.length);
  if (size > Math.min(maximumPacketSize, LARGEST_PACKET)) return null;
  const bytes = new Uint8Array(size);
  writePublish(bytes, 0, level, topic, payload, qos, dup, retain, packetIdentifier, propertyBytes);
  return bytes;
}
