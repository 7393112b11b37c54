import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type AuthPacket, PacketType, type Properties } from '../packets.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { isReasonCodeFor } from '../reason-code-tables.ts';
import { ReasonCode } from '../reason-codes.ts';
import { forbidden } from '../refusals.ts';

/** Reads an AUTH; only the empty body, which means Success, has no Authentication Method. MQTT 5.0, 3.15.2 */
export function readAuth(reader: BodyReader): AuthPacket | ProtocolError {
  const isEmpty = reader.remaining === 0;
  const reasonCode = isEmpty ? ReasonCode.Success : reader.byte('the Authenticate Reason Code');
  if (!isReasonCodeFor(PacketType.Auth, reasonCode, reader.limits.sender)) {
    return forbidden(5, `Reason Code ${reasonCode} may not stand in AUTH.`, 'MQTT-3.15.2-1');
  }
  const properties = isEmpty ? null : readProperties(reader, PacketType.Auth);
  reader.expectEnd();
  return reader.error ?? { type: PacketType.Auth, reasonCode, properties };
}

/** Writes the shortest form. */
export function writeAuth(writer: BodyWriter, packet: AuthPacket, properties: Properties | null): void {
  if (properties === null && packet.reasonCode === ReasonCode.Success) return;
  writer.byte(packet.reasonCode);
  writeProperties(writer, properties);
}
