import type { Result } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { Completion } from '../ports/runtime.ts';

/** A request that is to reach an address outside, as it is put down. */
export interface WebhookMessage {
  /** Of the dialect or part that makes it, by which its signer is found: `sensoro`, `thingscale`. */
  readonly kind: string;
  /** Who is told: an application, an event rule. Its queue, limits and suspension are its own. */
  readonly targetId: EntityId;
  readonly tenantId: EntityId;
  /** The same over all attempts; receivers drop repetitions by it. 1 to 64 characters. */
  readonly eventId: string;
  /** Messages of one target with equal keys arrive in their order, one at a time. At most 128 characters. */
  readonly orderKey: string;
  /** As configured when the event happened; http or https. */
  readonly url: string;
  readonly contentType: string;
  /** At most 256 KiB. */
  readonly body: Uint8Array;
}

/** How messages of one kind are sent. */
export interface WebhookPolicy {
  /** Requests of one target at the same time. */
  readonly concurrency: number;
  /** Milliseconds from the first byte to the status. */
  readonly timeoutMs: number;
  /** Milliseconds before each further attempt; the message is dead when all have failed. Up to a tenth is added at random. */
  readonly retryDelaysMs: readonly number[];
  /** Messages that may wait for one target; beyond it the oldest are buried. */
  readonly queueMessages: number;
  /** Age in milliseconds at which a waiting message is buried. */
  readonly queueAgeMs: number;
  /** A response with this status stops everything for the target until `resume`; null: none does. */
  readonly suspendOn: number | null;
}

/** What is sent in one attempt besides method, address and body. */
export interface WebhookSigning {
  /** Names as they are to stand in the request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a kind knows of its messages. */
export interface WebhookKind {
  readonly kind: string;
  readonly policy: WebhookPolicy;
  /** Headers of one attempt, made anew each time; null: whoever is to be told is gone or disabled, the message is dropped. */
  sign(message: WebhookMessage, now: number): WebhookSigning | null;
}

/** How an attempt ended: with a status, or without one. */
export type WebhookAttempt =
  | { readonly kind: 'status'; readonly status: number }
  /** `refused`: the address may not be asked (private network, wrong scheme), another attempt is of no use. */
  | { readonly kind: 'failed' | 'refused'; readonly reason: string };

/** The way to the outside. Follows no redirect, pins the answer of DNS, reads at most 64 KiB. */
export interface WebhookSender {
  send(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Uint8Array;
    readonly timeoutMs: number;
  }): Promise<WebhookAttempt>;
  close(): Promise<void>;
}

/** Takes requests that must arrive. */
export interface WebhookOutbox {
  /**
   * Puts a message down and sends it, again if need be, also after a restart. `completion` is held until it is durable;
   * null: nobody waits. A message that is too long or has no usable address is counted, logged and dropped.
   */
  enqueue(message: WebhookMessage, completion: Completion | null): void;
  /** The target was saved anew: what a suspension held back goes on. */
  resume(targetId: EntityId): void;
  /** The target is gone: its queue, dead letters and suspension too. */
  removeTarget(targetId: EntityId): void;
}

/** `WAITING`: for its turn or its next attempt. `DEAD`: given up, kept for seven days. */
export type WebhookDeliveryState = 'WAITING' | 'DEAD';

/** One message as the API shows it. */
export interface WebhookDelivery {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  readonly targetId: EntityId;
  readonly kind: string;
  readonly eventId: string;
  readonly url: string;
  readonly state: WebhookDeliveryState;
  readonly attempts: number;
  /** Plain English; null: not tried yet. */
  readonly lastError: string | null;
  readonly nextAttemptTime: number | null;
  /** Text of the body, the first 4,096 characters. */
  readonly body: string;
}

/** For administrators of a tenant. api-additions.md, 3 */
export interface WebhookService {
  deliveries(caller: Caller, state: WebhookDeliveryState, query: PageQuery): Promise<Result<Page<WebhookDelivery>>>;
  /** Puts a dead message at the end of the queue of its target; its attempts begin anew, its event id stays. */
  replay(caller: Caller, id: EntityId): Promise<Result<null>>;
}
