import { ReasonCode } from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Delivery } from './delivery.ts';
import type { StoredPlace } from './hand-over.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';
import type { StoredDelivery } from './session-store.ts';

/** Messages read from the store at once. */
const PAGE = 200;

const NOTHING_WAITS = { release(): void {} };

/** A message as the store had it. */
export function fromStore(outbox: Outbox, stored: StoredDelivery): Delivery {
  const { message, qos, retain, subscriptionIdentifiers, sequence, shared = null } = stored;
  const delivery = new Delivery(outbox, message, qos, retain, subscriptionIdentifiers, sequence, false, null);
  delivery.shared = shared;
  return delivery;
}

/** The part of a Session's queue that lies in the store: memory holds its head only. */
export class StoredTail {
  readonly #context: BrokerContext;
  readonly #session: Session;
  readonly #outbox: Outbox;
  /** Highest sequence ever given. */
  lastSequence = 0;
  /** Stored messages that are not finished, as far as known. */
  unfinished = 0;
  /** Stored messages follow that are not in memory. */
  behind = false;
  /** Highest sequence that has been in memory on this connection. */
  position = 0;
  #reading = false;

  constructor(context: BrokerContext, session: Session, outbox: Outbox) {
    this.#context = context;
    this.#session = session;
    this.#outbox = outbox;
  }

  /** The message of this sequence is in memory. */
  reached(sequence: number): void {
    if (sequence > this.position) this.position = sequence;
  }

  /** Stores a message that nobody waits for, or takes it from where it is stored. */
  enqueue(delivery: Delivery, from: StoredPlace | null): void {
    const { claim } = this.#session;
    if (claim === null) return;
    const { message, sequence, retain, subscriptionIdentifiers, shared } = delivery;
    const qos = delivery.qos === 2 ? 2 : 1;
    const place = { claim, sequence, packetIdentifier: 0, completion: null };
    const target = { ...place, qos, retain, subscriptionIdentifiers, shared } as const;
    const { store } = this.#context;
    this.unfinished++;
    if (from === null) store.enqueue(message, [target], NOTHING_WAITS);
    else store.move(from.claim, from.sequence, target);
  }

  /** Fetches the next page; the outbox is pumped when it is there. */
  read(connection: Connection): void {
    const { claim } = this.#session;
    if (this.#reading || claim === null) return;
    this.#reading = true;
    // Only if no sequence was given meanwhile, a short page is the end.
    const { lastSequence } = this;
    this.#context.store.read(claim, this.position, PAGE).then(
      (page) => {
        this.#reading = false;
        if (this.#outbox.connection === connection) {
          this.#outbox.take(page);
          if (page.length < PAGE && lastSequence === this.lastSequence) this.behind = false;
        }
        this.#outbox.pump();
      },
      (error: unknown) => {
        this.#reading = false;
        this.#context.observer.fault?.(error);
        connection.closeByServer(ReasonCode.UnspecifiedError, 'The queue could not be read.');
      },
    );
  }
}
