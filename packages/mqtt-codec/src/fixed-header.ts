import { PacketType, type ProtocolLevel } from './packets.ts';
import type { ProtocolError } from './protocol-error.ts';
import { clauseOf, malformed } from './refusals.ts';

const DUP = 0x08;

/** First byte of a packet whose flags are fixed: PUBREL, SUBSCRIBE and UNSUBSCRIBE have 0010, all others but PUBLISH 0000. MQTT 5.0, 2.1.3 */
export function fixedFirstByte(type: PacketType): number {
  const flags =
    type === PacketType.Pubrel || type === PacketType.Subscribe || type === PacketType.Unsubscribe ? 0x02 : 0x00;
  return (type << 4) | flags;
}

/** Checks the reserved flags of every packet but PUBLISH. [MQTT-2.1.3-1] */
export function flagsError(level: ProtocolLevel, type: PacketType, firstByte: number): ProtocolError | null {
  const wanted = fixedFirstByte(type);
  if (firstByte === wanted) return null;
  // MQTT 3.1 marks a repeated PUBREL, SUBSCRIBE or UNSUBSCRIBE with DUP (O-31).
  if (level === 3 && (wanted & 0x02) !== 0 && firstByte === (wanted | DUP)) return null;
  const message = `The flags of the first byte are ${firstByte & 0x0f}, not ${wanted & 0x0f}.`;
  return malformed(level, message, clauseOf(level, 'MQTT-2.1.3-1', 'MQTT-2.2.2-2'));
}
