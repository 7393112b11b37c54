import { encodeText } from '@moorage/mqtt-codec';
import type { BrokerContext } from './context.ts';
import type { BrokerStatistics } from './counters.ts';
import { Publication } from './publication.ts';
import { routePublication } from './routing.ts';

/** What the server says about itself below `$SYS/broker/`. */
export interface SysOptions {
  /** As told in `$SYS/broker/version`. */
  readonly version: string;
  /** Milliseconds between two tellings; default 10,000. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;
const ROOT = '$SYS/broker/';

/** Totals whose rate a minute is told, averaged over 1, 5 and 15 minutes. */
const LOADS = {
  'messages/received': (totals: BrokerStatistics) => totals.packetsReceived,
  'messages/sent': (totals: BrokerStatistics) => totals.packetsSent,
  'publish/received': (totals: BrokerStatistics) => totals.publishReceived,
  'publish/sent': (totals: BrokerStatistics) => totals.publishSent,
  'publish/dropped': (totals: BrokerStatistics) => totals.messagesDropped,
  'bytes/received': (totals: BrokerStatistics) => totals.bytesReceived,
  'bytes/sent': (totals: BrokerStatistics) => totals.bytesSent,
  connections: (totals: BrokerStatistics) => totals.connectsAccepted,
} as const;
const MINUTES = [1, 5, 15] as const;

/** Everything but version, uptime and loads. The names are mosquitto's, so that its users' tools go on working. */
const FIGURES: Readonly<Record<string, (totals: BrokerStatistics) => number>> = {
  'clients/connected': (totals) => totals.sessionsConnected,
  'clients/active': (totals) => totals.sessionsConnected,
  'clients/disconnected': (totals) => totals.sessions - totals.sessionsConnected,
  'clients/inactive': (totals) => totals.sessions - totals.sessionsConnected,
  'clients/total': (totals) => totals.sessions,
  'clients/maximum': (totals) => totals.sessionsConnectedMost,
  'clients/expired': (totals) => totals.sessionsExpired,
  'messages/received': (totals) => totals.packetsReceived,
  'messages/sent': (totals) => totals.packetsSent,
  'publish/messages/received': (totals) => totals.publishReceived,
  'publish/messages/sent': (totals) => totals.publishSent,
  'publish/messages/dropped': (totals) => totals.messagesDropped,
  'bytes/received': (totals) => totals.bytesReceived,
  'bytes/sent': (totals) => totals.bytesSent,
  'subscriptions/count': (totals) => totals.subscriptions,
  'retained messages/count': (totals) => totals.retainedMessages,
  'store/messages/count': (totals) => totals.storedMessages + totals.queuedMessages,
  'store/messages/bytes': (totals) => totals.storedBytes + totals.queuedBytes,
};

/**
 * Publishes `$SYS/broker/...` into the spaces in which somebody subscribes below `$SYS/`, and only the topics that are
 * subscribed to. The figures are those of the whole server: the host grants such a subscription to administrators only
 * (`ConnectionHandler.subscribe`), and is asked again for every message (`mayReceive`). QoS 0 and not retained; a new
 * subscription is told at the end of the turn, then every interval.
 */
export class SysTopics {
  readonly #context: BrokerContext;
  readonly #statistics: () => BrokerStatistics;
  readonly #version: string;
  readonly #intervalMs: number;
  readonly #startedAtMs: number;
  readonly #loads = new Map<string, number>();
  #before: BrokerStatistics;
  readonly #newSpaces = new Set<string>();

  constructor(context: BrokerContext, statistics: () => BrokerStatistics, options: SysOptions) {
    this.#context = context;
    this.#statistics = statistics;
    this.#version = options.version;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#startedAtMs = context.clock.monotonic();
    this.#before = statistics();
  }

  /** Begins to tell; gives what ends it. */
  start(): () => void {
    this.#context.sysSpaces.onAdded = (space) => {
      if (this.#newSpaces.size === 0) this.#context.goOnLater(this);
      this.#newSpaces.add(space);
    };
    const stop = this.#context.scheduler.every(this.#intervalMs, () => this.#tick());
    return () => {
      stop();
      this.#context.sysSpaces.onAdded = null;
    };
  }

  /** Tells the spaces in which a subscription is new. */
  goOn(): void {
    const spaces = [...this.#newSpaces];
    this.#newSpaces.clear();
    this.#tell(spaces);
  }

  #tick(): void {
    const totals = this.#statistics();
    for (const [name, read] of Object.entries(LOADS)) {
      const perMinute = ((read(totals) - read(this.#before)) * MINUTE_MS) / this.#intervalMs;
      for (const minutes of MINUTES) {
        const topic = `load/${name}/${minutes}min`;
        const kept = Math.exp(-this.#intervalMs / (minutes * MINUTE_MS));
        this.#loads.set(topic, perMinute * (1 - kept) + (this.#loads.get(topic) ?? 0) * kept);
      }
    }
    this.#before = totals;
    this.#tell(this.#context.sysSpaces.names());
  }

  #tell(spaces: readonly string[]): void {
    if (spaces.length === 0) return;
    const totals = this.#statistics();
    const uptime = Math.floor((this.#context.clock.monotonic() - this.#startedAtMs) / 1_000);
    for (const space of spaces) {
      this.#publish(space, 'version', () => this.#version);
      this.#publish(space, 'uptime', () => `${uptime} seconds`);
      for (const [name, read] of Object.entries(FIGURES)) this.#publish(space, name, () => String(read(totals)));
      for (const [name, load] of this.#loads) this.#publish(space, name, () => load.toFixed(2));
    }
  }

  #publish(space: string, name: string, value: () => string): void {
    const context = this.#context;
    const topicName = ROOT + name;
    if (context.spaces.get(space)?.route(topicName).empty !== false) return;
    const message = { topicName, payload: encodeText(value()), qos: 0, retain: false, properties: null } as const;
    routePublication(context, space, Publication.of(message, context.clock.now()), null, null, null);
  }
}
