import type { BrokerContext } from './context.ts';
import type { Delivery } from './delivery.ts';
import type { Message } from './ports.ts';
import { Publication } from './publication.ts';
import { lowerQoS } from './qos.ts';
import type { Session } from './session.ts';
import type { SessionClaim, StoredDelivery } from './session-store.ts';

/** Messages read from the store, and handed over, in one turn. */
const SLICE = 200;

/** Where a message lies in the store. */
export interface StoredPlace {
  readonly claim: SessionClaim;
  readonly sequence: number;
}

/** A message that a member of a Shared Subscription leaves behind. */
interface Orphan {
  readonly message: Message;
  readonly qos: 0 | 1 | 2;
  /** The Shared Subscription it came by, as it stands in the tree. */
  readonly shared: string;
  /** null: it is in memory only. */
  readonly place: StoredPlace | null;
}

/**
 * Gives a message to another member of its Shared Subscription, or drops it if there is none. What is stored for both of
 * them moves in one change, so that it is never nowhere. mqtt.md, O-10, O-30, U-24
 */
function handOver(context: BrokerContext, spaceName: string, from: Session | null, orphan: Orphan): void {
  const { message, qos, shared, place } = orphan;
  const group = context.spaces.get(spaceName)?.group(shared);
  const member = group?.choose(qos, from, Publication.of(message, context.clock.now())) ?? null;
  if (member === null) {
    context.count('shared.undelivered');
    if (place !== null) context.store.settle(place.claim, place.sequence);
    return;
  }
  context.count('shared.handedOver');
  const { session, grantedQoS, options, subscriptionIdentifier } = member;
  const identifiers = subscriptionIdentifier === 0 ? null : [subscriptionIdentifier]; // U-21
  const retain = message.retain && options.retainAsPublished;
  session.outbox.takeOver(message, lowerQoS(qos, grantedQoS), retain, identifiers, shared, place);
}

/** Hands one message over that its member cannot take; false: it does not belong to a Shared Subscription. */
export function handOverOne(context: BrokerContext, from: Session, delivery: Delivery): boolean {
  const { shared, message, qos, sequence } = delivery;
  if (shared === null || from.spaceName === null) return false;
  const place = sequence > 0 && from.claim !== null ? { claim: from.claim, sequence } : null;
  handOver(context, from.spaceName, from, { message, qos, shared, place });
  return true;
}

/** What a Session that has ended leaves behind: QoS 1 goes to other members, QoS 2 to nobody. [MQTT-4.8.2-5] */
export function handOverAll(
  context: BrokerContext,
  spaceName: string | null,
  from: Session | null,
  claim: SessionClaim | null,
  left: readonly (Delivery | StoredDelivery)[],
): void {
  if (spaceName === null) return;
  for (const { message, qos, shared, sequence } of left) {
    if (qos !== 1 || typeof shared !== 'string') continue;
    const place = sequence > 0 && claim !== null ? { claim, sequence } : null;
    handOver(context, spaceName, from, { message, qos, shared, place });
  }
}

/**
 * The same for the stored queue of a Session that was retired: a slice in a turn, and at last the Session is removed.
 * What a stop of the server leaves is handed over after the next start.
 */
export class StoredHandOver {
  readonly #context: BrokerContext;
  readonly #spaceName: string | null;
  readonly #from: Session | null;
  readonly #claim: SessionClaim;
  #flights: boolean;
  #after = 0;

  /** `flights`: what was in flight is known to the store only. */
  constructor(
    context: BrokerContext,
    spaceName: string | null,
    from: Session | null,
    claim: SessionClaim,
    flights: boolean,
  ) {
    this.#context = context;
    this.#spaceName = spaceName;
    this.#from = from;
    this.#claim = claim;
    this.#flights = flights;
  }

  goOn(): void {
    const context = this.#context;
    if (context.closing) return;
    this.#slice().then(
      (left) => this.#read(left),
      (error: unknown) => {
        context.count('shared.readFailed');
        context.observer.fault?.(error);
      },
    );
  }

  async #slice(): Promise<readonly StoredDelivery[]> {
    const { store } = this.#context;
    return this.#flights ? (await store.flights(this.#claim)).outgoing : store.read(this.#claim, this.#after, SLICE);
  }

  #read(left: readonly StoredDelivery[]): void {
    handOverAll(this.#context, this.#spaceName, this.#from, this.#claim, left);
    if (this.#flights) this.#flights = false;
    else if (left.length < SLICE) {
      this.#context.store.remove(this.#claim, null);
      return;
    }
    this.#after = left.reduce((last, { packetIdentifier, sequence }) => (packetIdentifier > 0 ? last : sequence), 0);
    this.#context.goOnLater(this);
  }
}
