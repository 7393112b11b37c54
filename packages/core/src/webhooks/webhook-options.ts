import type { OutboxStore } from '../ports/outbox-store.ts';
import type { Clock, Crypto, Scheduler } from '../ports/runtime.ts';
import type { WebhookKind, WebhookSender } from './webhook.ts';

/** Bounds of the engine. Those of one target are in the policy of its kind. */
export interface WebhookLimits {
  /** Least milliseconds between the beginnings of two commits of new messages. */
  readonly commitIntervalMs: number;
  /** Bytes of messages that wait for their commit; what comes beyond is answered `full`. */
  readonly appendBytes: number;
  /** Bytes of messages in memory over all targets besides those that wait for their commit. */
  readonly heldBytes: number;
  /** Requests under way over all targets. */
  readonly requests: number;
  /** Messages of one target that wait for a further attempt; while there are so many, no new one is tried. */
  readonly retrying: number;
  /** Dead letters of one target; of more the oldest are removed. */
  readonly deadLetters: number;
  /** Milliseconds that a dead letter is kept. */
  readonly deadLetterMs: number;
  /** Milliseconds that `close` leaves to requests under way. */
  readonly closeWaitMs: number;
}

const DAY_MS = 86_400_000;

export const DEFAULT_WEBHOOK_LIMITS: WebhookLimits = {
  commitIntervalMs: 2,
  appendBytes: 33_554_432,
  heldBytes: 16_777_216,
  requests: 128,
  retrying: 1_000,
  deadLetters: 100_000,
  deadLetterMs: 7 * DAY_MS,
  closeWaitMs: 1_000,
};

/** What is worth a line in the log: a target is suspended, a message was refused. */
export interface WebhookNotice {
  readonly text: string;
  readonly targetId: string;
  readonly kind: string;
}

export interface WebhooksOptions {
  readonly store: OutboxStore;
  /** Or what makes it; asked for at the first attempt, so that nothing is loaded for a server without webhooks. */
  readonly sender: WebhookSender | (() => Promise<WebhookSender>);
  readonly kinds: readonly WebhookKind[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly crypto: Pick<Crypto, 'uuid' | 'randomBytes'>;
  readonly limits?: Partial<WebhookLimits>;
  /** `webhook.delivered` and the like; the names are fixed. */
  readonly count: (event: string, amount: number) => void;
  readonly notice: (notice: WebhookNotice) => void;
  readonly report: (error: unknown) => void;
}

/** Figures for metrics. */
export interface WebhookStatistics {
  /** Messages that are neither delivered nor dead. */
  readonly waiting: number;
  readonly requests: number;
  /** Waiting ones that have been tried. */
  readonly retrying: number;
  readonly suspendedTargets: number;
  /** Bytes of messages in memory. */
  readonly heldBytes: number;
}
