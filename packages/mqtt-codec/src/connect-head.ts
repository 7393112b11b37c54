import { byteAt, twoBytesAt } from './bytes.ts';
import { ConnectRejection } from './connect-rejection.ts';
import type { ProtocolLevel } from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-codes.ts';

const NAME_5_AND_4 = [0x4d, 0x51, 0x54, 0x54]; // MQTT
const NAME_3 = [0x4d, 0x51, 0x49, 0x73, 0x64, 0x70]; // MQIsdp

/** mosquitto sets this bit in the level of its bridge connections and comes back without it on return code 1. */
const BRIDGE_BIT = 0x80;

function nameIs(name: readonly number[], buffer: Uint8Array, start: number, end: number): boolean {
  return end - start === name.length && name.every((byte, index) => byteAt(buffer, start + index) === byte);
}

/** A CONNECT whose level is not known is closed without an answer (U-26). */
function unanswerable(message: string, clause: string): ProtocolError {
  return new ProtocolError(ReasonCode.MalformedPacket, message, clause, false);
}

/** Protocol level, and where the Connect Flags are. */
export interface ConnectHead {
  readonly level: ProtocolLevel;
  readonly flagsStart: number;
}

/** Reads protocol name and level of a CONNECT and decides as the table of mqtt.md, 2.1, does. */
export function readConnectHead(
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
): ConnectHead | ConnectRejection | ProtocolError {
  const nameStart = bodyStart + 2;
  const levelAt = end < nameStart ? end : nameStart + twoBytesAt(buffer, bodyStart);
  if (levelAt >= end) return unanswerable('The packet ends before the protocol level.', 'MQTT 1.2');
  const isOldName = nameIs(NAME_3, buffer, nameStart, levelAt);
  if (!isOldName && !nameIs(NAME_5_AND_4, buffer, nameStart, levelAt)) {
    return unanswerable('The protocol name is neither MQTT nor MQIsdp.', 'MQTT-3.1.2-1');
  }
  const level = byteAt(buffer, levelAt);
  const flagsStart = levelAt + 1;
  if (isOldName) return level === 3 ? { level, flagsStart } : returnCode1(level);
  if (level === 4 || level === 5) return { level, flagsStart };
  if (level < 4 || level === (BRIDGE_BIT | 3) || level === (BRIDGE_BIT | 4)) return returnCode1(level);
  return new ConnectRejection(new Uint8Array([0x20, 0x03, 0x00, ReasonCode.UnsupportedProtocolVersion, 0x00]), level);
}

/** The CONNACK that a client of 3.1 or 3.1.1 understands. [v3.1.1 MQTT-3.1.2-2] */
function returnCode1(level: number): ConnectRejection {
  return new ConnectRejection(new Uint8Array([0x20, 0x02, 0x00, 0x01]), level);
}
