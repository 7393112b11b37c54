import { type AcknowledgementPacket, PacketType, type ProtocolLevel } from './packets.ts';
import { ReasonCode } from './reason-codes.ts';

/** Room that writeAcknowledgement needs at most, in bytes. */
export const ACKNOWLEDGEMENT_MAX_SIZE = 5;

/**
 * Writes a PUBACK, PUBREC, PUBREL or PUBCOMP without properties at `offset` and returns the offset behind: 4 bytes on
 * 3.x and for Success, else 5. MQTT 5.0, 3.4.2.1
 */
export function writeAcknowledgement(
  target: Uint8Array,
  offset: number,
  level: ProtocolLevel,
  type: AcknowledgementPacket['type'],
  packetIdentifier: number,
  reasonCode: number,
): number {
  const hasCode = level === 5 && reasonCode !== ReasonCode.Success;
  target[offset] = (type << 4) | (type === PacketType.Pubrel ? 0x02 : 0x00);
  target[offset + 1] = hasCode ? 3 : 2;
  target[offset + 2] = packetIdentifier >> 8;
  target[offset + 3] = packetIdentifier;
  if (!hasCode) return offset + 4;
  target[offset + 4] = reasonCode;
  return offset + 5;
}
