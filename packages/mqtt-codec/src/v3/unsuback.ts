import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type UnsubackPacket } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';

export function readUnsuback(reader: BodyReader): UnsubackPacket | ProtocolError {
  const packetIdentifier = reader.packetIdentifier();
  reader.expectEnd();
  return reader.error ?? { type: PacketType.Unsuback, packetIdentifier, reasonCodes: [], properties: null };
}

export function writeUnsuback(writer: BodyWriter, packet: UnsubackPacket): void {
  writer.twoBytes(packet.packetIdentifier);
}
