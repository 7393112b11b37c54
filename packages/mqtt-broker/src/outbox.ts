import { PacketType, type QoS, ReasonCode } from '@moorage/mqtt-codec';
import { BackPressure } from './back-pressure.ts';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { Delivery, keptDelivery, type PushOutcome } from './delivery.ts';
import { handOverOne, type StoredPlace } from './hand-over.ts';
import { Flight, InFlightWindow, sentFlight } from './in-flight.ts';
import { fits, prepareDelivery, refusalOf, stageQueued, stageUnacknowledged } from './outbound-checks.ts';
import { OutboxQueue } from './outbox-queue.ts';
import type { PulledSource } from './payload-pull.ts';
import type { Message, StoreOutcome } from './ports.ts';
import type { Publication } from './publication.ts';
import {
  LONGEST_PACKET,
  stageAcknowledgement,
  stagePrepared,
  stageVariant,
  variantFor,
  variantSize,
} from './publish-packet.ts';
import type { PublishToken } from './publish-token.ts';
import { lowerQoS } from './qos.ts';
import type { RetainedReplay } from './retained-replay.ts';
import type { Session } from './session.ts';
import type { StoredDelivery } from './session-store.ts';
import { fromStore, StoredTail } from './stored-tail.ts';

/** Messages sent by one call before others have their turn. */
const PUMP_SLICE = 1_000;

/** What goes out to one Session: identifiers, the client's Receive Maximum, the queue, and what is sent again. */
export class Outbox {
  readonly #context: BrokerContext;
  readonly #session: Session;
  #connection: Connection | null = null;
  /** The client's Receive Maximum, cut to our own limit. */
  #quota = 0;
  #window: InFlightWindow | null = null;
  /** Identifiers to be sent again, in order. */
  #resend: number[] | null = null;
  #replay: RetainedReplay | null = null;
  // Most Sessions of devices never queue anything: 250 bytes less for each.
  #tail: StoredTail | null = null;
  #queue: OutboxQueue | null = null;
  /** QoS 1 messages of Shared Subscriptions that were lost with the connection. */
  #orphans: Delivery[] | null = null;
  #pumping = false;
  #backPressure: BackPressure | null = null;

  constructor(context: BrokerContext, session: Session) {
    this.#context = context;
    this.#session = session;
  }

  /** The part of the queue that lies in the store. */
  get tail(): StoredTail {
    this.#tail ??= new StoredTail(this.#context, this.#session, this);
    return this.#tail;
  }

  get backPressure(): BackPressure {
    this.#backPressure ??= new BackPressure(this.#context);
    return this.#backPressure;
  }

