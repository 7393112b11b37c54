/** Token buckets that hold one second's worth; null: no limit. Whoever is over a limit is not read until it is paid for. */
export interface RateLimits {
  /** CONNECTs of one listener. */
  readonly connectsPerSecond: number | null;
  /** PUBLISH packets, and bytes of all packets, of one client. */
  readonly clientMessagesPerSecond: number | null;
  readonly clientBytesPerSecond: number | null;
  /** The same of all clients of one listener together. */
  readonly listenerMessagesPerSecond: number | null;
  readonly listenerBytesPerSecond: number | null;
}

export const NO_RATE_LIMITS: RateLimits = {
  connectsPerSecond: null,
  clientMessagesPerSecond: null,
  clientBytesPerSecond: null,
  listenerMessagesPerSecond: null,
  listenerBytesPerSecond: null,
};

/** More accepted CONNECTs than `connects` within `windowMs` from one address and identity are refused for `refusalMs`. */
export interface FlappingLimits {
  readonly connects: number;
  readonly windowMs: number;
  readonly refusalMs: number;
}

/** What to use where flapping clients are refused. reliability.md, section 2 */
export const USUAL_FLAPPING_LIMITS: FlappingLimits = { connects: 15, windowMs: 60_000, refusalMs: 60_000 };

/** Bounds of the broker that do not belong to a principal's policy. Sources: reliability.md, section 8. */
export interface BrokerLimits {
  /** Connections at once; more are closed before anything is read. */
  readonly connections: number;
  /** Bytes of a whole packet before CONNECT is accepted. */
  readonly connectPacketSize: number;
  /** From the opening of the stream to a whole CONNECT. */
  readonly connectTimeoutMs: number;
  /** Bytes kept behind a CONNECT that is not answered yet. */
  readonly bytesBehindConnect: number;
  readonly clientIdBytes: number;
  /** Bytes of a Topic Name or Topic Filter. */
  readonly topicBytes: number;
  readonly topicLevels: number;
  readonly userProperties: number;
  /** Topic Filters in one SUBSCRIBE or UNSUBSCRIBE. */
  readonly topicFilters: number;
  /** Unfinished QoS 1 and 2 messages towards one client, 1 to 65,535; a smaller Receive Maximum of the client wins. */
  readonly outboundInFlight: number;
  /** How long a store may keep an acknowledgement waiting before the connection is closed. */
  readonly acknowledgementTimeoutMs: number;
  /** How long a 3.x sender is kept unread and unacknowledged after a store was full. */
  readonly storeFullTimeoutMs: number;
  /** Bytes that wait for a slow reader before QoS 0 messages to it are dropped. */
  readonly slowReaderBytes: number;
  /** A reader that takes nothing, or acknowledges nothing it holds back, for so long is closed. */
  readonly noProgressTimeoutMs: number;
  /** Packets staged for one connection that are written without waiting for the end of the turn; so are 64 KiB. */
  readonly earlyFlushPackets: number;
  /** Topic Names whose routes are remembered, over all spaces. */
  readonly routeCacheEntries: number;
  /** Messages and bytes of a stored queue that are also kept in memory. */
  readonly headMessages: number;
  readonly headBytes: number;
  /** Share of a connected Session's queue at which its publishers are no longer read, 0 to 1. */
  readonly highWaterShare: number;
  /** Bytes queued in memory over all Sessions at which publishers are no longer read. */
  readonly queuedBytesHighWater: number;
  /** Longest time a publisher is not read on behalf of others' queues. */
  readonly backPressureMs: number;
  /** Retained Messages handed to one Session in one turn. */
  readonly retainedSlice: number;
  /** Bytes kept of a stream that goes on delivering although it was paused. */
  readonly bytesWhilePaused: number;
  /** CONNECTs that are looked up at once; more wait unread. */
  readonly connectsUnderWay: number;
  /** Topic Aliases that one client is sent, 0 to 65,535; its own Topic Alias Maximum wins if it is smaller. */
  readonly outboundTopicAliases: number;
  readonly rates: RateLimits;
  /** null: nobody is refused for connecting often. */
  readonly flapping: FlappingLimits | null;
}

export const DEFAULT_BROKER_LIMITS: BrokerLimits = {
  connections: 200_000,
  connectPacketSize: 65_536,
  connectTimeoutMs: 10_000,
  bytesBehindConnect: 65_536,
  clientIdBytes: 1_024,
  topicBytes: 4_096,
  topicLevels: 128,
  userProperties: 64,
  topicFilters: 1_000,
  outboundInFlight: 2_048,
  acknowledgementTimeoutMs: 30_000,
  storeFullTimeoutMs: 30_000,
  slowReaderBytes: 1_048_576,
  noProgressTimeoutMs: 60_000,
  earlyFlushPackets: 1_000,
  routeCacheEntries: 65_536,
  headMessages: 1_000,
  headBytes: 1_048_576,
  highWaterShare: 0.5,
  queuedBytesHighWater: 268_435_456,
  backPressureMs: 10_000,
  retainedSlice: 200,
  bytesWhilePaused: 1_048_576,
  connectsUnderWay: 1_000,
  outboundTopicAliases: 32,
  rates: NO_RATE_LIMITS,
  flapping: null,
};
