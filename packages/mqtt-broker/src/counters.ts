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
}

/** Running totals, counted in place by the hot path. */
export class Counters {
  connections = 0;
  subscriptions = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  publishReceived = 0;
  publishSent = 0;
}
