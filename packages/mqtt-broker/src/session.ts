import type { QoS, Will } from '@moorage/mqtt-codec';
import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';
import { handOverAll, StoredHandOver } from './hand-over.ts';
import { Outbox } from './outbox.ts';
import { PacketIdentifierSet } from './packet-identifier-set.ts';
import type { ConnectionHandler, SessionPolicy } from './ports.ts';
import type { PublishToken } from './publish-token.ts';
import { lowerQoS } from './qos.ts';
import type { SessionClaim, StoredSubscription } from './session-store.ts';
import type { Space } from './space.ts';
import { Subscription } from './subscription.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { WheelTimer } from './timer-wheel.ts';
import { publishWill } from './will.ts';

const SHARE_PREFIX = '$share/';

/** A Session that was loaded waits for this policy until its client comes back. */
function policyOfRestored(queue: SessionPolicy['queue'], expiryInterval: number): SessionPolicy {
  return {
    maximumGrantedQoS: 2,
    persistence: 'asRequested',
    maximumSessionExpiryInterval: expiryInterval,
    will: 'honoured',
    retained: 'honoured',
    maximumPacketSize: 1_048_576,
    receiveMaximum: 100,
    topicAliasMaximum: 0,
    maximumSubscriptions: Number.MAX_SAFE_INTEGER,
    queue,
    serverKeepAlive: null,
  };
}

/** Times in monotonic milliseconds; Infinity: not owed. */
interface Absence {
  readonly timer: WheelTimer;
  willAtMs: number;
  readonly endsAtMs: number;
}

/** Session State of MQTT 5.0, 4.1, of a client or of one connection. */
export class Session {
  readonly context: BrokerContext;
  /** null: the Session of one connection, which nobody takes over. */
  readonly key: string | null;
  clientId: string;
  readonly spaceName: string | null;
  readonly outbox: Outbox;
  readonly #slot: number;
  policy: SessionPolicy;
  connection: Connection | null = null;
  /** The host's side of the last connection: asked about the Will after that has gone. */
  handler: ConnectionHandler | null = null;
  /** The Session in the store; null: it ends with its connection. */
  claim: SessionClaim | null = null;
  /** The Will alone is stored: the Session ends with its connection, and the server may not be there to see it. O-21 */
  willClaim: SessionClaim | null = null;
  /** Seconds after the end of the connection. */
  expiryInterval = 0;
  will: Will | null = null;
  /** By Topic Filter as the client wrote it. */
  subscriptions: SubscriptionTable | null = null;
  /** Incoming QoS 2 messages that wait for PUBREL. */
  incoming: PacketIdentifierSet | null = null;
  /** Incoming QoS 2 messages whose commit outlasted their connection. */
  unsettled: PublishToken[] | null = null;
  /** Loaded, and what was unfinished has not been read yet. */
  restored = false;
  /** It has, or had, Shared Subscriptions: what it leaves behind may belong to others. */
  shares = false;
  ended = false;
  /** What an absent Session waits for; null while it has a connection. */
  #absence: Absence | null = null;

  constructor(
    context: BrokerContext,
    key: string | null,
    clientId: string,
    spaceName: string | null,
    policy: SessionPolicy | { readonly queue: SessionPolicy['queue']; readonly expiryInterval: number },
  ) {
    this.context = context;
    this.key = key;
    this.clientId = clientId;
    this.spaceName = spaceName;
    this.policy = 'persistence' in policy ? policy : policyOfRestored(policy.queue, policy.expiryInterval);
    this.outbox = new Outbox(context, this);
    this.#slot = context.slots.add(this);
  }

  /** QoS 1 and 2 messages are kept while the client is away. */
  get persistent(): boolean {
    return this.claim !== null;
  }

  get hasRoom(): boolean {
    return this.outbox.hasRoom;
  }

  /** The space, if topics are routed at all. */
  get space(): Space | null {
    return this.spaceName === null ? null : this.context.space(this.spaceName);
  }

  incomingMade(): PacketIdentifierSet {
    this.incoming ??= new PacketIdentifierSet();
    return this.incoming;
  }

