import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { PacketType, type ProtocolLevel, type SubackPacket } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { ReasonCode } from '../reason-codes.ts';
import { forbidden } from '../refusals.ts';

const FAILURE = 0x80;

export function readSuback(reader: BodyReader): SubackPacket | ProtocolError {
  const { level } = reader;
  const packetIdentifier = reader.packetIdentifier();
  const reasonCodes: number[] = [];
  if (reader.remaining === 0) reader.fail(forbidden(level, 'SUBACK holds no code.', 'v3.1.1 MQTT-3.8.4-5'));
  while (reader.remaining > 0) {
    const code = reader.byte('the return codes');
    // 3.1 has no code for a failure.
    if (code > 2 && !(level === 4 && code === FAILURE)) {
      reader.fail(forbidden(level, `SUBACK holds the return code ${code}.`, 'v3.1.1 MQTT-3.9.3-2'));
    }
    reasonCodes.push(code);
  }
  return reader.error ?? { type: PacketType.Suback, packetIdentifier, reasonCodes, properties: null };
}

/** The code that the older versions have for a Reason Code of 5.0: 3.1.1 knows one failure, 3.1 none, so there it becomes a grant of QoS 0. */
function returnCode(level: ProtocolLevel, reasonCode: number): number {
  if (reasonCode <= ReasonCode.GrantedQoS2) return reasonCode;
  return level === 4 ? FAILURE : ReasonCode.Success;
}

export function writeSuback(writer: BodyWriter, level: ProtocolLevel, packet: SubackPacket): void {
  writer.twoBytes(packet.packetIdentifier);
  for (const reasonCode of packet.reasonCodes) writer.byte(returnCode(level, reasonCode));
}
