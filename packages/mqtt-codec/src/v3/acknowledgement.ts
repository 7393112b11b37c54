import { zeroPacketIdentifier } from '../body-reader.ts';
import { twoBytesAt } from '../bytes.ts';
import type { ProtocolLevel } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import type { AcknowledgementFields } from '../publish-fields.ts';
import { ReasonCode } from '../reason-codes.ts';
import { malformed } from '../refusals.ts';

/** Reads the body of a PUBACK, PUBREC, PUBREL or PUBCOMP of 3.1 or 3.1.1: a Packet Identifier and nothing else. */
export function readAcknowledgement(
  level: ProtocolLevel,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  target: AcknowledgementFields,
): ProtocolError | null {
  const size = end - bodyStart;
  if (size !== 2) return malformed(level, `The body has ${size} bytes, not 2.`, 'v3.1.1 MQTT 3.4.1');
  const packetIdentifier = twoBytesAt(buffer, bodyStart);
  if (packetIdentifier === 0) return zeroPacketIdentifier(level);
  target.packetIdentifier = packetIdentifier;
  target.reasonCode = ReasonCode.Success;
  return null;
}
