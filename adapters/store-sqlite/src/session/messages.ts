import type { StoreState, WriterOptions } from '../sqlite/writer-messages.ts';

/** What the thread is started with. */
export interface SessionWriterOptions extends WriterOptions {
  /** Milliseconds between two attempts to leave the state `full`. */
  readonly probeIntervalMs: number;
  /** Bound of the Retained Messages of all spaces. */
  readonly retainedMaximumBytes: number;
}

/**
 * Operations of a round, as bytes one behind the other: code, number of completions (both one byte, except `Enqueue`,
 * whose number is a varint), then the fields. Numbers of Sessions are given by the store and never used again.
 */
export const Operation = {
  /** Nothing to do; its completions keep their place in the order. */
  Nothing: 0,
  Create: 1,
  Update: 2,
  Disconnected: 3,
  RemoveWill: 4,
  Remove: 5,
  Subscriptions: 6,
  Enqueue: 7,
  Assign: 8,
  MarkReceived: 9,
  Settle: 10,
  Hold: 11,
  Release: 12,
  Expire: 13,
  Retain: 14,
  Unretain: 15,
  ExpireRetained: 16,
  Read: 17,
  Flights: 18,
  LoadSessions: 19,
  ReadRetained: 20,
  Retire: 21,
  Move: 22,
} as const;

/** Flags of a queued message, in the round and in the column. */
export const QueueFlag = { QoS2: 1, Retain: 2, Received: 4, Shared: 8 } as const;

/** To the thread, besides `Close`. */
export interface SessionRequest {
  readonly type: 'round';
  readonly operations: Uint8Array<ArrayBuffer>;
}

/** Queued messages that were dropped, three numbers each: Session, sequence, 0 for `limit` or 1 for `age`. */
export type Dropped = readonly number[];

/** Messages and bytes that are kept. */
export interface Totals {
  readonly messages: number;
  readonly bytes: number;
}

/** How a round ended. */
export interface RoundReply {
  readonly type: 'round';
  /** What the round as a whole became. */
  readonly outcome: 'stored' | 'full' | 'failed';
  /** Completions that are told `full` although the rest was stored: first and behind last, in pairs. */
  readonly refused: readonly number[];
  readonly dropped: Dropped;
  /** Answers of reads in their order; null: it failed. */
  readonly answers: readonly (Uint8Array<ArrayBuffer> | null)[];
  readonly totals: Totals;
  readonly retained: Totals;
  readonly state: StoreState;
  readonly reason: string;
  /** How long the round took in the thread. */
  readonly elapsedMs: number;
}

/** From the thread, before everything else, once the file is open. */
export interface SessionsReady {
  readonly type: 'ready';
  readonly nextSession: number;
  readonly totals: Totals;
  readonly retained: Totals;
  /** Number of the last change of a Retained Message. */
  readonly lastChange: number;
  /** Spaces that hold a Retained Message. */
  readonly retainedSpaces: readonly string[];
}

/** Tells of background work. */
export interface BackgroundReply {
  readonly type: 'background';
  readonly dropped: Dropped;
  readonly totals: Totals;
  readonly retained: Totals;
  readonly state: StoreState;
  readonly reason: string;
}

/** From the thread, once the file is open. */
export type SessionReply = RoundReply | BackgroundReply;
