import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type ConnackPacket, PacketType, type ProtocolLevel } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { forbidden, malformed } from '../refusals.ts';

const MAXIMUM_RETURN_CODE = 5;

export function readConnack(reader: BodyReader): ConnackPacket | ProtocolError {
  const { level } = reader;
  const flags = reader.byte('the Connect Acknowledge Flags');
  const reasonCode = reader.byte('the return code');
  reader.expectEnd();
  // In 3.1 the whole byte is reserved and not looked at.
  if (level === 4 && flags > 1) {
    reader.fail(malformed(level, 'Reserved bits of the Connect Acknowledge Flags are set.', 'v3.1.1 MQTT 3.2.2.1'));
  }
  const sessionPresent = level === 4 && flags === 1;
  if (sessionPresent && reasonCode !== 0) {
    reader.fail(forbidden(level, 'Session Present is 1 on a refusal.', 'v3.1.1 MQTT-3.2.2-4'));
  }
  if (reasonCode > MAXIMUM_RETURN_CODE) {
    reader.fail(forbidden(level, `The return code is ${reasonCode}.`, 'v3.1.1 MQTT-3.2.2-6'));
  }
  return reader.error ?? { type: PacketType.Connack, sessionPresent, reasonCode, properties: null };
}

export function writeConnack(writer: BodyWriter, level: ProtocolLevel, packet: ConnackPacket): void {
  writer.byte(packet.sessionPresent && level === 4 ? 1 : 0);
  writer.byte(packet.reasonCode);
}
