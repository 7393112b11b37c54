export { Broker, type BrokerOptions, type ServerMessage } from './broker.ts';
export type { BrokerStatistics } from './counters.ts';
export type { PushOutcome } from './delivery.ts';
export type {
  RetainedPage,
  SessionPage,
  SessionQuery,
  SessionSummary,
  SubscriptionPage,
  SubscriptionSummary,
} from './inspection.ts';
export {
  type BrokerLimits,
  DEFAULT_BROKER_LIMITS,
  type FlappingLimits,
  NO_RATE_LIMITS,
  type RateLimits,
  USUAL_FLAPPING_LIMITS,
} from './limits.ts';
export { MemoryRetainedStore, type RetainedLimits } from './memory-retained-store.ts';
export { MemorySessionStore } from './memory-session-store.ts';
export type { PacketListener } from './packet-traces.ts';
export type * from './ports.ts';
export type * from './session-store.ts';
export type { SysOptions } from './sys-topics.ts';
