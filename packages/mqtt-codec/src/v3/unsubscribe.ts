import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type UnsubscribePacket } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { readFilterList } from '../subscription-list.ts';

export function readUnsubscribe(reader: BodyReader): UnsubscribePacket | ProtocolError {
  const packetIdentifier = reader.packetIdentifier();
  const topicFilters = readFilterList(reader, 'v3.1.1 MQTT-3.10.3-2', () => reader.topicFilter());
  return reader.error ?? { type: PacketType.Unsubscribe, packetIdentifier, topicFilters, properties: null };
}

export function writeUnsubscribe(writer: BodyWriter, packet: UnsubscribePacket): void {
  writer.twoBytes(packet.packetIdentifier);
  for (const topicFilter of packet.topicFilters) writer.text(topicFilter);
}
