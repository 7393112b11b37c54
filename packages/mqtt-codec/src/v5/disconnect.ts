import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type DisconnectPacket, PacketType, type Properties } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import { ProtocolError } from '../protocol-error.ts';
import { isReasonCodeFor } from '../reason-code-tables.ts';
import { ReasonCode } from '../reason-codes.ts';

/** Reads a DISCONNECT of 5.0; an empty body means Success, and the Property Length may be left out. MQTT 5.0, 3.14.2 */
export function readDisconnect(reader: BodyReader): DisconnectPacket | ProtocolError {
  if (reader.remaining === 0) {
    return { type: PacketType.Disconnect, reasonCode: ReasonCode.Success, properties: null };
  }
  const { sender } = reader.limits;
  const reasonCode = reader.byte('the Reason Code');
  if (!isReasonCodeFor(PacketType.Disconnect, reasonCode, sender)) {
    const message = `Reason Code ${reasonCode} may not stand in DISCONNECT.`;
    // A code that only the other side may send is closed without an answer (mqtt.md, section 5).
    const answerable = !isReasonCodeFor(PacketType.Disconnect, reasonCode);
    return new ProtocolError(ReasonCode.ProtocolError, message, 'MQTT-3.14.2-1', answerable);
  }
  const properties = reader.remaining === 0 ? null : readProperties(reader, PacketType.Disconnect);
  reader.expectEnd();
  return reader.error ?? { type: PacketType.Disconnect, reasonCode, properties };
}

/** Writes the shortest form. */
export function writeDisconnect(writer: BodyWriter, packet: DisconnectPacket, properties: Properties | null): void {
  if (properties === null && packet.reasonCode === ReasonCode.Success) return;
  writer.byte(packet.reasonCode);
  if (properties !== null) writeProperties(writer, properties);
}
