import type { Scheduler } from '@moorage/core';
import { nodeScheduler } from './node-scheduler.ts';

/** Bounds of the WebSocket API and the live streams. */
export interface WebSocketOptions {
  /** Bytes of one message of a client; ThingsBoard has 32,768. Larger ones close with 1009. Default 262,144. */
  readonly maxMessageBytes?: number;
  /** Sessions at the same time, streams included. Default 10,000. */
  readonly maxSessions?: number;
  /** Of these, sessions that have not yet shown who they are. Default 1,000. */
  readonly maxUnknown?: number;
  /** Running subscriptions of one session. Default 1,000. */
  readonly maxSubscriptions?: number;
  /** Messages that wait because a client does not read; one more closes with 1008. Default 1,000. */
  readonly maxUnsent?: number;
  /** Bytes handed to a socket before it counts as not reading. Default 131,072. */
  readonly highWaterBytes?: number;
  /** Default: the event loop and timers of Node. */
  readonly scheduler?: Scheduler;
}

export type WebSocketSettings = Required<WebSocketOptions>;

export function webSocketSettings(options: WebSocketOptions): WebSocketSettings {
  return {
    maxMessageBytes: 262_144,
    maxSessions: 10_000,
    maxUnknown: 1_000,
    maxSubscriptions: 1_000,
    maxUnsent: 1_000,
    highWaterBytes: 131_072,
    scheduler: nodeScheduler,
    ...options,
  };
}
