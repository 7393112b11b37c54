import type { Message, QueueTarget, SessionRecord, StoredSubscription } from '@moorage/mqtt-broker';
import { ByteWriter } from '../telemetry/byte-writer.ts';
import { fillNumber, leaveNumber } from './byte-fields.ts';
import { type Will, writeMessage, writeShareRest, writeSubscription, writeWill } from './message-codec.ts';
import { Operation, QueueFlag } from './messages.ts';
import type { Round } from './round.ts';

/** The fields of `Create` and `Update` behind the number of the Session. */
export function writeRecord(writer: ByteWriter, record: SessionRecord): void {
  const { key, space, clientId, expiryInterval, queue, will } = record;
  writer.text(key);
  writer.reserve(1);
  writer.byte(space === null ? 0 : 1);
  if (space !== null) writer.text(space);
  writer.text(clientId);
  writer.reserve(64);
  writer.double(expiryInterval);
  writer.double(queue.messages);
  writer.double(queue.bytes);
  writer.double(queue.ageMs);
  writeOwnWill(writer, will);
}

/** A Will with its length; none has length 0. */
export function writeOwnWill(writer: ByteWriter, will: Will | null): void {
  const place = leaveNumber(writer);
  if (will !== null) writeWill(writer, will);
  fillNumber(writer, place, writer.at - place - 4);
}

/** A whole `Read` or `Flights`. */
export function writeRead(round: Round, operation: number, id: number, after: number, limit: number): void {
  const writer = round.begin(operation, null);
  writer.varint(id);
  writer.varint(after);
  writer.varint(limit);
}

/** Used within one call only. */
const scratch = new ByteWriter(256);

/** One target of `Enqueue`. */
export function writeTarget(writer: ByteWriter, id: number, target: QueueTarget): void {
  const { sequence, qos, retain, packetIdentifier } = target;
  writer.reserve(64);
  writer.varint(id);
  writer.varint(sequence);
  writer.byte((qos === 2 ? QueueFlag.QoS2 : 0) | (retain ? QueueFlag.Retain : 0));
  writer.varint(packetIdentifier);
  scratch.at = 0;
  writeShareRest(scratch, target);
  writer.varint(scratch.at);
  if (scratch.at === 0) return;
  writer.reserve(scratch.at);
  writer.bytes.set(scratch.bytes.subarray(0, scratch.at), writer.at);
  writer.at += scratch.at;
}

/** The fields of `Subscriptions`. */
export function writeSubscriptions(
  writer: ByteWriter,
  added: readonly StoredSubscription[],
  removed: readonly string[],
): void {
  writer.varint(removed.length);
  for (const topicFilter of removed) writer.text(topicFilter);
  writer.reserve(8);
  writer.varint(added.length);
  for (const subscription of added) {
    writer.text(subscription.topicFilter);
    const place = leaveNumber(writer);
    writeSubscription(writer, subscription);
    fillNumber(writer, place, writer.at - place - 4);
  }
}

/** `Enqueue` up to its targets, of which there are `targets`. */
export function writeEnqueue(
  writer: ByteWriter,
  completions: number,
  message: Message,
  sizeBytes: number,
  enqueuedAt: number,
  targets: number,
): void {
  writer.reserve(64);
  writer.byte(Operation.Enqueue);
  writer.varint(completions);
  writeBlock(writer, message);
  writer.reserve(64);
  writer.varint(sizeBytes);
  writer.double(enqueuedAt);
  writer.double(message.expiresAt);
  writer.varint(targets);
}

/** A message with its length in four bytes. */
export function writeBlock(writer: ByteWriter, message: Message): void {
  const place = leaveNumber(writer);
  writeMessage(writer, message);
  fillNumber(writer, place, writer.at - place - 4);
}