  get #queueMade(): OutboxQueue {
    this.#queue ??= new OutboxQueue(this.#context, this.#session, this);
    return this.#queue;
  }

  /** May a message be sent at once? */
  get hasRoom(): boolean {
    const connection = this.#connection;
    return (
      connection !== null &&
      (this.#window === null || this.#window.outstanding < this.#quota) &&
      !connection.output.blocked &&
      !this.#waiting
    );
  }

  /** Something stands in line before a new message. */
  get #waiting(): boolean {
    return (
      this.#replay !== null ||
      this.#resend !== null ||
      (this.#queue !== null && this.#queue.length > 0) ||
      (this.#tail?.behind ?? false)
    );
  }

  /** A stored message is not kept in memory as well: nobody is there, or enough is there already. */
  get #staysStored(): boolean {
    return this.#connection === null || this.tail.behind || (this.#queue?.headFull ?? false);
  }

  /** Can the client take this message? An absent one will be asked when it is back. [MQTT-3.1.2-24] */
  fits(publication: Publication, qos: QoS, subscriptionIdentifier: number): boolean {
    return this.#connection === null || fits(this.#connection, publication, qos, subscriptionIdentifier);
  }

  /**
   * Takes a routed message. `after`: it is queued even if there is room, and waits for this answer (O-27). `shared`: the
   * Shared Subscription it came by. Messages for the store are collected in the publication, whose caller stores them for
   * all Sessions at once.
   */
  deliver(
    publication: Publication,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    publisher: Connection | null,
    after: PublishToken | null,
    shared: string | null,
  ): void {
    const connection = this.#connection;
    if (connection !== null && !connection.mayReceive(publication.topicName)) {
      this.#context.count('delivery.notAllowed');
      return;
    }
    if (qos === 0) {
      if (connection !== null)
        this.#deliverUnacknowledged(connection, publication, retain, subscriptionIdentifiers, after);
      return;
    }
    const atOnce = after === null && this.hasRoom;
    if (publication.properties?.messageExpiryInterval === 0 && !atOnce) {
      this.#context.count('message.expired'); // O-20
      return;
    }
    if (this.#session.persistent) {
      this.#deliverStored(connection, publication, qos, retain, subscriptionIdentifiers, publisher, after, shared);
    } else if (connection !== null) {
      if (atOnce) {
        this.#send(connection, publication, qos, retain, subscriptionIdentifiers, shared);
        return;
      }
      const queue = this.#queueMade;
      queue.push(keptDelivery(this, publication, qos, retain, subscriptionIdentifiers, 0, after, shared));
      if (publisher !== null) queue.holdBack(publisher);
    }
  }

  /** Takes a message over from another member of a Shared Subscription, and from its place in the store. */
  takeOver(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    shared: string,
    from: StoredPlace | null,
  ): void {
    const stored = qos > 0 && this.#session.claim !== null;
    if (from !== null && !stored) this.#context.store.settle(from.claim, from.sequence);
    if (!stored && this.#connection === null) return;
    const sequence = stored ? ++this.tail.lastSequence : 0;
    const delivery = new Delivery(this, message, qos, retain, subscriptionIdentifiers, sequence, false, null);
    delivery.shared = shared;
    if (stored) this.tail.enqueue(delivery, from);
    if (stored && this.#staysStored) this.tail.behind = true;
    else this.#queueMade.push(delivery);
    this.pump();
  }

  /** What the Session leaves to others when it ends: sent or queued in memory, and not acknowledged. */
  takeOrphans(): Delivery[] {
    const orphans = this.#orphans ?? [];
    this.#orphans = null;
    return this.#window === null ? orphans : [...orphans, ...this.#window.unacknowledged()];
  }

  /** Messages in the store that are not finished, as far as known. */
  get storedMessages(): number {
    return this.#tail === null ? 0 : this.#tail.unfinished;
  }

  /** Messages that wait to be sent, in memory or in the store. */
  get queuedMessages(): number {
    const inMemory = this.#queue?.length ?? 0;
    return Math.max(inMemory, this.storedMessages - this.inFlightMessages);
  }

  /** Messages that were sent and are not finished. */
  get inFlightMessages(): number {
    return this.#window?.size ?? 0;
  }

  /** Drops what has waited too long in memory. */
  expire(now: number): void {
    this.#queue?.expire(now);
  }

  /** A direct push: in order with routed messages, never stored. */
  push(message: Message, qos: QoS, source: PulledSource | null, done: ((outcome: PushOutcome) => void) | null): void {
    const connection = this.#connection;
    const delivery = new Delivery(this, message, qos, false, null, 0, true, done);
    delivery.source = source;
    if (connection === null) delivery.lost();
    else if (source === null && qos === 0 ? !this.#unacknowledgedWait : this.hasRoom) {
      this.#sendDelivery(connection, delivery);
    } else this.#queueMade.push(delivery);
  }

  /** QoS 0 stands in line too. */
  get #unacknowledgedWait(): boolean {
    return this.#replay !== null || (this.#queue !== null && this.#queue.pulls > 0);
  }

  /** Begins to hand out the Retained Messages of new subscriptions. */
  replay(replay: RetainedReplay): void {
    if (this.#replay === null) this.#replay = replay;
    else this.#replay.append(replay);
    this.pump();
  }

  /** A connection has taken the Session over or begun it. What is unfinished is sent again. [MQTT-4.4.0-1] */
  attach(connection: Connection, receiveMaximum: number): void {
    this.#connection = connection;
    this.#quota = Math.min(receiveMaximum, this.#context.limits.outboundInFlight);
    if (this.#tail !== null) this.#tail.position = 0;
    if (this.#window === null) return;
    this.#window.uncountAll();
    if (this.#window.size > 0) this.#resend = this.#window.inOrder();
  }

  /** The connection is gone: what is stored waits in the store, the rest is lost. */
  detach(): void {
    this.#connection = null;
    this.#replay?.close();
    this.#replay = null;
    this.#resend = null;
    for (const delivery of this.#window?.closeUnstored() ?? []) this.#lostWithConnection(delivery);
    for (const delivery of this.#queue?.drain() ?? []) {
      if (delivery.sequence > 0) this.tail.behind = true;
      else this.#lostWithConnection(delivery);
    }
    this.#queue = null;
    this.#backPressure?.release();
    this.#backPressure = null;
  }

  /** What the store knew of a Session before the server was started. */
  restore(lastSequence: number, lastPacketIdentifier: number, stored: number): void {
    const { tail } = this;
    tail.lastSequence = lastSequence;
    tail.unfinished = stored;
    tail.behind = stored > 0;
    if (lastPacketIdentifier > 0) this.#windowMade().lastIdentifier = lastPacketIdentifier;
  }

  /** Unfinished messages as the store had them. */
  restoreFlights(flights: readonly StoredDelivery[]): void {
    const window = this.#windowMade();
    for (const flight of flights) {
      const { packetIdentifier, received, qos } = flight;
      const delivery = fromStore(this, flight);
      delivery.packetIdentifier = packetIdentifier;
      delivery.sent = true;
      window.put(packetIdentifier, received ? Flight.PubcompDue : sentFlight(qos), delivery, false);
    }
  }

  /** PUBACK or PUBCOMP; false: it answers nothing of its kind. mqtt.md, section 5 */
  acknowledged(packetIdentifier: number, due: typeof Flight.PubackDue | typeof Flight.PubcompDue): boolean {
    const window = this.#window;
    const flight = window === null ? Flight.Free : window.flight(packetIdentifier);
    if (window === null || flight === Flight.Free) {
      this.#context.count('acknowledgement.unknown');
      return true;
    }
    if (flight !== due || this.#isPulled(window, packetIdentifier)) return false;
    this.#finish(window, packetIdentifier);
    this.pump();
    return true;
  }

  /** The message is still being sent: nobody can have received it. */
  #isPulled(window: InFlightWindow, packetIdentifier: number): boolean {
    const source = window.delivery(packetIdentifier)?.source ?? null;
    return source !== null && !source.closed;
  }

  /** PUBREC; false: a PUBACK is due instead. */
  received(packetIdentifier: number, reasonCode: number): boolean {
    const connection = this.#connection;
    if (connection === null) return true;
    const window = this.#window;
    const flight = window === null ? Flight.Free : window.flight(packetIdentifier);
    if (window === null || flight === Flight.Free) {
      this.#context.count('acknowledgement.unknown');
      this.#release(connection, packetIdentifier, ReasonCode.PacketIdentifierNotFound);
      return true;
    }
    if (flight === Flight.PubackDue || flight === Flight.Storing || this.#isPulled(window, packetIdentifier))
      return false;
    if (flight === Flight.Receiving) return true;
    if (flight === Flight.PubrecDue && reasonCode >= 0x80) {
      this.#finish(window, packetIdentifier); // [MQTT-4.4.0-2]
      this.pump();
      return true;
    }
    const delivery = window.delivery(packetIdentifier);
    if (flight === Flight.PubrecDue && delivery !== null && delivery.sequence > 0 && this.#session.claim !== null) {
      window.move(packetIdentifier, Flight.Receiving);
      this.#context.store.markReceived(this.#session.claim, delivery.sequence, delivery);
      return true;
    }
    window.move(packetIdentifier, Flight.PubcompDue);
    this.#release(connection, packetIdentifier);
    return true;
  }

  /** The store has taken the identifier of an outgoing message, or its PUBREC. */
  stageStored(delivery: Delivery, outcome: StoreOutcome): void {
    const window = this.#window;
    const connection = this.#connection;
    const { packetIdentifier } = delivery;
    if (window === null || window.delivery(packetIdentifier) !== delivery) return;
    const flight = window.flight(packetIdentifier);
    if (outcome !== 'stored') {
      if (flight === Flight.Storing) window.close(packetIdentifier);
      connection?.closeByServer(ReasonCode.UnspecifiedError, 'The state of a message could not be stored.');
      return;
    }
    if (flight === Flight.Storing) {
      window.move(packetIdentifier, Flight.PubrecDue);
      if (connection === null) return;
      window.count(packetIdentifier);
      this.#stage(connection, delivery);
    } else if (flight === Flight.Receiving) {
      window.move(packetIdentifier, Flight.PubcompDue);
      if (connection !== null) this.#release(connection, packetIdentifier);
    }
  }

  /** The store has dropped a queued message. */
  dropped(sequence: number): void {
    this.tail.unfinished--;
    if (this.#queue?.peek()?.sequence === sequence) this.#queue.shift();
  }

  /** Messages that were read from the store. */
  take(page: readonly StoredDelivery[]): void {
    for (const stored of page) this.#queueMade.push(fromStore(this, stored));
  }

  /** The connection that is served now. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** Called at the end of a turn that a pause was asked for. */
  goOn(): void {
    this.pump();
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let left = PUMP_SLICE;
    while (left-- > 0 && this.#sendNext());
    this.#pumping = false;
    if (left < 0) this.#context.goOnLater(this);
    const pressure = this.#backPressure;
    if (pressure?.active && !this.#queueMade.isLong(0.5)) pressure.release();
  }

  /** Sends one message; false: nothing more can be sent now. */
  #sendNext(): boolean {
    const connection = this.#connection;
    if (connection === null || connection.ended || connection.output.blocked) return false;
    const room = this.#window === null || this.#window.outstanding < this.#quota;
    if (this.#resend !== null) return this.#resendNext(connection, room);
    if (this.#replay !== null) return this.#replayNext(connection, room);
    const head = this.#queue?.peek();
    if (head === undefined) {
      if (this.#tail?.behind) this.#tail.read(connection);
      return false;
    }
    if ((head.qos > 0 && !room) || head.after?.answered === false) return false;
    this.#queue?.shift();
    this.#sendDelivery(connection, head);
    return true;
  }

  #resendNext(connection: Connection, room: boolean): boolean {
    const window = this.#window;
    const identifier = this.#resend?.[0];
    if (window === null || identifier === undefined) {
      this.#resend = null;
      return true;
    }
    const flight = window.flight(identifier);
    const delivery = window.delivery(identifier);
    const isPublish = flight === Flight.PubackDue || flight === Flight.PubrecDue;
    // A PUBREL takes no place in the Receive Maximum. MQTT 5.0, 4.9
    if (isPublish && !room) return false;
    this.#resend?.shift();
    if (flight === Flight.PubcompDue) this.#release(connection, identifier);
    else if (isPublish && delivery !== null) {
      window.count(identifier);
      this.#stage(connection, delivery);
    }
    return true;
  }

  #replayNext(connection: Connection, room: boolean): boolean {
    const replay = this.#replay;
    if (replay === null) return true;
    const next = replay.next();
    if (next === 'end') {
      this.#replay = null;
      return true;
    }
    if (next === 'later') return false;
    const qos = lowerQoS(next.message.qos, next.grantedQoS);
    if (qos > 0 && !room) return false;
    replay.taken();
    if (!connection.mayReceive(next.message.topicName)) {
      this.#context.count('delivery.notAllowed');
      return true;
    }
    const stored = qos > 0 && this.#session.claim !== null;
    const sequence = stored ? ++this.tail.lastSequence : 0;
    const delivery = new Delivery(this, next.message, qos, true, next.subscriptionIdentifiers, sequence, false, null);
    if (stored) this.tail.enqueue(delivery, null);
    this.#sendDelivery(connection, delivery);
    return true;
  }

  #deliverUnacknowledged(
    connection: Connection,
    publication: Publication,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    after: PublishToken | null,
  ): void {
    if (after !== null || this.#unacknowledgedWait) {
      this.#queueMade.push(keptDelivery(this, publication, 0, retain, subscriptionIdentifiers, 0, after, null));
      return;
    }
    stageUnacknowledged(this.#context, connection, publication, retain, subscriptionIdentifiers);
  }

  #deliverStored(
    connection: Connection | null,
    publication: Publication,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    publisher: Connection | null,
    after: PublishToken | null,
    shared: string | null,
  ): void {
    const { claim } = this.#session;
    if (claim === null) return;
    const atOnce = after === null && this.hasRoom;
    const { tail } = this;
    const sequence = ++tail.lastSequence;
    const delivery = keptDelivery(this, publication, qos, retain, subscriptionIdentifiers, sequence, after, shared);
    let identifier = 0;
    if (connection !== null && atOnce) {
      const variant = variantFor(connection, publication, qos, subscriptionIdentifiers);
      if (variantSize(variant) > connection.maximumPacketSize) {
        this.#context.count('delivery.tooLarge'); // [MQTT-3.1.2-25]
        return;
      }
      identifier = this.#windowMade().open(qos === 2 ? Flight.Storing : Flight.PubackDue, delivery);
      delivery.packetIdentifier = identifier;
      if (qos === 1) {
        delivery.sent = true;
        this.#context.counters.publishSent++;
        stageVariant(connection, variant, qos, retain, identifier);
      }
    } else if (this.#staysStored) tail.behind = true;
    else this.#queueMade.push(delivery);
    tail.unfinished++;
    publication.storeTargets ??= [];
    publication.storeTargets.push({
      claim,
      sequence,
      qos: qos === 2 ? 2 : 1,
      retain,
      subscriptionIdentifiers,
      packetIdentifier: identifier,
      completion: identifier > 0 && qos === 2 ? delivery : null,
      shared,
    });
    if (connection !== null && identifier === 0 && publisher !== null) this.#queueMade.holdBack(publisher);
  }

  /** Sends a routed message that nobody stores. */
  #send(
    connection: Connection,
    publication: Publication,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    shared: string | null,
  ): void {
    const variant = variantFor(connection, publication, qos, subscriptionIdentifiers);
    if (variantSize(variant) > connection.maximumPacketSize) {
      this.#context.count('delivery.tooLarge'); // [MQTT-3.1.2-25]
      return;
    }
    // Only a message that another member may have to take over is kept.
    const kept =
      shared === null ? null : keptDelivery(this, publication, qos, retain, subscriptionIdentifiers, 0, null, shared);
    const identifier = this.#windowMade().open(sentFlight(qos), kept);
    this.#context.counters.publishSent++;
    stageVariant(connection, variant, qos, retain, identifier);
  }

  /** Sends a message from a queue, or drops it with a reason. */
  #sendDelivery(connection: Connection, delivery: Delivery): void {
    const { qos, source } = delivery;
    const now = this.#context.clock.now();
    const refusal = refusalOf(this.#context, connection, delivery, now);
    if (refusal !== null) {
      this.#context.count(refusal);
      this.#settle(delivery);
      delivery.lost();
      return;
    }
    const prepared = prepareDelivery(connection, delivery, now);
    if (prepared.sizeBytes > Math.min(connection.maximumPacketSize, LONGEST_PACKET)) {
      // [MQTT-3.1.2-25] O-30
      if (!handOverOne(this.#context, this.#session, delivery)) this.#context.count('delivery.tooLarge');
      this.#settle(delivery);
      delivery.lost();
      return;
    }
    let identifier = 0;
    if (qos > 0) {
      const { claim } = this.#session;
      const stored = delivery.sequence > 0 && claim !== null;
      const kept = stored || delivery.done !== null || source !== null || delivery.shared !== null ? delivery : null;
      identifier = this.#windowMade().open(stored && qos === 2 ? Flight.Storing : sentFlight(qos), kept);
      delivery.packetIdentifier = identifier;
      if (stored) {
        this.#context.store.assign(claim, delivery.sequence, identifier, qos === 2 ? delivery : null);
        if (qos === 2) return;
      }
    }
    stageQueued(this.#context, connection, delivery, prepared, identifier);
  }

  /** Stages the PUBLISH of a message that has its identifier: no expiry any more. [MQTT-4.3.3-7] */
  #stage(connection: Connection, delivery: Delivery): void {
    const { qos, packetIdentifier } = delivery;
    const prepared = prepareDelivery(connection, delivery, this.#context.clock.now());
    const window = this.#windowMade();
    if (prepared.sizeBytes > connection.maximumPacketSize) {
      this.#context.count('delivery.tooLarge');
      this.#finish(window, packetIdentifier);
      return;
    }
    this.#context.counters.publishSent++;
    stagePrepared(connection, prepared, qos, delivery.sent, delivery.retain, packetIdentifier);
    delivery.sent = true;
  }

  #release(connection: Connection, packetIdentifier: number, reasonCode: ReasonCode = ReasonCode.Success): void {
    stageAcknowledgement(connection.output, connection.level, PacketType.Pubrel, packetIdentifier, reasonCode);
  }

  /** The exchange is over: identifier and place are free. */
  #finish(window: InFlightWindow, packetIdentifier: number): void {
    const delivery = window.delivery(packetIdentifier);
    window.close(packetIdentifier);
    if (delivery === null) return;
    this.#settle(delivery);
    delivery.done?.('acknowledged');
  }

  #settle(delivery: Delivery): void {
    const { claim } = this.#session;
    if (delivery.sequence === 0 || claim === null) return;
    this.tail.unfinished--;
    this.#context.store.settle(claim, delivery.sequence);
  }

  /** Its connection is gone; what belongs to a Shared Subscription may go to another member. */
  #lostWithConnection(delivery: Delivery): void {
    delivery.lost();
    if (delivery.shared === null || delivery.qos !== 1) return;
    this.#orphans ??= [];
    this.#orphans.push(delivery);
  }

  #windowMade(): InFlightWindow {
    this.#window ??= new InFlightWindow();
    return this.#window;
  }
}
