import type { EntityId } from '../model/entities.ts';
import type { WebhookMessage } from '../webhooks/webhook.ts';
import type { WriteOutcome } from './telemetry-store.ts';

/** Ascending over the whole store; given by the caller, above every one that `load` told of. */
export type OutboxSequence = number;

/** A message that waits to be sent. */
export interface OutboxEntry {
  readonly sequence: OutboxSequence;
  /** Epoch milliseconds. */
  readonly createdTime: number;
  readonly message: WebhookMessage;
}

/** A message that was given up. */
export interface DeadLetter extends OutboxEntry {
  readonly id: EntityId;
  readonly attempts: number;
  readonly lastError: string;
  /** Epoch milliseconds at which it is removed for good. */
  readonly expiresTime: number;
}

/** What a queue holds, without its bodies. */
export interface OutboxQueue {
  readonly targetId: EntityId;
  readonly kind: string;
  readonly messages: number;
  readonly oldest: OutboxSequence;
}

/**
 * Messages that must reach an address outside, with what was given up. Changes take effect in the order of the calls and
 * resolve when they are durable; commits are shared by everything that arrives meanwhile.
 */
export interface OutboxStore {
  /** Everything that outlived the last run. Cheap and without a thread of its own while nothing was ever put down. */
  load(): Promise<{
    readonly lastSequence: OutboxSequence;
    readonly queues: readonly OutboxQueue[];
    /** Targets that are suspended, with the address that asked for it. */
    readonly suspended: readonly { readonly targetId: EntityId; readonly url: string }[];
  }>;
  /** All or nothing. `full`: no room. */
  append(entries: readonly OutboxEntry[]): Promise<WriteOutcome>;
  /** Waiting messages of a target behind `after`, ascending, at most `limit` and about 4 MiB of bodies. */
  read(targetId: EntityId, after: OutboxSequence, limit: number): Promise<readonly OutboxEntry[]>;
  /** Sent or dropped: they are gone. */
  settle(sequences: readonly OutboxSequence[]): Promise<WriteOutcome>;
  /** Waiting messages become dead letters, in one change. */
  bury(letters: readonly Omit<DeadLetter, 'message' | 'createdTime'>[]): Promise<WriteOutcome>;
  /** A dead letter goes back into the queue of its target under a new sequence; null: it is not there any more. */
  revive(
    id: EntityId,
    tenantId: EntityId,
    sequence: OutboxSequence,
    createdTime: number,
  ): Promise<OutboxEntry | null | 'full' | 'failed'>;
  /** `WAITING` and `DEAD` of a tenant, the newest first. */
  waiting(
    tenantId: EntityId,
    offset: number,
    limit: number,
  ): Promise<{ readonly entries: readonly OutboxEntry[]; readonly total: number }>;
  dead(
    tenantId: EntityId,
    offset: number,
    limit: number,
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly total: number }>;
  removeTarget(targetId: EntityId): Promise<WriteOutcome>;
  /** Remembers that a target is suspended, and by which address; null: it is not any more. */
  suspend(targetId: EntityId, url: string | null): Promise<WriteOutcome>;
  /** Removes dead letters that are past their time, and the oldest of more than `keepPerTarget` of one target. */
  expire(now: number, keepPerTarget: number): Promise<WriteOutcome>;
  statistics(): Promise<{
    readonly bytes: number;
    readonly waiting: number;
    readonly dead: number;
    readonly state: 'ok' | 'full' | 'failed';
  }>;
  close(): Promise<void>;
}
