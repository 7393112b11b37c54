import type { QoS } from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import type { Delivery } from './delivery.ts';
import type { Publication } from './publication.ts';
import {
  type PreparedPublish,
  preparePublish,
  preparePush,
  stagePrepared,
  stagePulled,
  stageVariant,
  variantFor,
  variantSize,
} from './publish-packet.ts';

/** Too many bytes wait for the client to take another QoS 0 message. reliability.md, section 8 */
function readsTooSlowly(context: BrokerContext, connection: Connection): boolean {
  const { output } = connection;
  return output.blocked && output.backlog > context.limits.slowReaderBytes;
}

/** Why a queued message is not sent after all: the name of its counter, or null. */
export function refusalOf(
  context: BrokerContext,
  connection: Connection,
  delivery: Delivery,
  now: number,
): string | null {
  const { message, pushed, qos } = delivery;
  if (message.expiresAt <= now) return 'message.expired'; // [MQTT-3.3.2-5]
  if (!pushed && !connection.mayReceive(message.topicName)) return 'delivery.notAllowed';
  return qos === 0 && readsTooSlowly(context, connection) ? 'delivery.slowReader' : null;
}

/** Stages a routed message with QoS 0, or drops it with a reason. */
export function stageUnacknowledged(
  context: BrokerContext,
  connection: Connection,
  publication: Publication,
  retain: boolean,
  subscriptionIdentifiers: readonly number[] | null,
): void {
  if (readsTooSlowly(context, connection)) {
    context.count('delivery.slowReader');
    return;
  }
  const variant = variantFor(connection, publication, 0, subscriptionIdentifiers);
  if (variantSize(variant) > connection.maximumPacketSize) {
    context.count('delivery.tooLarge'); // [MQTT-3.1.2-25]
    return;
  }
  context.counters.publishSent++;
  stageVariant(connection, variant, 0, retain, 0);
}

/** Lays a queued message out: a direct push under its own name, any other under the one that the client is shown. */
export function prepareDelivery(connection: Connection, delivery: Delivery, now: number): PreparedPublish {
  const { message, qos, pushed, source, subscriptionIdentifiers } = delivery;
  return pushed
    ? preparePush(connection, message, qos, now, source?.length ?? 0)
    : preparePublish(connection, message, qos, subscriptionIdentifiers, now);
}

/** Stages a queued message for the first time; `written` is told of one with QoS 0. */
export function stageQueued(
  context: BrokerContext,
  connection: Connection,
  delivery: Delivery,
  prepared: PreparedPublish,
  packetIdentifier: number,
): void {
  const { qos, source, retain, done } = delivery;
  delivery.sent = true;
  context.counters.publishSent++;
  if (source === null || source.length === 0) {
    source?.close();
    stagePrepared(connection, prepared, qos, false, retain, packetIdentifier);
  } else stagePulled(connection, prepared, qos, packetIdentifier, source);
  if (qos === 0 && done !== null) connection.whenWritten(done);
}

/** Is the packet of this message within the client's Maximum Packet Size? [MQTT-3.1.2-24] */
export function fits(
  connection: Connection,
  publication: Publication,
  qos: QoS,
  subscriptionIdentifier: number,
): boolean {
  if (connection.maximumPacketSize === Number.POSITIVE_INFINITY) return true;
  const identifiers = subscriptionIdentifier === 0 ? null : [subscriptionIdentifier];
  return variantSize(variantFor(connection, publication, qos, identifiers)) <= connection.maximumPacketSize;
}
