import {
  ACKNOWLEDGEMENT_MAX_SIZE,
  encodeProperties,
  encodeText,
  type PacketType,
  type Properties,
  type ProtocolLevel,
  publishSize,
  type QoS,
  writeAcknowledgement,
  writePublish,
} from '@moorage/mqtt-codec';
import type { Output } from './output.ts';
import type { Message } from './ports.ts';
import { type Publication, remainingExpiry, type Variant } from './publication.ts';

/** Types that `writeAcknowledgement` writes. */
export type AcknowledgementType =
  | typeof PacketType.Puback
  | typeof PacketType.Pubrec
  | typeof PacketType.Pubrel
  | typeof PacketType.Pubcomp;

/** A message laid out for one connection; the Packet Identifier is still to come. */
export interface PreparedPublish {
  readonly level: ProtocolLevel;
  readonly topic: Uint8Array;
  readonly payload: Uint8Array;
  readonly properties: Uint8Array | null;
  readonly sizeBytes: number;
}

/** Properties of an outgoing PUBLISH: those of the message, what is left of its expiry, and the Subscription Identifiers. */
function outgoingProperties(
  properties: Properties | null,
  expiresAt: number,
  subscriptionIdentifiers: readonly number[] | null,
  now: number,
): Uint8Array | null {
  if (properties === null && subscriptionIdentifiers === null) return null;
  const outgoing: Properties = { ...properties };
  delete outgoing.topicAlias;
  delete outgoing.subscriptionIdentifiers;
  // [MQTT-3.3.2-6] An interval of 0 is passed on as it is (O-20).
  if (outgoing.messageExpiryInterval !== undefined && outgoing.messageExpiryInterval > 0) {
    outgoing.messageExpiryInterval = remainingExpiry(expiresAt, now);
  }
  if (subscriptionIdentifiers !== null) outgoing.subscriptionIdentifiers = subscriptionIdentifiers;
  return encodeProperties(outgoing);
}

/** Lays a message out for a connection of this version. */
export function preparePublish(
  level: ProtocolLevel,
  message: Pick<Message, 'topicName' | 'payload' | 'properties' | 'expiresAt'>,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
  now: number,
): PreparedPublish {
  const topic = encodeText(message.topicName);
  const { payload, expiresAt } = message;
  const properties =
    level === 5 ? outgoingProperties(message.properties, expiresAt, subscriptionIdentifiers, now) : null;
  const sizeBytes = publishSize(level, topic.length, payload.length, qos, properties?.length ?? 0);
  return { level, topic, payload, properties, sizeBytes };
}

/** Stages a prepared message. */
export function stagePrepared(
  output: Output,
  prepared: PreparedPublish,
  qos: QoS,
  dup: boolean,
  retain: boolean,
  packetIdentifier: number,
): void {
  const { level, topic, payload, properties, sizeBytes } = prepared;
  const block = output.reserve(sizeBytes);
  writePublish(block, output.position, level, topic, payload, qos, dup, retain, packetIdentifier, properties);
  output.commit(sizeBytes);
}

/** The packet of a message that is being routed, for a connection of this version. */
export function variantFor(
  publication: Publication,
  level: ProtocolLevel,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
): Variant | PreparedPublish {
  if (subscriptionIdentifiers === null || level !== 5) return publication.variant(level, qos > 0);
  return preparePublish(level, publication, qos, subscriptionIdentifiers, publication.receivedAt);
}

/** Stages what `variantFor` gave. */
export function stageVariant(
  output: Output,
  variant: Variant | PreparedPublish,
  qos: QoS,
  retain: boolean,
  packetIdentifier: number,
): void {
  if ('sizeBytes' in variant) {
    stagePrepared(output, variant, qos, false, retain, packetIdentifier);
    return;
  }
  const { packet, identifierOffset } = variant;
  const block = output.reserve(packet.length);
  const { position } = output;
  block.set(packet, position);
  block[position] = 0x30 | (qos << 1) | (retain ? 1 : 0); // [MQTT-3.3.1-3] DUP is 0 on a first sending.
  if (identifierOffset !== 0) {
    block[position + identifierOffset] = packetIdentifier >> 8;
    block[position + identifierOffset + 1] = packetIdentifier & 0xff;
  }
  output.commit(packet.length);
}

/** Size of what `variantFor` gave. */
export function variantSize(variant: Variant | PreparedPublish): number {
  return 'sizeBytes' in variant ? variant.sizeBytes : variant.packet.length;
}

/** Stages a PUBACK, PUBREC, PUBREL or PUBCOMP without properties. */
export function stageAcknowledgement(
  output: Output,
  level: ProtocolLevel,
  type: AcknowledgementType,
  packetIdentifier: number,
  reasonCode: number,
): void {
  const block = output.reserve(ACKNOWLEDGEMENT_MAX_SIZE);
  const end = writeAcknowledgement(block, output.position, level, type, packetIdentifier, reasonCode);
  output.commit(end - output.position);
}
