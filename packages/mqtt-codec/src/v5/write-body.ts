import type { BodyWriter } from '../body-writer.ts';
import { type Packet, PacketType, type Properties, type PublishPacket } from '../packets.ts';
import { writeAcknowledgement } from './acknowledgement.ts';
import { writeAuth } from './auth.ts';
import { writeConnack } from './connack.ts';
import { writeConnect } from './connect.ts';
import { writeDisconnect } from './disconnect.ts';
import { writeReasonCodeList } from './reason-code-list.ts';
import { writeSubscribe } from './subscribe.ts';
import { writeUnsubscribe } from './unsubscribe.ts';

/** Writes what stands behind the fixed header in 5.0. `properties` are those that an answering packet may keep; requests write their own. */
export function writeBody(
  writer: BodyWriter,
  packet: Exclude<Packet, PublishPacket>,
  properties: Properties | null,
): void {
  switch (packet.type) {
    case PacketType.Connect:
      writeConnect(writer, packet);
      break;
    case PacketType.Connack:
      writeConnack(writer, packet, properties);
      break;
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      writeAcknowledgement(writer, packet, properties);
      break;
    case PacketType.Subscribe:
      writeSubscribe(writer, packet);
      break;
    case PacketType.Suback:
    case PacketType.Unsuback:
      writeReasonCodeList(writer, packet, properties);
      break;
    case PacketType.Unsubscribe:
      writeUnsubscribe(writer, packet);
      break;
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      break;
    case PacketType.Disconnect:
      writeDisconnect(writer, packet, properties);
      break;
    case PacketType.Auth:
      writeAuth(writer, packet, properties);
      break;
  }
}
