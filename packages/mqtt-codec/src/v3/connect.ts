import type { BodyReader } from '../body-reader.ts';
import type { BodyWriter } from '../body-writer.ts';
import { type ConnectFlags, joinConnectFlags, splitConnectFlags, willQoS } from '../connect-flags.ts';
import { type ConnectPacket, PacketType, type Will } from '../packets.ts';
import type { ProtocolError } from '../protocol-error.ts';
import { malformed } from '../refusals.ts';

function checkFlags(reader: BodyReader, flags: ConnectFlags): void {
  if (reader.level === 4) {
    if (flags.reserved) {
      reader.fail(malformed(4, 'The reserved bit of the Connect Flags is 1.', 'v3.1.1 MQTT-3.1.2-3'));
    }
    // 3.1 leaves these bits unchecked (O-31).
    if (!flags.will && (flags.willQoS !== 0 || flags.willRetain)) {
      const clause = 'v3.1.1 MQTT-3.1.2-11, MQTT-3.1.2-13, MQTT-3.1.2-15';
      reader.fail(malformed(4, 'Will QoS or Will Retain is set without the Will Flag.', clause));
    }
  }
  if (flags.password && !flags.username) {
    reader.fail(malformed(reader.level, 'A password comes without a user name.', 'v3.1.1 MQTT-3.1.2-22'));
  }
}

function readWill(reader: BodyReader, flags: ConnectFlags): Will {
  const topicName = reader.topicName('The Will Topic');
  const payload = reader.binary('the Will Message');
  return { topicName, payload, qos: willQoS(reader, flags), retain: flags.willRetain, properties: null };
}

function readUsername(reader: BodyReader): string | null {
  // 3.1: the Remaining Length counts for more than the flag (O-31).
  if (reader.level === 3 && reader.remaining === 0) return null;
  return reader.text('the User Name');
}

/** Reads a CONNECT of 3.1 or 3.1.1 from its Connect Flags on. [v3.1.1 MQTT-3.1.3-1] */
export function readConnect(reader: BodyReader): ConnectPacket | ProtocolError {
  const { level } = reader;
  const flags = splitConnectFlags(reader.byte('the Connect Flags'));
  checkFlags(reader, flags);
  const keepAlive = reader.twoBytes('the Keep Alive');
  const clientId = reader.clientId();
  const will = flags.will ? readWill(reader, flags) : null;
  const username = flags.username ? readUsername(reader) : null;
  if (flags.password && username === null) {
    reader.fail(malformed(level, 'A password is announced without a user name.', 'v3.1.1 MQTT-3.1.2-22'));
  }
  const password = flags.password ? reader.binary('the Password') : null;
  reader.expectEnd();
  if (reader.error !== null) return reader.error;
  return {
    type: PacketType.Connect,
    level,
    clientId,
    cleanStart: flags.cleanStart,
    keepAlive,
    will,
    username,
    password,
    properties: null,
  };
}

/** Writes a CONNECT of 3.1 or 3.1.1 behind its fixed header. */
export function writeConnect(writer: BodyWriter, packet: ConnectPacket): void {
  const { will } = packet;
  writer.text(packet.level === 3 ? 'MQIsdp' : 'MQTT');
  writer.byte(packet.level);
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
  writer.text(packet.clientId);
  if (will !== null) {
    writer.text(will.topicName);
    writer.binary(will.payload);
  }
  if (packet.username !== null) writer.text(packet.username);
  if (packet.password !== null) writer.binary(packet.password);
}
