import type { BodyWriter } from '../body-writer.ts';
import { type Packet, PacketType, type ProtocolLevel, type PublishPacket } from '../packets.ts';
import { writeConnack } from './connack.ts';
import { writeConnect } from './connect.ts';
import { writeSuback } from './suback.ts';
import { writeSubscribe } from './subscribe.ts';
import { writeUnsuback } from './unsuback.ts';
import { writeUnsubscribe } from './unsubscribe.ts';

/** Writes what stands behind the fixed header in 3.1 and 3.1.1; properties and codes that those lack are left out. */
export function writeBody(writer: BodyWriter, level: ProtocolLevel, packet: Exclude<Packet, PublishPacket>): void {
  switch (packet.type) {
    case PacketType.Connect:
      writeConnect(writer, packet);
      break;
    case PacketType.Connack:
      writeConnack(writer, level, packet);
      break;
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      writer.twoBytes(packet.packetIdentifier);
      break;
    case PacketType.Subscribe:
      writeSubscribe(writer, packet);
      break;
    case PacketType.Suback:
      writeSuback(writer, level, packet);
      break;
    case PacketType.Unsubscribe:
      writeUnsubscribe(writer, packet);
      break;
    case PacketType.Unsuback:
      writeUnsuback(writer, packet);
      break;
    default:
      // PINGREQ, PINGRESP and DISCONNECT have no body; AUTH is never asked for.
      break;
  }
}
