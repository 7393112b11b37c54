import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type ConnackPacket, PacketType, type Properties } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { isReasonCodeFor } from '../reason-code-tables.ts';
import { forbidden, malformed } from '../refusals.ts';

export function readConnack(reader: BodyReader): ConnackPacket | ProtocolError {
  const flags = reader.byte('the Connect Acknowledge Flags');
  if (flags > 1) {
    reader.fail(malformed(5, 'Reserved bits of the Connect Acknowledge Flags are set.', 'MQTT-3.2.2-1'));
  }
  const reasonCode = reader.byte('the Reason Code');
  if (!isReasonCodeFor(PacketType.Connack, reasonCode, reader.limits.sender)) {
    reader.fail(forbidden(5, `Reason Code ${reasonCode} may not stand in CONNACK.`, 'MQTT-3.2.2-8'));
  }
  if (flags === 1 && reasonCode !== 0) {
    reader.fail(forbidden(5, 'Session Present is 1 on a refusal.', 'MQTT-3.2.2-6'));
  }
  const properties = readProperties(reader, PacketType.Connack);
  reader.expectEnd();
  return reader.error ?? { type: PacketType.Connack, sessionPresent: flags === 1, reasonCode, properties };
}

export function writeConnack(writer: BodyWriter, packet: ConnackPacket, properties: Properties | null): void {
  writer.byte(packet.sessionPresent ? 1 : 0);
  writer.byte(packet.reasonCode);
  writeProperties(writer, properties);
}
