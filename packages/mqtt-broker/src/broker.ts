import { type Properties, type QoS, type ReadText, ReasonCode } from '@moorage/mqtt-codec';
import { Admission } from './admission.ts';
import { Connection } from './connection.ts';
import { BrokerContext } from './context.ts';
import type { BrokerStatistics } from './counters.ts';
import { StoredHandOver } from './hand-over.ts';
import {
  listRetained,
  listSessions,
  listSubscriptions,
  type RetainedPage,
  type SessionPage,
  type SessionQuery,
  type SessionSummary,
  type SubscriptionPage,
  summarise,
} from './inspection.ts';
import { type BrokerLimits, DEFAULT_BROKER_LIMITS, type RateLimits } from './limits.ts';
import type { PacketListener } from './packet-traces.ts';
import type {
  AckToken,
  Authenticator,
  BrokerObserver,
  ByteStream,
  Clock,
  ConnectionHandle,
  ListenerInfo,
  Scheduler,
} from './ports.ts';
import { Publication } from './publication.ts';
import { reachOf, retainPublication, routePublication } from './routing.ts';
import { Session } from './session.ts';
import type { RestoredSession, RetainedStore, SessionStore } from './session-store.ts';
import { type SysOptions, SysTopics } from './sys-topics.ts';

const TICK_MS = 250;
const WATCH_MS = 1_000;
const EXPIRE_MS = 60_000;
/** Longest time that closing waits for clients to take their last packet. */
const CLOSE_MS = 1_000;

export interface BrokerOptions {
  readonly authenticator: Authenticator;
  readonly sessions: SessionStore;
  readonly retained: RetainedStore;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly readText: ReadText;
  readonly observer: BrokerObserver;
  readonly limits?: Partial<BrokerLimits>;
  /** Absent: nothing is published below `$SYS/`. */
  readonly sys?: SysOptions;
}

/** A message that the server itself publishes. */
export interface ServerMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties?: Properties | null;
}

