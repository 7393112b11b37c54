import type { StoreState, WriterOptions } from '../sqlite/writer-messages.ts';
import type { PackedEntries } from './packed-entries.ts';

/** Name of the file within its directory, without the ending. */
export const FILE_NAME = 'outbox';

/** What the thread is started with. */
export interface OutboxWriterOptions extends WriterOptions {
  /** Milliseconds between two attempts to leave the state `full`. */
  readonly probeIntervalMs: number;
}

export interface BuriedMessage {
  readonly id: string;
  readonly sequence: number;
  readonly attempts: number;
  readonly lastError: string;
  readonly expiresTime: number;
}

/** What one call asks of the thread. Removals go in slices of `limit` rows, so that nothing waits long behind them. */
export type Operation =
  | { readonly type: 'load' }
  | { readonly type: 'append'; readonly entries: PackedEntries }
  | { readonly type: 'read'; readonly targetId: string; readonly after: number; readonly limit: number }
  | { readonly type: 'settle'; readonly sequences: readonly number[] }
  | { readonly type: 'bury'; readonly letters: readonly BuriedMessage[] }
  | {
      readonly type: 'revive';
      readonly id: string;
      readonly tenantId: string;
      readonly sequence: number;
      readonly createdTime: number;
    }
  | {
      readonly type: 'list';
      readonly dead: boolean;
      readonly tenantId: string;
      readonly offset: number;
      readonly limit: number;
    }
  /** `upTo`: the last sequence to remove; null: the last one that is there now. */
  | { readonly type: 'removeTarget'; readonly targetId: string; readonly upTo: number | null; readonly limit: number }
  | { readonly type: 'suspend'; readonly targetId: string; readonly url: string | null }
  | { readonly type: 'expire'; readonly now: number; readonly keepPerTarget: number; readonly limit: number }
  | { readonly type: 'statistics' };

/** What an operation gives besides its outcome. */
export type OperationResult =
  | { readonly type: 'nothing' }
  | {
      readonly type: 'loaded';
      readonly lastSequence: number;
      readonly queues: readonly {
        readonly targetId: string;
        readonly kind: string;
        readonly messages: number;
        readonly oldest: number;
      }[];
      readonly suspended: readonly { readonly targetId: string; readonly url: string }[];
    }
  /** `total`: of a list, how many there are besides those given. */
  | { readonly type: 'entries'; readonly entries: PackedEntries; readonly total: number }
  /** Another slice is needed, up to this sequence. */
  | { readonly type: 'more'; readonly upTo: number }
  | { readonly type: 'counted'; readonly bytes: number; readonly waiting: number; readonly dead: number };

export interface Answer {
  readonly outcome: 'stored' | 'full' | 'failed';
  /** null: it was not done. */
  readonly result: OperationResult | null;
}

/** To the thread, besides `Close`. */
export interface OutboxRequest {
  readonly type: 'round';
  readonly request: number;
  readonly operations: readonly Operation[];
}

export interface RoundReply {
  readonly type: 'round';
  readonly request: number;
  /** In the order of the operations. */
  readonly answers: readonly Answer[];
  readonly state: StoreState;
  readonly reason: string;
}

/** From the thread, before everything else, once the file is open. */
export interface OutboxReady {
  readonly type: 'ready';
}

/** From the thread, once the file is open. */
export type OutboxReply =
  | RoundReply
  | { readonly type: 'background'; readonly state: StoreState; readonly reason: string };
