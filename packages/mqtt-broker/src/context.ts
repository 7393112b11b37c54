import { type DecodeLimits, FrameReader, type ReadText } from '@moorage/mqtt-codec';
import { Bans } from './bans.ts';
import { BlockPool } from './block-pool.ts';
import { ConnectGate } from './connect-gate.ts';
import type { Connection } from './connection.ts';
import { Counters } from './counters.ts';
import { Flapping } from './flapping.ts';
import { TopicReader } from './known-topic.ts';
import type { BrokerLimits, RateLimits } from './limits.ts';
import type { Output, OutputOwner } from './output.ts';
import { PacketTraces } from './packet-traces.ts';
import { Pause } from './pause.ts';
import type { Authenticator, BrokerObserver, Clock, Scheduler } from './ports.ts';
import { RateGate } from './rate-gate.ts';
import { RateMeter } from './rates.ts';
import type { Session } from './session.ts';
import { SessionSlots } from './session-slots.ts';
import type { RetainedStore, SessionStore } from './session-store.ts';
import { RouteClock, Space } from './space.ts';
import { SysSpaces } from './sys-spaces.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Accuracy of every time-out in milliseconds. */
const TICK_MS = 250;
/** Different sizes of packets that are remembered. */
const PACKET_SIZES = 100;
/** Readers that are kept. */
const READERS = 64;

/** What the parts of one broker share. */
export class BrokerContext implements OutputOwner {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly readText: ReadText;
  readonly topics: TopicReader;
  readonly observer: BrokerObserver;
  readonly limits: BrokerLimits;
  readonly decodeLimits: DecodeLimits;
  readonly store: SessionStore;
  readonly retained: RetainedStore;
  readonly pool = new BlockPool();
  readonly counters = new Counters();
  readonly routes: RouteClock;
  readonly spaces = new Map<string, Space>();
  /** Sessions by key. */
  readonly sessions = new Map<string, Session>();
  readonly connections = new Set<Connection>();
  /** Connections that something is owed to or by: looked at once a second. */
  readonly watched = new Set<Connection>();
  readonly wheel: TimerWheel;
  readonly gate: ConnectGate;
  readonly flapping: Flapping | null;
  readonly bans = new Bans();
  readonly traces = new PacketTraces();
  readonly slots = new SessionSlots();
  readonly sysSpaces = new SysSpaces();
  /** The rates in force, and how often they were set: connections look whether theirs are of today. */
  rates: RateLimits;
  ratesVersion = 0;
  /** Epoch milliseconds at which the chunk in hand was read. */
  receivedAt = 0;
  /** The server stops: nothing new is begun. */
  closing = false;
  /** The stores are behind: whoever publishes is not read any more. */
  publishersHeld = false;
  readonly #heldPublishers = new Set<Connection>();
  readonly #decodeLimits = new Map<number, DecodeLimits>();
  readonly #readers: FrameReader[] = [];
  readonly #listenerRates = new Map<string, RateMeter>();
  #dirty: Output[] = [];
  #waiting: { goOn(): void }[] = [];
  #turnPending = false;

  constructor(
    parts: {
      readonly authenticator: Authenticator;
      readonly clock: Clock;
      readonly scheduler: Scheduler;
      readonly readText: ReadText;
      readonly observer: BrokerObserver;
      readonly sessions: SessionStore;
      readonly retained: RetainedStore;
    },
    limits: BrokerLimits,
  ) {
    this.authenticator = parts.authenticator;
    this.clock = parts.clock;
    this.scheduler = parts.scheduler;
    this.readText = parts.readText;
    this.topics = new TopicReader(parts.readText);
    this.observer = parts.observer;
    this.store = parts.sessions;
    this.retained = parts.retained;
    this.limits = limits;
    this.rates = limits.rates;
    this.decodeLimits = {
      maximumPacketSize: limits.connectPacketSize,
      maximumUserProperties: limits.userProperties,
      maximumTopicFilters: limits.topicFilters,
      sender: 'client',
    };
    this.routes = new RouteClock(limits.routeCacheEntries);
    this.wheel = new TimerWheel(TICK_MS, parts.clock.monotonic());
    this.gate = new ConnectGate(this);
    this.flapping = limits.flapping === null ? null : new Flapping(limits.flapping);
  }

