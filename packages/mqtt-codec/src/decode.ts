import { BodyReader } from './body-reader.ts';
import { flagsError } from './fixed-header.ts';
import type { DecodeLimits, ReadText } from './limits.ts';
import {
  type AcknowledgementPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  type PingreqPacket,
  type PingrespPacket,
  type ProtocolLevel,
  type PublishPacket,
} from './packets.ts';
import { ProtocolError } from './protocol-error.ts';
import { AcknowledgementFields, PublishFields } from './publish-fields.ts';
import { ReasonCode } from './reason-codes.ts';
import { forbidden, malformed } from './refusals.ts';
import { readAcknowledgement as readAcknowledgement3 } from './v3/acknowledgement.ts';
import { readConnack as readConnack3 } from './v3/connack.ts';
import { readPublish as readPublish3 } from './v3/publish.ts';
import { readSuback as readSuback3 } from './v3/suback.ts';
import { readSubscribe as readSubscribe3 } from './v3/subscribe.ts';
import { readUnsuback as readUnsuback3 } from './v3/unsuback.ts';
import { readUnsubscribe as readUnsubscribe3 } from './v3/unsubscribe.ts';
import { readAcknowledgement as readAcknowledgement5, readAcknowledgementProperties } from './v5/acknowledgement.ts';
import { readAuth } from './v5/auth.ts';
import { readConnack as readConnack5 } from './v5/connack.ts';
import { readDisconnect as readDisconnect5 } from './v5/disconnect.ts';
import { readPublish as readPublish5 } from './v5/publish.ts';
import { readReasonCodeList } from './v5/reason-code-list.ts';
import { readSubscribe as readSubscribe5 } from './v5/subscribe.ts';
import { readUnsubscribe as readUnsubscribe5 } from './v5/unsubscribe.ts';

/**
 * Reads a PUBLISH into `target`, without an allocation but the Topic Name where there are no properties. On an error
 * the content of `target` is undefined. Ranges refer to `buffer`, which is only valid until the next chunk.
 */
export function readPublish(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
  target: PublishFields,
): ProtocolError | null {
  return level === 5
    ? readPublish5(firstByte, buffer, bodyStart, end, limits, readText, target)
    : readPublish3(level, firstByte, buffer, bodyStart, end, readText, target);
}

/** Reads a PUBACK, PUBREC, PUBREL or PUBCOMP into `target`; its properties are checked and dropped. On an error the content of `target` is undefined. */
export function readAcknowledgement(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
  target: AcknowledgementFields,
): ProtocolError | null {
  const type = acknowledgementType(firstByte);
  if (type === null) return forbidden(level, 'The packet is no acknowledgement of a PUBLISH.', 'MQTT 2.1.2');
  const error =
    flagsError(level, type, firstByte) ?? readFixedPart(level, type, buffer, bodyStart, end, limits, target);
  if (error !== null || end - bodyStart < 4) return error;
  const properties = readAcknowledgementProperties(type, buffer, bodyStart, end, limits, readText);
  return properties instanceof ProtocolError ? properties : null;
}

function acknowledgementType(firstByte: number): AcknowledgementPacket['type'] | null {
  const type = firstByte >> 4;
  switch (type) {
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return type;
    default:
      return null;
  }
}

function readFixedPart(
  level: ProtocolLevel,
  type: AcknowledgementPacket['type'],
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  target: AcknowledgementFields,
): ProtocolError | null {
  return level === 5
    ? readAcknowledgement5(type, buffer, bodyStart, end, limits, target)
    : readAcknowledgement3(level, buffer, bodyStart, end, target);
}

/**
 * Decodes every packet but CONNECT, from either side unless `limits.sender` says which. The payload of a PUBLISH is a
 * view of `buffer`; everything else is a copy.
 */
export function decodePacket(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
): Packet | ProtocolError {
  const type = packetType(firstByte);
  if (type === null || (type === PacketType.Auth && level !== 5)) {
    return malformed(level, `Packet type ${firstByte >> 4} is reserved.`, 'MQTT 2.1.2');
  }
  if (type === PacketType.Publish) {
    return decodePublish(level, firstByte, buffer, bodyStart, end, limits, readText);
  }
  const wrongFlags = flagsError(level, type, firstByte);
  if (wrongFlags !== null) return wrongFlags;
  const reader = new BodyReader(level, buffer, bodyStart, end, limits, readText);
  switch (type) {
    case PacketType.Connect:
      return forbidden(level, 'A CONNECT came where none may come.', 'MQTT-3.1.0-2');
    case PacketType.Connack:
      return level === 5 ? readConnack5(reader) : readConnack3(reader);
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return decodeAcknowledgement(level, type, buffer, bodyStart, end, limits, readText);
    case PacketType.Subscribe:
      return level === 5 ? readSubscribe5(reader) : readSubscribe3(reader);
    case PacketType.Suback:
      return level === 5 ? readReasonCodeList(reader, type) : readSuback3(reader);
    case PacketType.Unsubscribe:
      return level === 5 ? readUnsubscribe5(reader) : readUnsubscribe3(reader);
    case PacketType.Unsuback:
      return level === 5 ? readReasonCodeList(reader, type) : readUnsuback3(reader);
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      return readEmpty(reader, { type });
    case PacketType.Disconnect:
      if (level === 5) return readDisconnect5(reader);
      return readEmpty(reader, { type, reasonCode: ReasonCode.Success, properties: null });
    case PacketType.Auth:
      return readAuth(reader);
  }
}

const TYPES: readonly PacketType[] = Object.values(PacketType);

function packetType(firstByte: number): PacketType | null {
  return TYPES[(firstByte >> 4) - 1] ?? null;
}

/** A packet whose body must be empty. */
function readEmpty<EmptyPacket extends PingreqPacket | PingrespPacket | DisconnectPacket>(
  reader: BodyReader,
  packet: EmptyPacket,
): EmptyPacket | ProtocolError {
  reader.expectEnd();
  return reader.error ?? packet;
}

function decodePublish(
  level: ProtocolLevel,
  firstByte: number,
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
): PublishPacket | ProtocolError {
  const fields = new PublishFields();
  const error = readPublish(level, firstByte, buffer, bodyStart, end, limits, readText, fields);
  if (error !== null) return error;
  const { topicName, qos, dup, retain, packetIdentifier, properties } = fields;
  const payload = buffer.subarray(fields.payloadStart, fields.payloadEnd);
  return { type: PacketType.Publish, topicName, payload, qos, dup, retain, packetIdentifier, properties };
}

function decodeAcknowledgement(
  level: ProtocolLevel,
  type: AcknowledgementPacket['type'],
  buffer: Uint8Array,
  bodyStart: number,
  end: number,
  limits: DecodeLimits,
  readText: ReadText,
): AcknowledgementPacket | ProtocolError {
  const fields = new AcknowledgementFields();
  const error = readFixedPart(level, type, buffer, bodyStart, end, limits, fields);
  if (error !== null) return error;
  const properties = readAcknowledgementProperties(type, buffer, bodyStart, end, limits, readText);
  if (properties instanceof ProtocolError) return properties;
  return { type, packetIdentifier: fields.packetIdentifier, reasonCode: fields.reasonCode, properties };
}
