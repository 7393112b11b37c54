import type { ProtocolLevel } from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-codes.ts';

/** A ProtocolError that a 5.0 peer is told (O-4) and a 3.x peer is not, since those versions have no packet for it. */
export function refuse(level: ProtocolLevel, reasonCode: ReasonCode, message: string, clause: string): ProtocolError {
  return new ProtocolError(reasonCode, message, clause, level === 5);
}

/** The packet cannot be parsed: 0x81. */
export function malformed(level: ProtocolLevel, message: string, clause: string): ProtocolError {
  return refuse(level, ReasonCode.MalformedPacket, message, clause);
}

/** The packet can be parsed but is not allowed: 0x82. */
export function forbidden(level: ProtocolLevel, message: string, clause: string): ProtocolError {
  return refuse(level, ReasonCode.ProtocolError, message, clause);
}

/** The number of a rule in the text of the version that is spoken. */
export function clauseOf(level: ProtocolLevel, in5: string, in311: string): string {
  return level === 5 ? in5 : `v3.1.1 ${in311}`;
}
