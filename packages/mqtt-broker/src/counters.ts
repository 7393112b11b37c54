/** Figures of the broker as they stand now. */
export interface BrokerStatistics {
  readonly connections: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  /** Messages and bytes that wait in memory for clients. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Messages and bytes of Sessions that outlive their connections. */
  readonly storedMessages: number;
  readonly storedBytes: number;
  readonly routesCached: number;
  readonly spaces: number;
  /** PUBLISH packets read and sent since the start. */
  readonly publishReceived: number;
  readonly publishSent: number;
  /** Packets of all types, and bytes, since the start. */
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Messages that somebody should have got and did not, for whatever reason, since the start. */
  readonly messagesDropped: number;
  readonly connectsAccepted: number;
  readonly sessionsExpired: number;
  /** Sessions that have a connection, and the most there were. */
  readonly sessionsConnected: number;
  readonly sessionsConnectedMost: number;
}

/** Events that mean a lost message, besides those that begin with `delivery.`. */
const DROPS = new Set(['queue.full', 'queue.tooOld', 'message.expired', 'shared.undelivered']);

/** Running totals, counted in place by the hot path. */
export class Counters {
  connections = 0;
  subscriptions = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  publishReceived = 0;
  publishSent = 0;
  packetsReceived = 0;
  packetsSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  messagesDropped = 0;
  connectsAccepted = 0;
  sessionsExpired = 0;
  sessionsConnected = 0;
  sessionsConnectedMost = 0;

  /** Something of note has happened; none of it happens for every message. */
  note(event: string, amount: number): void {
    if (event === 'connect.accepted') this.connectsAccepted += amount;
    else if (event === 'session.expired') this.sessionsExpired += amount;
    else if (event.startsWith('delivery.') || DROPS.has(event)) this.messagesDropped += amount;
  }

  /** A Session has got a connection. */
  attached(): void {
    this.sessionsConnected++;
    if (this.sessionsConnected > this.sessionsConnectedMost) this.sessionsConnectedMost = this.sessionsConnected;
  }
}