  count(event: string, amount = 1): void {
    this.counters.note(event, amount);
    this.observer.count(event, amount);
  }

  /** Limits of packets behind CONNECT; those of equal policies are one object. */
  limitsFor(maximumPacketSize: number): DecodeLimits {
    let limits = this.#decodeLimits.get(maximumPacketSize);
    if (limits === undefined) {
      limits = { ...this.decodeLimits, maximumPacketSize };
      if (this.#decodeLimits.size < PACKET_SIZES) this.#decodeLimits.set(maximumPacketSize, limits);
    }
    return limits;
  }

  /** A reader without bytes in it. Connections read one after the other, so a few serve all. */
  takeReader(maximumPacketSize: number, strictLength: boolean): FrameReader {
    const reader = this.#readers.pop() ?? new FrameReader(maximumPacketSize);
    reader.maximumPacketSize = maximumPacketSize;
    reader.strictLength = strictLength;
    return reader;
  }

  /** Takes a reader back that has no bytes in it and has not failed. */
  giveReader(reader: FrameReader): void {
    if (this.#readers.length < READERS) this.#readers.push(reader);
  }

  holdPublishers(hold: boolean): void {
    this.publishersHeld = hold;
    if (hold) return;
    for (const connection of this.#heldPublishers) connection.resume(Pause.Stores);
    this.#heldPublishers.clear();
  }

  /** Called behind a PUBLISH while `publishersHeld`. */
  holdPublisher(connection: Connection): void {
    if (connection.ended) return;
    this.#heldPublishers.add(connection);
    connection.pause(Pause.Stores);
  }

  setRates(rates: RateLimits): void {
    this.rates = rates;
    this.ratesVersion++;
    this.#listenerRates.clear();
    this.gate.ratesChanged();
  }

  /** What meters a connection; null where nothing is limited. */
  rateGate(connection: Connection): RateGate | null {
    const { rates } = this;
    const limits = [
      rates.clientMessagesPerSecond,
      rates.clientBytesPerSecond,
      rates.listenerMessagesPerSecond,
      rates.listenerBytesPerSecond,
    ];
    const own = connection.session?.policy.rates;
    if (own === undefined && limits.every((limit) => limit === null)) return null;
    const nowMs = this.clock.monotonic();
    const { listener } = connection.via;
    let meter = this.#listenerRates.get(listener);
    if (meter === undefined) {
      meter = new RateMeter(rates.listenerMessagesPerSecond, rates.listenerBytesPerSecond, nowMs);
      this.#listenerRates.set(listener, meter);
    }
    const ownMeter = new RateMeter(rates.clientMessagesPerSecond, rates.clientBytesPerSecond, nowMs, own);
    return new RateGate(this, connection, ownMeter, meter);
  }

  markDirty(output: Output): void {
    this.#dirty.push(output);
    if (!this.#turnPending) this.#askForTurn();
  }

  /** Goes on with a connection's reading, or a Session's sending, at the end of the turn, so that others come first. */
  goOnLater(waiting: { goOn(): void }): void {
    this.#waiting.push(waiting);
    if (!this.#turnPending) this.#askForTurn();
  }

  /** The space of this name, made when needed. */
  space(name: string): Space {
    let space = this.spaces.get(name);
    if (space === undefined) {
      space = new Space(name, this.routes);
      this.spaces.set(name, space);
    }
    return space;
  }

  /** Forgets a space that nobody subscribes in. */
  leaveSpace(space: Space): void {
    if (!space.empty || this.spaces.get(space.name) !== space) return;
    space.clear();
    this.spaces.delete(space.name);
  }

  #askForTurn(): void {
    this.#turnPending = true;
    this.scheduler.endOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#turnPending = false;
    const waiting = this.#waiting;
    if (waiting.length > 0) {
      this.#waiting = [];
      for (const one of waiting) one.goOn();
    }
    const dirty = this.#dirty;
    // Writing can end a connection, whose Will makes others dirty; they are appended and flushed as well.
    for (let index = 0; index < dirty.length; index++) dirty[index]?.flush();
    dirty.length = 0;
  };
}
