import {
  encodeProperties,
  encodeText,
  type FrameReader,
  type Properties,
  type ProtocolLevel,
  type PublishFields,
  packetIdentifierOffset,
  publishSize,
  type QoS,
  writePublish,
} from '@moorage/mqtt-codec';
import type { InboundMessage, Message } from './ports.ts';
import type { Route } from './route.ts';
import type { QueueTarget } from './session-store.ts';

const EMPTY = new Uint8Array(0);

/** A PUBLISH ready to be copied: flags and Packet Identifier are patched behind the copy. */
export interface Variant {
  readonly packet: Uint8Array;
  /** Offset of the Packet Identifier; 0 on QoS 0. */
  readonly identifierOffset: number;
}

/** Remaining Message Expiry Interval in seconds, rounded up, at least 1. mqtt.md, O-20 */
export function remainingExpiry(expiresAt: number, now: number): number {
  return Math.max(1, Math.ceil((expiresAt - now) / 1_000));
}

/** The properties that travel on with a message: neither alias nor Subscription Identifiers of its sender. */
function lastingProperties(properties: Properties | null): Properties | null {
  if (properties === null) return null;
  const { topicAlias: _alias, subscriptionIdentifiers: _identifiers, ...lasting } = properties;
  return Object.keys(lasting).length === 0 ? null : lasting;
}

/**
 * A message on its way to its subscribers, within one call. Views into the chunk it came in are made when somebody asks
 * for them, and what outlives the call is copied once by `keep`.
 */
export class Publication implements InboundMessage {
  topicName: string;
  readonly qos: QoS;
  /** As received; cleared where Retained Messages are ignored. */
  retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | null;
  readonly receivedAt: number;
  /** Where it leads, if somebody knows; a hint that the space checks. */
  route: Route | null = null;
  /** Copies to be stored for Sessions that outlive their connections. */
  storeTargets: QueueTarget[] | null = null;

  readonly #level: ProtocolLevel;
  readonly #buffer: Uint8Array;
  readonly #payloadStart: number;
  readonly #payloadEnd: number;
  /** Start of the packet in the buffer, -1 where it cannot be copied as it came. */
  #packetStart = -1;
  #topicBytes: Uint8Array | null = null;
  #message: Message | null = null;
  #variant30: Variant | null = null;
  #variant31: Variant | null = null;
  #variant50: Variant | null = null;
  #variant51: Variant | null = null;
  #propertyBytes: Uint8Array | null = null;

  constructor(
    level: ProtocolLevel,
    topicName: string,
    buffer: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    properties: Properties | null,
    receivedAt: number,
  ) {
    this.#level = level;
    this.topicName = topicName;
    this.#buffer = buffer;
    this.#payloadStart = payloadStart;
    this.#payloadEnd = payloadEnd;
    this.qos = qos;
    this.retain = retain;
    this.dup = dup;
    this.properties = properties;
    this.receivedAt = receivedAt;
  }

  /** From a packet that was just read. */
  static read(
    level: ProtocolLevel,
    reader: FrameReader,
    fields: PublishFields,
    topicName: string,
    receivedAt: number,
  ): Publication {
    const { qos, retain, dup, properties, payloadStart, payloadEnd } = fields;
    const publication = new Publication(
      level,
      topicName,
      reader.buffer,
      payloadStart,
      payloadEnd,
      qos,
      retain,
      dup,
      properties,
      receivedAt,
    );
    // An alias and an over-long Remaining Length (3.x) belong to the sender's connection and are not copied on.
    const headerBytes = headerSize(reader.end - reader.bodyStart);
    if (properties?.topicAlias === undefined && reader.bodyStart - reader.start === headerBytes) {
      publication.#packetStart = reader.start;
    }
    return publication;
  }

