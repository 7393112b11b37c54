import {
  AcknowledgementFields,
  decodePacket,
  type FrameReader,
  PacketType,
  ProtocolError,
  ReasonCode,
  readAcknowledgement,
} from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Flight } from './in-flight.ts';
import type { AcknowledgementType } from './publish-packet.ts';
import { handleSubscribe, handleUnsubscribe } from './subscribing.ts';

const PINGRESP = new Uint8Array([0xd0, 0x00]);

/** Filled in by the codec and used up before the next packet is read. */
const fields = new AcknowledgementFields();

/** Serves the packet in the reader on a connection whose CONNECT was accepted: column K of mqtt.md, section 5. */
export function handlePacket(context: BrokerContext, connection: Connection, reader: FrameReader): void {
  const type = reader.firstByte >> 4;
  switch (type) {
    case PacketType.Publish:
      connection.inboxMade()?.publish(reader);
      return;
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      handleAcknowledgement(context, connection, reader, type);
      return;
    case PacketType.Connect:
      refuse(connection, 'A second CONNECT.', 'MQTT-3.1.0-2');
      return;
    case PacketType.Connack:
    case PacketType.Suback:
    case PacketType.Unsuback:
    case PacketType.Pingresp:
      refuse(connection, `A packet of type ${type} comes from a server only.`, 'MQTT 2.1.2');
      return;
    default:
      handleOther(context, connection, reader);
  }
}

function refuse(connection: Connection, message: string, clause: string): void {
  connection.fail(new ProtocolError(ReasonCode.ProtocolError, message, clause, connection.level === 5));
}

function handleAcknowledgement(
  context: BrokerContext,
  connection: Connection,
  reader: FrameReader,
  type: AcknowledgementType,
): void {
  const { level, decodeLimits, session } = connection;
  const { buffer, bodyStart, end, firstByte } = reader;
  if (session === null) return;
  const error = readAcknowledgement(level, firstByte, buffer, bodyStart, end, decodeLimits, context.readText, fields);
  if (error !== null) {
    connection.fail(error);
    return;
  }
  const { packetIdentifier, reasonCode } = fields;
  const { outbox } = session;
  let expected = true;
  if (type === PacketType.Puback) expected = outbox.acknowledged(packetIdentifier, Flight.PubackDue);
  else if (type === PacketType.Pubrec) expected = outbox.received(packetIdentifier, reasonCode);
  else if (type === PacketType.Pubcomp) expected = outbox.acknowledged(packetIdentifier, Flight.PubcompDue);
  else connection.inboxMade()?.pubrel(packetIdentifier);
  if (!expected)
    refuse(connection, `Packet Identifier ${packetIdentifier} waits for another acknowledgement.`, 'MQTT 4.3');
}

function handleOther(context: BrokerContext, connection: Connection, reader: FrameReader): void {
  const { firstByte, buffer, bodyStart, end } = reader;
  const { level, decodeLimits } = connection;
  const packet = decodePacket(level, firstByte, buffer, bodyStart, end, decodeLimits, context.readText);
  if (packet instanceof ProtocolError) {
    // mqtt.md, section 5: a DISCONNECT with a code that a client may not send is not answered.
    const silent = firstByte >> 4 === PacketType.Disconnect && packet.clause.includes('3.14.2-1');
    if (silent) connection.closeSilently(packet);
    else connection.fail(packet);
    return;
  }
  switch (packet.type) {
    case PacketType.Pingreq:
      connection.output.stage(PINGRESP); // [MQTT-3.12.4-1]
      return;
    case PacketType.Subscribe:
      handleSubscribe(context, connection, packet);
      return;
    case PacketType.Unsubscribe:
      handleUnsubscribe(context, connection, packet);
      return;
    case PacketType.Disconnect:
      handleDisconnect(connection, packet.reasonCode, packet.properties?.sessionExpiryInterval);
      return;
    default:
      refuse(connection, 'AUTH without an Authentication Method in CONNECT.', 'MQTT-4.12.0-7');
  }
}

function handleDisconnect(
  connection: Connection,
  reasonCode: ReasonCode,
  sessionExpiryInterval: number | undefined,
): void {
  const { session } = connection;
  if (sessionExpiryInterval !== undefined && session !== null) {
    if (connection.expiryWasZero && sessionExpiryInterval > 0) {
      refuse(connection, 'DISCONNECT raises the Session Expiry Interval from 0.', 'U-11');
      return;
    }
    session.expiryInterval = Math.min(sessionExpiryInterval, session.policy.maximumSessionExpiryInterval); // U-12
  }
  connection.closedByClient(reasonCode);
}
