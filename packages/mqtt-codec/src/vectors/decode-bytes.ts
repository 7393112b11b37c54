import { ConnectRejection } from '../connect-rejection.ts';
import { decodePacket } from '../decode.ts';
import { decodeConnect } from '../decode-connect.ts';
import { FRAME_ERROR, FrameReader } from '../frame-reader.ts';
import { DEFAULT_LIMITS, type DecodeLimits } from '../limits.ts';
import type { Packet, ProtocolLevel } from '../packets.ts';
import { ProtocolError } from '../protocol-error.ts';
import { readText } from './wire.ts';

export type Decoded = Packet | ConnectRejection | ProtocolError | 'incomplete';

/** Decodes every packet of the chunks, up to the first error. */
export function decodeChunks(
  level: ProtocolLevel,
  chunks: readonly Uint8Array[],
  limits: DecodeLimits = DEFAULT_LIMITS,
): Decoded[] {
  const reader = new FrameReader(limits.maximumPacketSize);
  reader.strictLength = level === 5;
  const decoded: Decoded[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let result = reader.next(); result !== 0; result = reader.next()) {
      if (result === FRAME_ERROR) return reader.error === null ? decoded : [...decoded, reader.error];
      const { firstByte, buffer, start, bodyStart, end } = reader;
      const packet =
        firstByte >> 4 === 1
          ? decodeConnect(buffer, start, bodyStart, end, limits, readText)
          : decodePacket(level, firstByte, buffer, bodyStart, end, limits, readText);
      decoded.push(ownPayload(packet));
      if (packet instanceof ProtocolError || packet instanceof ConnectRejection) return decoded;
    }
  }
  if (reader.pendingBytes > 0) decoded.push('incomplete');
  return decoded;
}

/** The payload of a PUBLISH is a view that the next chunk may outlive. */
function ownPayload<Value extends Decoded>(packet: Value): Value | Packet {
  if (typeof packet !== 'object' || !('payload' in packet)) return packet;
  return { ...packet, payload: new Uint8Array(packet.payload) };
}

/** Decodes one packet. */
export function decodeBytes(level: ProtocolLevel, bytes: Uint8Array, limits?: DecodeLimits): Decoded {
  return decodeChunks(level, [bytes], limits)[0] ?? 'incomplete';
}

/** `refused 0x81` or `refused 0x82 closed`, or the packet: what a test compares. */
export function outcome(decoded: Decoded): string {
  if (decoded instanceof ProtocolError) {
    return `refused 0x${decoded.reasonCode.toString(16)}${decoded.answerable ? '' : ' closed'}`;
  }
  if (decoded instanceof ConnectRejection) return `rejected ${[...decoded.bytes].join(' ')}`;
  return decoded === 'incomplete' ? decoded : 'accepted';
}
