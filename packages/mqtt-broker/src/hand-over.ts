import type { BrokerContext } from './context.ts';
import type { Delivery } from './delivery.ts';
import type { Message } from './ports.ts';
import { Publication } from './publication.ts';
import { lowerQoS } from './qos.ts';
import type { Session } from './session.ts';
import type { StoredDelivery, StoredFlights } from './session-store.ts';

/** A message that a member of a Shared Subscription leaves behind. */
interface Orphan {
  readonly message: Message;
  readonly qos: 0 | 1 | 2;
  /** The Shared Subscription it came by, as it stands in the tree. */
  readonly shared: string;
}

/** Gives a message to another member of its Shared Subscription, or drops it if there is none. mqtt.md, O-10, O-30, U-24 */
function handOver(context: BrokerContext, spaceName: string, from: Session, orphan: Orphan): void {
  const { message, qos, shared } = orphan;
  const group = context.spaces.get(spaceName)?.group(shared);
  const member = group?.choose(qos, from, Publication.of(message, context.clock.now())) ?? null;
  if (member === null) {
    context.count('shared.undelivered');
    return;
  }
  context.count('shared.handedOver');
  const { session, grantedQoS, options, subscriptionIdentifier } = member;
  const identifiers = subscriptionIdentifier === 0 ? null : [subscriptionIdentifier]; // U-21
  const retain = message.retain && options.retainAsPublished;
  session.outbox.takeOver(message, lowerQoS(qos, grantedQoS), retain, identifiers, shared);
}

/** Hands one message over that its member cannot take; false: it does not belong to a Shared Subscription. */
export function handOverOne(context: BrokerContext, from: Session, delivery: Delivery): boolean {
  const { shared, message, qos } = delivery;
  if (shared === null || from.spaceName === null) return false;
  handOver(context, from.spaceName, from, { message, qos, shared });
  return true;
}

/** What a Session that has ended leaves behind: QoS 1 goes to other members, QoS 2 to nobody. [MQTT-4.8.2-5] */
export function handOverAll(context: BrokerContext, from: Session, left: readonly (Delivery | StoredDelivery)[]): void {
  const { spaceName } = from;
  if (spaceName === null) return;
  for (const { message, qos, shared } of left) {
    if (qos !== 1 || typeof shared !== 'string') continue;
    handOver(context, spaceName, from, { message, qos, shared });
  }
}

/** The same for what lies in the store; read before the Session was removed there. */
export function handOverStored(
  context: BrokerContext,
  from: Session,
  flights: Promise<StoredFlights> | null,
  queued: Promise<readonly StoredDelivery[]>,
): void {
  Promise.all([flights, queued]).then(
    ([found, rest]) => handOverAll(context, from, [...(found?.outgoing ?? []), ...rest]),
    (error: unknown) => {
      context.count('shared.readFailed');
      context.observer.fault?.(error);
    },
  );
}
