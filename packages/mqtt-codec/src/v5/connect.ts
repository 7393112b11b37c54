import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type ConnectFlags, joinConnectFlags, splitConnectFlags, willQoS } from '../connect-flags.ts';
import { type ConnectPacket, PacketType, type Will } from '../packets.ts';
import { WILL_PROPERTIES } from '../properties/property-table.ts';
import { readProperties } from '../properties/read-properties.ts';
import { writeProperties } from '../properties/write-properties.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { malformed } from '../refusals.ts';

function checkFlags(reader: BodyReader, flags: ConnectFlags): void {
  if (flags.reserved) reader.fail(malformed(5, 'The reserved bit of the Connect Flags is 1.', 'MQTT-3.1.2-3'));
  if (!flags.will && (flags.willQoS !== 0 || flags.willRetain)) {
    const clause = 'MQTT-3.1.2-11, MQTT-3.1.2-13';
    reader.fail(malformed(5, 'Will QoS or Will Retain is set without the Will Flag.', clause));
  }
  willQoS(reader, flags);
}

function readWill(reader: BodyReader, flags: ConnectFlags): Will {
  const properties = readProperties(reader, WILL_PROPERTIES);
  const topicName = reader.topicName('The Will Topic');
  const payload = reader.binary('the Will Payload');
  return { topicName, payload, qos: willQoS(reader, flags), retain: flags.willRetain, properties };
}

/** Reads a CONNECT of 5.0 from its Connect Flags on. [MQTT-3.1.3-1] */
export function readConnect(reader: BodyReader): ConnectPacket | ProtocolError {
  const flags = splitConnectFlags(reader.byte('the Connect Flags'));
  checkFlags(reader, flags);
  const keepAlive = reader.twoBytes('the Keep Alive');
  const properties = readProperties(reader, PacketType.Connect);
  const clientId = reader.clientId();
  const will = flags.will ? readWill(reader, flags) : null;
  const username = flags.username ? reader.text('the User Name') : null;
  const password = flags.password ? reader.binary('the Password') : null;
  reader.expectEnd();
  if (reader.error !== null) return reader.error;
  return {
    type: PacketType.Connect,
    level: 5,
    clientId,
    cleanStart: flags.cleanStart,
    keepAlive,
    will,
    username,
    password,
    properties,
  };
}

/** Writes a CONNECT of 5.0 behind its fixed header. */
export function writeConnect(writer: BodyWriter, packet: ConnectPacket): void {
  const { will } = packet;
  writer.text('MQTT');
  writer.byte(5);
  writer.byte(
    joinConnectFlags({
      reserved: false,
      cleanStart: packet.cleanStart,
      will: will !== null,
      willQoS: will?.qos ?? 0,
      willRetain: will?.retain ?? false,
      password: packet.password !== null,
      username: packet.username !== null,
    }),
  );
  writer.twoBytes(packet.keepAlive);
  writeProperties(writer, packet.properties);
  writer.text(packet.clientId);
  if (will !== null) {
    writeProperties(writer, will.properties);
    writer.text(will.topicName);
    writer.binary(will.payload);
  }
  if (packet.username !== null) writer.text(packet.username);
  if (packet.password !== null) writer.binary(packet.password);
}
