import { BodyReader, zeroPacketIdentifier } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { byteAt, twoBytesAt } from '../bytes.ts';
import type { DecodeLimits, ReadText } from '../limits.ts';
import { type AcknowledgementPacket, PacketType, type Properties } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import type { AcknowledgementFields } from '../publish-fields.ts';
import { isReasonCodeFor } from '../reason-code-tables.ts';
import { ReasonCode } from '../reason-codes.ts';
import { forbidden, malformed } from '../refusals.ts';

const CODE_CLAUSES: Readonly<Record<AcknowledgementPacket['type'], string>> = {
  [PacketType.Puback]: 'MQTT-3.4.2-1',
  [PacketType.Pubrec]: 'MQTT-3.5.2-1',
  [PacketType.Pubrel]: 'MQTT-3.6.2-1',
  [PacketType.Pubcomp]: 'MQTT-3.7.2-1',
};

/** Reads Packet Identifier and Reason Code of a PUBACK, PUBREC, PUBREL or PUBCOMP of 5.0; the code may be left out. MQTT 5.0, 3.4.2.1 */
export function readAcknowledgement(
  type: AcknowledgementPacket['type'],
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  target: AcknowledgementFields,
): ProtocolError | null {
  const size = end - bodyStart;
  if (size < 2) return malformed(5, 'The packet ends inside the Packet Identifier.', 'MQTT 1.2');
  const packetIdentifier = twoBytesAt(buffer, bodyStart);
  if (packetIdentifier === 0) return zeroPacketIdentifier(5);
  target.packetIdentifier = packetIdentifier;
  target.reasonCode = ReasonCode.Success;
  if (size === 2) return null;
  const code = byteAt(buffer, bodyStart + 2);
  if (!isReasonCodeFor(type, code, limits.sender)) {
    return forbidden(5, `Reason Code ${code} may not stand in this packet.`, CODE_CLAUSES[type]);
  }
  target.reasonCode = code;
  return null;
}

/** Reads the properties of such a packet, which begin with its fourth byte and may be missing as a whole. */
export function readAcknowledgementProperties(
  type: AcknowledgementPacket['type'],
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
): Properties | null | ProtocolError {
  if (end - bodyStart < 4) return null;
  const reader = new BodyReader(5, buffer, bodyStart + 3, end, limits, readText);
  const properties = readProperties(reader, type);
  reader.expectEnd();
  return reader.error ?? properties;
}

/** Writes the shortest form: no Property Length without properties, no Reason Code either where it is Success. MQTT 5.0, 3.4.2.1 */
export function writeAcknowledgement(
  writer: BodyWriter,
  packet: AcknowledgementPacket,
  properties: Properties | null,
): void {
  writer.twoBytes(packet.packetIdentifier);
  if (properties === null && packet.reasonCode === ReasonCode.Success) return;
  writer.byte(packet.reasonCode);
  if (properties !== null) writeProperties(writer, properties);
}
