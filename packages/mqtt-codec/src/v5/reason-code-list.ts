import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type Properties, type SubackPacket, type UnsubackPacket } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { isReasonCodeFor } from '../reason-code-tables.ts';
import { forbidden } from '../refusals.ts';

type ListPacket = SubackPacket | UnsubackPacket;

/** Reads a SUBACK or UNSUBACK of 5.0, which have the same form: identifier, properties, a code per Topic Filter. */
export function readReasonCodeList(reader: BodyReader, type: ListPacket['type']): ListPacket | ProtocolError {
  const clause = type === PacketType.Suback ? 'MQTT-3.9.3-2' : 'MQTT-3.11.3-2';
  const packetIdentifier = reader.packetIdentifier();
  const properties = readProperties(reader, type);
  const reasonCodes: number[] = [];
  if (reader.remaining === 0) reader.fail(forbidden(5, 'The packet holds no Reason Code.', clause));
  while (reader.remaining > 0) {
    const code = reader.byte('the Reason Codes');
    if (!isReasonCodeFor(type, code, reader.limits.sender)) {
      reader.fail(forbidden(5, `Reason Code ${code} may not stand in this packet.`, clause));
    }
    reasonCodes.push(code);
  }
  return reader.error ?? { type, packetIdentifier, reasonCodes, properties };
}

export function writeReasonCodeList(writer: BodyWriter, packet: ListPacket, properties: Properties | null): void {
  writer.twoBytes(packet.packetIdentifier);
  writeProperties(writer, properties);
  for (const reasonCode of packet.reasonCodes) writer.byte(reasonCode);
}
