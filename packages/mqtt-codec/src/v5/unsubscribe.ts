import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type UnsubscribePacket } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { readFilterList } from '../subscription-list.ts';

export function readUnsubscribe(reader: BodyReader): UnsubscribePacket | ProtocolError {
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, PacketType.Unsubscribe);
  const topicFilters = readFilterList(reader, 'MQTT-3.10.3-2', () => reader.topicFilter());
  return reader.error ?? { type: PacketType.Unsubscribe, packetIdentifier, topicFilters, properties };
}

export function writeUnsubscribe(writer: BodyWriter, packet: UnsubscribePacket): void {
  writer.twoBytes(packet.packetIdentifier);
  writeProperties(writer, packet.properties);
  for (const topicFilter of packet.topicFilters) writer.text(topicFilter);
}