  /** Enters a subscription; one with an equal filter is replaced without a gap. [MQTT-3.8.4-3] [MQTT-3.8.4-4] */
  subscribe(stored: StoredSubscription): void {
    const older = this.subscriptions?.get(stored.topicFilter);
    const subscription = new Subscription(this, stored);
    if (this.subscriptions === null) this.subscriptions = new SubscriptionTable(subscription);
    else this.subscriptions.set(subscription);
    const { space } = this;
    for (const filter of subscription.enter) {
      if (space !== null) {
        space.add(filter, subscription);
        this.context.sysSpaces.entered(space.name, filter);
      }
      if (filter.startsWith(SHARE_PREFIX)) this.shares = true;
    }
    if (older !== undefined) this.#leave(older);
    else this.context.counters.subscriptions++;
  }

  /** Deletes the subscription with exactly this filter; false: there is none. [MQTT-3.10.4-1] */
  unsubscribe(topicFilter: string): boolean {
    const subscription = this.subscriptions?.get(topicFilter);
    if (subscription === undefined) return false;
    this.subscriptions?.delete(topicFilter);
    if (this.subscriptions?.size === 0) this.subscriptions = null;
    this.context.counters.subscriptions--;
    this.#leave(subscription);
    return true;
  }

  /** A CONNECT claims the Session: it does not end meanwhile, and its Will is stopped. [MQTT-3.1.3-9] */
  stopWaiting(): void {
    const absence = this.#absence;
    if (absence === null) return;
    this.#absence = null;
    this.context.wheel.cancel(absence.timer);
  }

  /** A connection has begun to serve this Session. */
  attach(connection: Connection, receiveMaximum: number): void {
    this.connection = connection;
    this.context.counters.attached();
    this.outbox.attach(connection, receiveMaximum);
  }

  /** It would have ended with its connection, and is kept for its subscriptions: `SessionPolicy.cleanGraceSeconds`. */
  get lingers(): boolean {
    return this.#absence !== null && this.claim === null;
  }

  /**
   * The connection is gone. The Will is dropped, published, or waits for its delay. `left`: the client said so by
   * DISCONNECT.
   */
  detach(dropWill: boolean, left = false): void {
    if (this.connection !== null) this.context.counters.sessionsConnected--;
    this.connection = null;
    this.outbox.detach();
    if (dropWill) this.will = null;
    const ends = this.claim === null || this.expiryInterval === 0;
    const delaySeconds = Math.min(this.will?.properties?.willDelayInterval ?? 0, this.expiryInterval);
    const { context, claim } = this;
    const nowMs = context.clock.monotonic();
    const waits = !ends && delaySeconds > 0 && this.will !== null;
    if (!waits) this.sendWill();
    if (ends || claim === null) {
      if (left || !this.#linger(nowMs)) this.end();
      return;
    }
    const { expiryInterval, will } = this;
    this.#waitFrom(nowMs, waits ? delaySeconds : null, expiryInterval);
    this.#arm();
    context.store.disconnected(claim, { expiryInterval, will, disconnectedAt: context.clock.now() }, null);
  }

  /** Keeps the subscriptions of a Session that ends with its connection; false: there is nothing to keep, or no time. */
  #linger(nowMs: number): boolean {
    const seconds = this.policy.cleanGraceSeconds ?? 0;
    const { key, claim, context, willClaim } = this;
    if (seconds <= 0 || key === null || claim !== null || this.subscriptions === null || this.ended) return false;
    // What was sent by a Shared Subscription and is lost belongs to its other members now.
    if (this.shares) return false;
    if (willClaim !== null) context.store.remove(willClaim, null);
    this.willClaim = null;
    this.incoming = null;
    this.handler = null;
    this.#waitFrom(nowMs, null, seconds);
    this.#arm();
    return true;
  }

  /** The subscriptions of a Session that lingers go on in this new one of the same client. */
  inherit(older: Session): void {
    for (const subscription of older.subscriptions?.values() ?? []) this.subscribe(subscription);
  }