/** An MQTT 3.1, 3.1.1 and 5.0 server without sockets, clock or disk: all of that comes in through its options. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #context: BrokerContext;
  readonly #admission: Admission;
  #stops: (() => void)[] = [];
  #connectionNumber = 0;
  #closing = false;

  constructor(options: BrokerOptions) {
    this.#options = options;
    const limits = { ...DEFAULT_BROKER_LIMITS, ...options.limits };
    this.#context = new BrokerContext(options, limits);
    this.#admission = new Admission(this.#context, options.authenticator);
  }

  /** Loads what outlived the last run and starts the timers. Listeners open after it. mqtt.md, O-21 */
  async start(): Promise<void> {
    const context = this.#context;
    context.store.observe({
      dropped: (claim, sequence, reason) => {
        context.count(reason === 'limit' ? 'queue.full' : 'queue.tooOld');
        context.sessions.get(claim.key)?.outbox.dropped(sequence);
      },
    });
    await context.retained.load();
    const restored = await context.store.load();
    // All subscriptions first, so that Wills that are due now find them.
    const waiting = restored.filter(({ retired }) => !retired);
    const sessions = waiting.map((one) => this.#restore(one));
    for (const { claim, record, retired } of restored) {
      if (retired) new StoredHandOver(context, record.space, null, claim, true).goOn();
    }
    for (const [index, session] of sessions.entries()) {
      const disconnectedAt = waiting[index]?.disconnectedAt ?? null;
      session.awaitClient(disconnectedAt === null ? 0 : Math.max(0, context.clock.now() - disconnectedAt));
    }
    const { scheduler } = this.#options;
    this.#stops = [
      scheduler.every(TICK_MS, () => context.wheel.advance(context.clock.monotonic())),
      scheduler.every(WATCH_MS, () => this.#watch()),
      scheduler.every(EXPIRE_MS, () => this.#expire()),
    ];
    const { sys } = this.#options;
    if (sys !== undefined) this.#stops.push(new SysTopics(context, () => this.statistics(), sys).start());
  }

  /** Serves a connected stream. */
  accept(stream: ByteStream, via: ListenerInfo): void {
    const context = this.#context;
    if (this.#closing || context.counters.connections >= context.limits.connections) {
      context.count('connection.refused');
      stream.destroy();
      return;
    }
    const connection = new Connection(context, this.#admission, stream, via, ++this.#connectionNumber);
    context.connections.add(connection);
    context.counters.connections++;
    connection.start();
  }

  /**
   * Publishes into a space and gives the number of Sessions it was routed to. `token` is held by every store that has
   * to keep the message; the caller holds it once itself and releases it after the call.
   */
  publish(space: string, message: ServerMessage, token: AckToken | null = null): number {
    const { topicName, payload, qos, retain, properties = null } = message;
    const publication = Publication.of({ topicName, payload, qos, retain, properties }, this.#context.clock.now());
    if (retain) retainPublication(this.#context, space, publication, token);
    return routePublication(this.#context, space, publication, null, null, token);
  }

  /** May anybody in the space receive this name? Answered from the route cache. */
  hasSubscribers(space: string, topicName: string): boolean {
    const found = this.#context.spaces.get(space);
    return found !== undefined && !found.route(topicName).empty;
  }

  /** How many Sessions a message would be handed to now: connected ones, and absent ones that would keep it. */
  reach(space: string, topicName: string, qos: QoS): number {
    return reachOf(this.#context, space, topicName, qos);
  }

  /** The connection that serves a Session now. */
  connectionOf(sessionKey: string): ConnectionHandle | undefined {
    return this.#context.sessions.get(sessionKey)?.connection ?? undefined;
  }

  /** Closes the connection of a Session; false: it has none. */
  disconnect(sessionKey: string, reasonCode: ReasonCode, reason: string): boolean {
    const connection = this.#context.sessions.get(sessionKey)?.connection ?? null;
    if (connection === null) return false;
    connection.disconnect(reasonCode, reason);
    return true;
  }

  /** Rights were revoked, or the identity deleted: connection, Session and Will are dropped. false: there was no Session. */
  dropSession(
    sessionKey: string,
    reasonCode: ReasonCode = ReasonCode.NotAuthorized,
    reason = 'The rights of this client were revoked.',
  ): boolean {
    const session = this.#context.sessions.get(sessionKey);
    if (session === undefined) return false;
    session.connection?.disconnect(reasonCode, reason, { dropWill: true });
    session.will = null;
    session.end();
    return true;
  }

  /**
   * Keeps a Session key out until `untilMs` (epoch milliseconds; Infinity: for good): CONNECT is answered 0x8A, or 5 on
   * 3.x. A live connection is closed, and a Will that is owed is dropped; the Session itself stays. Bans end with the
   * process.
   */
  ban(sessionKey: string, untilMs: number): void {
    const context = this.#context;
    context.bans.add(sessionKey, untilMs);
    const session = context.sessions.get(sessionKey);
    if (session === undefined) return;
    session.connection?.disconnect(ReasonCode.AdministrativeAction, 'The client is banned.', { dropWill: true });
    session.forgetWill();
  }

  /** Lets a Session key in again; false: it was not banned. */
  unban(sessionKey: string): boolean {
    return this.#context.bans.remove(sessionKey);
  }

  /** The bans in force. */
  bans(): readonly { readonly sessionKey: string; readonly untilMs: number }[] {
    return this.#context.bans.list(this.#context.clock.now());
  }

  /**
   * Shows the packets of a Session's connection to `BrokerObserver.packet`, from CONNACK on, until it is turned off; also
   * those of later connections. CONNECT is never shown: it holds credentials.
   */
  trace(sessionKey: string, on: boolean): void {
    if (on) this.#context.traces.add(sessionKey, this.#toObserver);
    else this.#context.traces.remove(sessionKey, this.#toObserver);
    this.#traceConnection(sessionKey);
  }

  /** The same for whoever asks, as long as he likes: ends with the call of the function that is given. */
  watchPackets(sessionKey: string, listener: PacketListener): () => void {
    // Each call is a trace of its own, though the listener be the same.
    const own: PacketListener = (connection, direction, bytes) => listener(connection, direction, bytes);
    this.#context.traces.add(sessionKey, own);
    this.#traceConnection(sessionKey);
    return () => {
      this.#context.traces.remove(sessionKey, own);
      this.#traceConnection(sessionKey);
    };
  }

  /** Session keys that are traced. */
  traced(): readonly string[] {
    return this.#context.traces.keys();
  }

  readonly #toObserver: PacketListener = (connection, direction, bytes) =>
    this.#context.observer.packet?.(connection, direction, bytes);

  #traceConnection(sessionKey: string): void {
    const { traces, sessions } = this.#context;
    sessions.get(sessionKey)?.connection?.trace(traces.has(sessionKey));
  }

  /** A page of the Sessions, connected and absent; a page may be short, or empty, and still have a next one. */
  sessions(query: SessionQuery): SessionPage {
    return listSessions(this.#context, query);
  }

  /** One Session; null: there is none of this key. */
  session(sessionKey: string): SessionSummary | null {
    const session = this.#context.sessions.get(sessionKey);
    return session === undefined ? null : summarise(this.#context, session);
  }

  /** A page of the subscriptions of a Session; null: there is none of this key. */
  subscriptions(
    sessionKey: string,
    query: { readonly limit: number; readonly after?: number | null } = { limit: 1_000 },
  ): SubscriptionPage | null {
    return listSubscriptions(this.#context, sessionKey, query);
  }

  /** A page of the Retained Messages of a space whose topics match, behind the topic `after`. */
  retained(
    space: string,
    topicFilter: string,
    query: { readonly limit: number; readonly after?: string | null },
  ): Promise<RetainedPage> {
    return listRetained(this.#context, space, topicFilter, query);
  }

  /** The rates that clients are held to. */
  get rates(): RateLimits {
    return this.#context.rates;
  }

  /** Holds clients to other rates from their next packet on. */
  setRates(rates: RateLimits): void {
    this.#context.setRates(rates);
  }

  /**
   * While held, a connection is not read behind its next PUBLISH, whatever the QoS; subscribers and idle connections
   * notice nothing. For stores that are behind.
   */
  holdPublishers(hold: boolean): void {
    this.#context.holdPublishers(hold);
  }

  /** `dropSession` for every Session, connected or absent, whose key belongs; gives their number. */
  dropSessions(belongs: (sessionKey: string) => boolean, reasonCode: ReasonCode, reason: string): number {
    const keys = [...this.#context.sessions.keys()].filter(belongs);
    for (const key of keys) this.dropSession(key, reasonCode, reason);
    return keys.length;
  }

  statistics(): BrokerStatistics {
    const { counters, store, retained, slots, routes, spaces } = this.#context;
    const stored = store.statistics();
    const kept = retained.statistics();
    return {
      connections: counters.connections,
      sessions: slots.size,
      subscriptions: counters.subscriptions,
      retainedMessages: kept.messages,
      retainedBytes: kept.bytes,
      queuedMessages: counters.queuedMessages,
      queuedBytes: counters.queuedBytes,
      storedMessages: stored.messages,
      storedBytes: stored.bytes,
      routesCached: routes.size,
      spaces: spaces.size,
      publishReceived: counters.publishReceived,
      publishSent: counters.publishSent,
      packetsReceived: counters.packetsReceived,
      packetsSent: counters.packetsSent,
      bytesReceived: counters.bytesReceived,
      bytesSent: counters.bytesSent,
      messagesDropped: counters.messagesDropped,
      connectsAccepted: counters.connectsAccepted,
      sessionsExpired: counters.sessionsExpired,
      sessionsConnected: counters.sessionsConnected,
      sessionsConnectedMost: counters.sessionsConnectedMost,
    };
  }

  /** Tells 5.0 clients 0x8B, closes everything within a second and stops the timers. Wills with a delay stay in the store. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#context.closing = true;
    const { connections } = this.#context;
    const streams = [...connections];
    for (const connection of streams) {
      connection.closeByServer(ReasonCode.ServerShuttingDown, 'The server is shutting down.');
    }
    for (const stop of this.#stops) stop();
    this.#stops = [];
    if (streams.some((connection) => !connection.streamClosed)) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.scheduler.after(CLOSE_MS, resolve);
        let open = 0;
        for (const connection of streams) {
          if (connection.streamClosed) continue;
          open++;
          connection.onStreamClosed = () => {
            if (--open > 0) return;
            cancel();
            resolve();
          };
        }
      });
    }
  }

  #restore(restored: RestoredSession): Session {
    const { claim, record, subscriptions, lastSequence, lastPacketIdentifier, queuedMessages } = restored;
    const { key, clientId, space, queue, expiryInterval, will } = record;
    const session = new Session(this.#context, key, clientId, space, { queue, expiryInterval });
    session.claim = claim;
    session.expiryInterval = expiryInterval;
    session.will = will;
    session.restored = true;
    session.outbox.restore(lastSequence, lastPacketIdentifier, queuedMessages);
    this.#context.sessions.set(key, session);
    for (const subscription of subscriptions) session.subscribe(subscription);
    return session;
  }

  #watch(): void {
    const { watched, clock } = this.#context;
    const nowMs = clock.monotonic();
    for (const connection of watched) if (!connection.check(nowMs)) watched.delete(connection);
    this.#context.gate.tick();
  }

  #expire(): void {
    const { store, retained, clock, bans, flapping, connections } = this.#context;
    const now = clock.now();
    store.expire(now);
    retained.expire(now);
    bans.expire(now);
    flapping?.expire(clock.monotonic());
    for (const connection of connections) connection.session?.outbox.expire(now);
  }
}
