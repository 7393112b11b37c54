import type { QoS } from '@moorage/mqtt-codec';
import type { Delivery } from './delivery.ts';

/** Where an outgoing QoS 1 or 2 message stands. */
export const Flight = {
  Free: 0,
  /** PUBLISH waits for its identifier to be stored. */
  Storing: 1,
  /** PUBLISH was sent with QoS 1. */
  PubackDue: 2,
  /** PUBLISH was sent with QoS 2. */
  PubrecDue: 3,
  /** PUBREC came and is being stored; PUBREL follows. */
  Receiving: 4,
  /** PUBREL was sent. */
  PubcompDue: 5,
} as const;
export type Flight = (typeof Flight)[keyof typeof Flight];

const FIRST_CAPACITY = 16;
const LARGEST_CAPACITY = 65_536;
const LARGEST_IDENTIFIER = 65_535;
const STATE = 0x0f;
const COUNTED = 0x10;

/**
 * Outgoing messages by Packet Identifier. Identifiers are given upwards, so a small table indexed by their low bits
 * holds them; it doubles when an old one is in the way. Entries of Sessions that never resend have no Delivery.
 */
export class InFlightWindow {
  /** Last identifier given; the next free one upwards follows. mqtt.md, O-2 */
  lastIdentifier = 0;
  /** Entries. */
  size = 0;
  /** Entries that take a place in the client's Receive Maximum on this connection. [MQTT-4.9.0-2] */
  outstanding = 0;
  #mask = FIRST_CAPACITY - 1;
  #identifiers = new Uint16Array(FIRST_CAPACITY);
  #states = new Uint8Array(FIRST_CAPACITY);
  #order = new Float64Array(FIRST_CAPACITY);
  #deliveries: (Delivery | null)[] | null = null;
  #sent = 0;

  /** Takes the next free identifier; 0 if all 65,535 are in use. */
  open(flight: Flight, delivery: Delivery | null): number {
    if (this.size >= LARGEST_IDENTIFIER) return 0;
    let identifier = this.lastIdentifier;
    do {
      identifier = identifier === LARGEST_IDENTIFIER ? 1 : identifier + 1;
    } while (this.flight(identifier) !== Flight.Free);
    this.lastIdentifier = identifier;
    this.put(identifier, flight, delivery, true);
    return identifier;
  }

  /** Enters a message under a given identifier, behind all others. */
  put(identifier: number, flight: Flight, delivery: Delivery | null, counted: boolean): void {
    while (this.#states[identifier & this.#mask] !== 0) this.#grow();
    const slot = identifier & this.#mask;
    this.#identifiers[slot] = identifier;
    this.#states[slot] = flight | (counted ? COUNTED : 0);
    this.#order[slot] = ++this.#sent;
    if (delivery !== null) {
      this.#deliveries ??= new Array<Delivery | null>(this.#mask + 1).fill(null);
      this.#deliveries[slot] = delivery;
    }
    this.size++;
    if (counted) this.outstanding++;
  }

  flight(identifier: number): Flight {
    const slot = identifier & this.#mask;
    if (this.#identifiers[slot] !== identifier) return Flight.Free;
    return ((this.#states[slot] ?? 0) & STATE) as Flight;
  }

  delivery(identifier: number): Delivery | null {
    return this.#deliveries?.[identifier & this.#mask] ?? null;
  }

  /** The message has come to its next stage; the caller has checked that it is there. */
  move(identifier: number, flight: Flight): void {
    const slot = identifier & this.#mask;
    this.#states[slot] = ((this.#states[slot] ?? 0) & COUNTED) | flight;
  }

  /** The message takes a place in the Receive Maximum from now on. */
  count(identifier: number): void {
    const slot = identifier & this.#mask;
    const state = this.#states[slot] ?? 0;
    if ((state & COUNTED) !== 0) return;
    this.#states[slot] = state | COUNTED;
    this.outstanding++;
  }

  /** The message is finished. */
  close(identifier: number): void {
    const slot = identifier & this.#mask;
    if (((this.#states[slot] ?? 0) & COUNTED) !== 0) this.outstanding--;
    this.#states[slot] = 0;
    if (this.#deliveries !== null) this.#deliveries[slot] = null;
    this.size--;
  }

  /** QoS 1 messages that were sent and not acknowledged, in order, as far as they can be sent again. */
  unacknowledged(): Delivery[] {
    return this.inOrder().flatMap((identifier) => {
      const delivery = this.delivery(identifier);
      return delivery === null || this.flight(identifier) !== Flight.PubackDue ? [] : [delivery];
    });
  }

  /** Finishes all that ends with the connection, and gives what there is of it, in order. */
  closeUnstored(): Delivery[] {
    if (this.size === 0) return [];
    const closed: Delivery[] = [];
    for (const identifier of this.inOrder()) {
      const delivery = this.delivery(identifier);
      if (delivery !== null && delivery.sequence > 0) continue;
      this.close(identifier);
      if (delivery !== null) closed.push(delivery);
    }
    return closed;
  }

  /** Nothing counts on a new connection until it is sent again. */
  uncountAll(): void {
    for (let slot = 0; slot <= this.#mask; slot++) this.#states[slot] = (this.#states[slot] ?? 0) & STATE;
    this.outstanding = 0;
  }

  /** Identifiers in the order of first sending. [MQTT-4.6.0-1] */
  inOrder(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot <= this.#mask; slot++) if (this.#states[slot] !== 0) slots.push(slot);
    slots.sort((a, b) => (this.#order[a] ?? 0) - (this.#order[b] ?? 0));
    return slots.map((slot) => this.#identifiers[slot] ?? 0);
  }

  #grow(): void {
    const oldSize = this.#mask + 1;
    const size = Math.min(oldSize * 2, LARGEST_CAPACITY);
    const identifiers = new Uint16Array(size);
    const states = new Uint8Array(size);
    const order = new Float64Array(size);
    const deliveries = this.#deliveries === null ? null : new Array<Delivery | null>(size).fill(null);
    for (let slot = 0; slot < oldSize; slot++) {
      if (this.#states[slot] === 0) continue;
      const identifier = this.#identifiers[slot] ?? 0;
      const target = identifier & (size - 1);
      identifiers[target] = identifier;
      states[target] = this.#states[slot] ?? 0;
      order[target] = this.#order[slot] ?? 0;
      if (deliveries !== null) deliveries[target] = this.#deliveries?.[slot] ?? null;
    }
    this.#mask = size - 1;
    this.#identifiers = identifiers;
    this.#states = states;
    this.#order = order;
    this.#deliveries = deliveries;
  }
}

/** The stage of a PUBLISH that has just been sent. */
export function sentFlight(qos: QoS): Flight {
  return qos === 2 ? Flight.PubrecDue : Flight.PubackDue;
}