  /** A loaded Session begins to wait for its client. [U-15] */
  awaitClient(elapsedMs: number): void {
    const nowMs = this.context.clock.monotonic() - elapsedMs;
    const delaySeconds = Math.min(this.will?.properties?.willDelayInterval ?? 0, this.expiryInterval);
    this.#waitFrom(nowMs, this.will === null ? null : delaySeconds, this.expiryInterval);
    this.#onTimer(this.context.clock.monotonic());
  }

  /** Publishes the Will, if one is still owed. [MQTT-3.1.2-8] */
  sendWill(): void {
    if (this.#absence !== null) this.#absence.willAtMs = Number.POSITIVE_INFINITY;
    const { will } = this;
    this.will = null; // [MQTT-3.1.2-10]
    if (will !== null) publishWill(this, will);
  }

  /** Session State is thrown away. [MQTT-4.1.0-2] */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.context.slots.remove(this.#slot);
    this.sendWill(); // K-1: with the end of the Session at the latest.
    this.stopWaiting();
    for (const { topicFilter } of [...(this.subscriptions?.values() ?? [])]) this.unsubscribe(topicFilter);
    this.incoming = null;
    if (this.key !== null && this.context.sessions.get(this.key) === this) this.context.sessions.delete(this.key);
    const { claim } = this;
    const { store } = this.context;
    if (this.shares) this.#handOver(claim);
    else if (claim !== null) store.remove(claim, null);
    if (this.willClaim !== null) store.remove(this.willClaim, null);
    this.claim = null;
    this.willClaim = null;
  }

  /** Somebody was told that the Will is not to be published. */
  forgetWill(): void {
    if (this.will === null) return;
    this.will = null;
    if (this.#absence !== null) this.#absence.willAtMs = Number.POSITIVE_INFINITY;
    if (this.claim !== null) this.context.store.removeWill(this.claim, null);
  }

  /** What members of Shared Subscriptions have not acknowledged goes to others. mqtt.md, O-10 */
  #handOver(claim: SessionClaim | null): void {
    const { context, outbox, spaceName } = this;
    const stored = claim !== null && outbox.storedMessages > 0;
    if (stored) context.store.retire(claim);
    handOverAll(context, spaceName, this, claim, outbox.takeOrphans());
    if (stored) new StoredHandOver(context, spaceName, this, claim, this.restored).goOn();
    else if (claim !== null) context.store.remove(claim, null);
  }

  /** The highest QoS that this principal's subscriptions are granted. */
  granted(asked: QoS): QoS {
    return lowerQoS(asked, this.policy.maximumGrantedQoS);
  }

  #leave(subscription: Subscription): void {
    const { space } = this;
    if (space === null) return;
    for (const filter of subscription.enter) {
      space.remove(filter, subscription);
      this.context.sysSpaces.left(space.name, filter);
    }
    this.context.leaveSpace(space);
  }

  /** The Session is absent from now on, and ends after `seconds`; `willDelaySeconds` null: no Will is owed. */
  #waitFrom(nowMs: number, willDelaySeconds: number | null, seconds: number): void {
    this.stopWaiting();
    this.#absence = {
      timer: new WheelTimer((firedAtMs) => this.#onTimer(firedAtMs)),
      willAtMs: willDelaySeconds === null ? Number.POSITIVE_INFINITY : nowMs + willDelaySeconds * 1_000,
      endsAtMs: nowMs + seconds * 1_000,
    };
  }

  #arm(): void {
    const absence = this.#absence;
    if (absence === null) return;
    const next = Math.min(absence.willAtMs, absence.endsAtMs);
    if (next !== Number.POSITIVE_INFINITY) this.context.wheel.schedule(absence.timer, next);
  }

  #onTimer(nowMs: number): void {
    const absence = this.#absence;
    if (this.connection !== null || this.ended || absence === null) return;
    if (absence.endsAtMs <= nowMs) {
      this.context.count('session.expired');
      this.end();
      return;
    }
    if (absence.willAtMs <= nowMs) {
      this.sendWill();
      if (this.claim !== null) this.context.store.removeWill(this.claim, null);
    }
    this.#arm();
  }
}
