import type { Message, QueueTarget, SessionRecord, StoredDelivery, StoredSubscription } from '@moorage/mqtt-broker';
import { StoreError } from '../sqlite/store-error.ts';
import { ByteReader } from '../telemetry/byte-reader.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';
import { readBytes, readNumbers, viewBytes, writeBytes, writeNumbers } from './byte-fields.ts';
import { QueueFlag } from './messages.ts';
import { readProperties, writeProperties } from './properties-codec.ts';

/** The types of packets, by way of the port that uses them. */
export type QoS = Message['qos'];
export type Will = NonNullable<SessionRecord['will']>;
export type Properties = NonNullable<Message['properties']>;

/** The first byte: QoS in the two low bits, then flags, then the version of the form, which is 0. */
const RETAIN = 4;
const EXPIRES = 8;
const PROPERTIES = 16;
const VERSION = 0xe0;

/** What of a target's rest is there. */
const IDENTIFIERS = 1;
const SHARED = 2;

interface Parts {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Message['properties'];
}

/** Writes an Application Message: flags, expiry, name, payload, properties. */
export function writeMessage(writer: ByteWriter, message: Parts & { readonly expiresAt: number }): void {
  const { topicName, payload, qos, retain, properties, expiresAt } = message;
  const expires = expiresAt !== Number.POSITIVE_INFINITY;
  writer.reserve(9);
  writer.byte(qos | (retain ? RETAIN : 0) | (expires ? EXPIRES : 0) | (properties === null ? 0 : PROPERTIES));
  if (expires) writer.double(expiresAt);
  writer.text(topicName);
  writeBytes(writer, payload);
  if (properties !== null) writeProperties(writer, properties);
}

/** Reads what `writeMessage` wrote; nothing of it shares memory with `reader`. Throws `StoreError` `corrupt-record`. */
export function readMessage(reader: ByteReader): Message {
  const flags = reader.byte();
  if ((flags & VERSION) !== 0) throw new StoreError('corrupt-record', `A message has form ${flags >>> 5}, expected 0`);
  const expiresAt = (flags & EXPIRES) === 0 ? Number.POSITIVE_INFINITY : reader.double();
  const topicName = reader.text();
  const payload = readBytes(reader);
  const properties = (flags & PROPERTIES) === 0 ? null : readProperties(reader);
  return { topicName, payload, qos: toQoS(flags & 3), retain: (flags & RETAIN) !== 0, properties, expiresAt };
}

/** Writes a Will as the message it becomes. */
export function writeWill(writer: ByteWriter, will: Will): void {
  writeMessage(writer, { ...will, expiresAt: Number.POSITIVE_INFINITY });
}

/** Reads what `writeWill` wrote; no bytes are null. */
export function readWill(bytes: Buffer): Will | null {
  if (bytes.length === 0) return null;
  const { topicName, payload, qos, retain, properties } = readMessage(new ByteReader(bytes));
  return { topicName, payload, qos, retain, properties };
}

/** Everything of a subscription but its Topic Filter. */
export function writeSubscription(writer: ByteWriter, subscription: StoredSubscription): void {
  const { topicFilter, options, grantedQoS, subscriptionIdentifier, enter } = subscription;
  const plain = enter.length === 1 && enter[0] === topicFilter;
  writer.reserve(32);
  writer.byte(
    options.qos | (options.noLocal ? 4 : 0) | (options.retainAsPublished ? 8 : 0) | (options.retainHandling << 4),
  );
  writer.byte(grantedQoS | (plain ? 4 : 0));
  writer.varint(subscriptionIdentifier);
  if (plain) return;
  writer.varint(enter.length);
  for (const filter of enter) writer.text(filter);
}

/** Reads what `writeSubscription` wrote. */
export function readSubscription(topicFilter: string, reader: ByteReader): StoredSubscription {
  const flags = reader.byte();
  const granted = reader.byte();
  const subscriptionIdentifier = reader.varint();
  const retainHandling = toQoS(flags >>> 4);
  const options = {
    qos: toQoS(flags & 3),
    noLocal: (flags & 4) !== 0,
    retainAsPublished: (flags & 8) !== 0,
    retainHandling,
  };
  const enter: string[] = [];
  if ((granted & 4) !== 0) enter.push(topicFilter);
  else for (let count = reader.varint(); count > 0; count--) enter.push(reader.text());
  return { topicFilter, options, grantedQoS: toQoS(granted & 3), subscriptionIdentifier, enter };
}

/** What few targets have: Subscription Identifiers and the Shared Subscription. Nothing is written if there is neither. */
export function writeShareRest(writer: ByteWriter, target: QueueTarget): void {
  const { subscriptionIdentifiers, shared = null } = target;
  if (subscriptionIdentifiers === null && shared === null) return;
  writer.reserve(1);
  writer.byte((subscriptionIdentifiers === null ? 0 : IDENTIFIERS) | (shared === null ? 0 : SHARED));
  if (subscriptionIdentifiers !== null) writeNumbers(writer, subscriptionIdentifiers);
  if (shared !== null) writer.text(shared);
}

function readShareRest(bytes: Buffer): Required<Pick<QueueTarget, 'subscriptionIdentifiers' | 'shared'>> {
  if (bytes.length === 0) return { subscriptionIdentifiers: null, shared: null };
  const reader = new ByteReader(bytes);
  const flags = reader.byte();
  const subscriptionIdentifiers = (flags & IDENTIFIERS) === 0 ? null : readNumbers(reader);
  return { subscriptionIdentifiers, shared: (flags & SHARED) === 0 ? null : reader.text() };
}

/** Messages as the thread answers `Read` and `Flights`: number, then each with its share of the Session. */
export function readDeliveries(reader: ByteReader): StoredDelivery[] {
  return Array.from({ length: reader.varint() }, () => {
    const sequence = reader.varint();
    const flags = reader.byte();
    const packetIdentifier = reader.varint();
    const rest = readShareRest(viewBytes(reader));
    const message = readMessage(new ByteReader(viewBytes(reader)));
    return {
      sequence,
      message,
      qos: (flags & QueueFlag.QoS2) === 0 ? 1 : 2,
      retain: (flags & QueueFlag.Retain) !== 0,
      subscriptionIdentifiers: rest.subscriptionIdentifiers,
      packetIdentifier,
      received: (flags & QueueFlag.Received) !== 0,
      shared: rest.shared,
    };
  });
}

function toQoS(value: number): QoS {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new StoreError('corrupt-record', `${value} is no QoS`);
}