  /** From a message that is already in memory. */
  static of(
    message: Pick<Message, 'topicName' | 'payload' | 'qos' | 'retain' | 'properties'>,
    now: number,
  ): Publication {
    const { topicName, payload, qos, retain, properties } = message;
    return new Publication(5, topicName, payload, 0, payload.length, qos, retain, false, properties, now);
  }

  get payload(): Uint8Array {
    return this.#buffer.subarray(this.#payloadStart, this.#payloadEnd);
  }

  get payloadBytes(): number {
    return this.#payloadEnd - this.#payloadStart;
  }

  /** Epoch milliseconds; Infinity: never. mqtt.md, O-20 */
  get expiresAt(): number {
    const interval = this.properties?.messageExpiryInterval;
    return interval === undefined ? Number.POSITIVE_INFINITY : this.receivedAt + interval * 1_000;
  }

  /** Copies the message, once, for whoever keeps it longer than this call. */
  keep(): Message {
    this.#message ??= {
      topicName: this.topicName,
      payload: this.#buffer.slice(this.#payloadStart, this.#payloadEnd),
      qos: this.qos,
      retain: this.retain,
      properties: lastingProperties(this.properties),
      expiresAt: this.expiresAt,
    };
    return this.#message;
  }

  /** Gives the message the name that it has in its space; before anything is made of it. */
  rename(topicName: string): void {
    this.topicName = topicName;
    this.#topicBytes = null;
    this.#packetStart = -1;
  }

  get topicBytes(): Uint8Array {
    this.#topicBytes ??= encodeText(this.topicName);
    return this.#topicBytes;
  }

  /** The packet for subscribers of a version without Subscription Identifiers, made once for all of them. */
  variant(level: ProtocolLevel, acknowledged: boolean): Variant {
    if (level === 5) {
      if (acknowledged) {
        this.#variant51 ??= this.#make(5, 1);
        return this.#variant51;
      }
      this.#variant50 ??= this.#make(5, 0);
      return this.#variant50;
    }
    if (acknowledged) {
      this.#variant31 ??= this.#make(4, 1);
      return this.#variant31;
    }
    this.#variant30 ??= this.#make(4, 0);
    return this.#variant30;
  }

  #make(level: ProtocolLevel, qos: 0 | 1): Variant {
    const sameForm = (this.#level === 5) === (level === 5) && this.qos > 0 === qos > 0;
    if (sameForm && this.#packetStart !== -1) {
      const packet = this.#buffer.subarray(this.#packetStart, this.#payloadEnd);
      return { packet, identifierOffset: qos === 0 ? 0 : identifierOffset(packet) };
    }
    const properties = level === 5 ? this.#encodedProperties() : EMPTY;
    const topic = this.topicBytes;
    const size = publishSize(level, topic.length, this.payloadBytes, qos, properties.length);
    const packet = new Uint8Array(size);
    writePublish(
      packet,
      0,
      level,
      topic,
      this.payload,
      qos,
      false,
      false,
      0,
      properties.length === 0 ? null : properties,
    );
    return { packet, identifierOffset: qos === 0 ? 0 : packetIdentifierOffset(topic.length, size) };
  }

  #encodedProperties(): Uint8Array {
    if (this.#propertyBytes === null) {
      const lasting = lastingProperties(this.properties);
      this.#propertyBytes = lasting === null ? EMPTY : encodeProperties(lasting);
    }
    return this.#propertyBytes;
  }
}

/** Bytes of first byte and Remaining Length in its shortest form. */
function headerSize(remainingLength: number): number {
  if (remainingLength < 128) return 2;
  if (remainingLength < 16_384) return 3;
  return remainingLength < 2_097_152 ? 4 : 5;
}

/** Where the Packet Identifier of a whole PUBLISH lies: behind the Topic Name. */
function identifierOffset(packet: Uint8Array): number {
  let body = 2;
  while (((packet[body - 1] ?? 0) & 0x80) !== 0) body++;
  return body + 2 + (((packet[body] ?? 0) << 8) | (packet[body + 1] ?? 0));
}
