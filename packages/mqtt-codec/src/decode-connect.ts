import { BodyReader } from './body-reader.ts';
import { byteAt } from './bytes.ts';
import { readConnectHead } from './connect-head.ts';
import { ConnectRejection } from './connect-rejection.ts';
import { fixedFirstByte } from './fixed-header.ts';
import type { DecodeLimits, ReadText } from './limits.ts';
import { type ConnectPacket, PacketType } from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-codes.ts';
import { malformed, refuse } from './refusals.ts';
import { readConnect as readConnect3 } from './v3/connect.ts';
import { readConnect as readConnect5 } from './v5/connect.ts';
import { variableByteIntegerSize } from './variable-byte-integer.ts';

/**
 * Decodes the CONNECT that lies between `start` (its first byte) and `end`. A ConnectRejection holds the CONNACK for a
 * level that is not spoken; a ProtocolError that is `answerable` goes into a CONNACK, all others close without one.
 * Order of the checks: mqtt.md, end of section 5. Nothing in the packet refers to `buffer`.
 */
export function decodeConnect(
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
): ConnectPacket | ConnectRejection | ProtocolError {
  if (byteAt(buffer, start) !== fixedFirstByte(PacketType.Connect)) {
    return new ProtocolError(ReasonCode.MalformedPacket, 'The first byte is not 0x10.', 'MQTT-3.1.0-1', false);
  }
  const head = readConnectHead(buffer, bodyStart, end);
  if (head instanceof ConnectRejection || head instanceof ProtocolError) return head;
  const { level, flagsStart } = head;
  if (level === 5 && bodyStart - start !== 1 + variableByteIntegerSize(end - bodyStart)) {
    return malformed(5, 'The Remaining Length is not in its shortest form.', 'MQTT-1.5.5-1');
  }
  const reader = new BodyReader(level, buffer, flagsStart, end, limits, readText);
  const packet = level === 5 ? readConnect5(reader) : readConnect3(reader);
  if (packet instanceof ProtocolError) return packet;
  if (end - start > limits.maximumPacketSize) {
    const message = `The packet has ${end - start} bytes, ${limits.maximumPacketSize} are allowed.`;
    return refuse(level, ReasonCode.PacketTooLarge, message, 'MQTT-3.2.2-15');
  }
  if (reader.clientIdDiscouraged) {
    const message = 'The Client Identifier holds a control character or a non-character.';
    return refuse(level, ReasonCode.ClientIdentifierNotValid, message, 'O-3');
  }
  return packet;
}
