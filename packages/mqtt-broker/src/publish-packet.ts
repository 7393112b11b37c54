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
  writePublishHeader,
} from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { Output } from './output.ts';
import type { PulledSource } from './payload-pull.ts';
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
  readonly topicName: string;
  /** The Topic Alias that this packet tells the client; 0: none. */
  readonly newAlias: number;
  readonly topic: Uint8Array;
  readonly payload: Uint8Array;
  readonly properties: Uint8Array | null;
  readonly sizeBytes: number;
}

/** A message that can be laid out: one that is kept, or one on its way. */
type Source = Pick<Message, 'topicName' | 'payload' | 'properties' | 'expiresAt'> & {
  readonly topicBytes?: Uint8Array;
};

const NO_TOPIC = new Uint8Array(0);

/** Properties of an outgoing PUBLISH: those of the message, what is left of its expiry, Subscription Identifiers and alias. */
function outgoingProperties(
  source: Source,
  subscriptionIdentifiers: readonly number[] | null,
  topicAlias: number,
  now: number,
): Uint8Array | null {
  const { properties, expiresAt } = source;
  if (properties === null && subscriptionIdentifiers === null && topicAlias === 0) return null;
  const outgoing: Properties = { ...properties };
  delete outgoing.topicAlias;
  delete outgoing.subscriptionIdentifiers;
  // [MQTT-3.3.2-6] An interval of 0 is passed on as it is (O-20).
  if (outgoing.messageExpiryInterval !== undefined && outgoing.messageExpiryInterval > 0) {
    outgoing.messageExpiryInterval = remainingExpiry(expiresAt, now);
  }
  if (subscriptionIdentifiers !== null) outgoing.subscriptionIdentifiers = subscriptionIdentifiers;
  if (topicAlias > 0) outgoing.topicAlias = topicAlias;
  return encodeProperties(outgoing);
}

/** The message under the name that the client is shown. */
function shown(shownAs: (topicName: string) => string, source: Source): Source {
  const topicName = shownAs(source.topicName);
  if (topicName === source.topicName) return source;
  const { payload, properties, expiresAt } = source;
  return { topicName, payload, properties, expiresAt };
}

/**
 * Lays a message of the space out for a connection: under the name that the client is shown, and with a Topic Alias if
 * that takes some. mqtt.md, O-18
 */
export function preparePublish(
  connection: Connection,
  source: Source,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
  now: number,
): PreparedPublish {
  const { shownAs } = connection;
  const named = shownAs === null ? source : shown(shownAs, source);
  return prepareNamed(connection, named, qos, subscriptionIdentifiers, now, 0);
}

/** Lays a direct push out, under its own name. `pulledBytes` follow its own payload. */
export function preparePush(
  connection: Connection,
  source: Source,
  qos: QoS,
  now: number,
  pulledBytes: number,
): PreparedPublish {
  return prepareNamed(connection, source, qos, null, now, pulledBytes);
}

function prepareNamed(
  connection: Connection,
  source: Source,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
  now: number,
  pulledBytes: number,
): PreparedPublish {
  const { aliases, maximumPacketSize } = connection;
  const layOut = (topicAlias: number, newAlias: number) =>
    prepareWith(connection, source, qos, subscriptionIdentifiers, now, topicAlias, newAlias, pulledBytes);
  if (aliases === null) return layOut(0, 0);
  const known = aliases.known(source.topicName);
  if (known > 0) return layOut(known, 0);
  const next = aliases.next();
  const prepared = layOut(next, next);
  return next === 0 || prepared.sizeBytes <= maximumPacketSize ? prepared : layOut(0, 0);
}

function prepareWith(
  connection: Connection,
  source: Source,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
  now: number,
  topicAlias: number,
  newAlias: number,
  pulledBytes: number,
): PreparedPublish {
  const { level } = connection;
  const { topicName, payload } = source;
  const named = topicAlias === 0 || newAlias > 0;
  const topic = named ? (source.topicBytes ?? encodeText(topicName)) : NO_TOPIC;
  const properties = level === 5 ? outgoingProperties(source, subscriptionIdentifiers, topicAlias, now) : null;
  const sizeBytes = publishSize(level, topic.length, payload.length + pulledBytes, qos, properties?.length ?? 0);
  return { topicName, newAlias, topic, payload, properties, sizeBytes };
}

/** Stages a prepared message. */
export function stagePrepared(
  connection: Connection,
  prepared: PreparedPublish,
  qos: QoS,
  dup: boolean,
  retain: boolean,
  packetIdentifier: number,
): void {
  const { topicName, newAlias, topic, payload, properties, sizeBytes } = prepared;
  const { output, level } = connection;
  const block = output.reserve(sizeBytes);
  writePublish(block, output.position, level, topic, payload, qos, dup, retain, packetIdentifier, properties);
  output.commit(sizeBytes);
  if (newAlias > 0) connection.aliases?.told(topicName, newAlias);
}

/** Bytes of the longest packet there is. MQTT 5.0, 1.5.5 */
export const LONGEST_PACKET = 268_435_460;

/** Stages the head of a prepared message whose payload is pulled; the output is not blocked. */
export function stagePulled(
  connection: Connection,
  prepared: PreparedPublish,
  qos: QoS,
  packetIdentifier: number,
  source: PulledSource,
): void {
  const { topicName, newAlias, topic, properties, sizeBytes } = prepared;
  const { output, level } = connection;
  const headBytes = sizeBytes - source.length;
  const block = output.reserve(headBytes);
  const { position } = output;
  writePublishHeader(block, position, level, topic, source.length, qos, false, false, packetIdentifier, properties);
  if (newAlias > 0) connection.aliases?.told(topicName, newAlias);
  output.commitPulled(headBytes, source);
}

/** The packet of a message that is being routed, for this connection. */
export function variantFor(
  connection: Connection,
  publication: Publication,
  qos: QoS,
  subscriptionIdentifiers: readonly number[] | null,
): Variant | PreparedPublish {
  const { level, shownAs } = connection;
  if (shownAs === null && (level !== 5 || (subscriptionIdentifiers === null && connection.aliases === null))) {
    return publication.variant(level, qos > 0);
  }
  return preparePublish(connection, publication, qos, subscriptionIdentifiers, publication.receivedAt);
}

/** Stages what `variantFor` gave. */
export function stageVariant(
  connection: Connection,
  variant: Variant | PreparedPublish,
  qos: QoS,
  retain: boolean,
  packetIdentifier: number,
): void {
  if ('sizeBytes' in variant) {
    stagePrepared(connection, variant, qos, false, retain, packetIdentifier);
    return;
  }
  const { output } = connection;
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
