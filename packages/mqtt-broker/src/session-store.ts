import type { QoS, SubscriptionOptions, Will } from '@moorage/mqtt-codec';
import type { Message, SessionPolicy, StoreOutcome } from './ports.ts';

/** Told how a store operation ended, once, during the call or later. `AckToken` is one. */
export interface StoreCompletion {
  release(outcome: StoreOutcome): void;
}

/** A Session that this node holds. Stores extend it with what they need to find it again (row, fencing epoch). */
export interface SessionClaim {
  readonly key: string;
}

/** What has to be known about a Session that outlives its connection. */
export interface SessionRecord {
  readonly key: string;
  readonly space: string | null;
  readonly clientId: string;
  /** Seconds after the end of the connection. */
  readonly expiryInterval: number;
  readonly queue: SessionPolicy['queue'];
  readonly will: Will | null;
}

export interface StoredSubscription {
  /** As the client wrote it, `$share/` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  readonly grantedQoS: QoS;
  /** 0: none. */
  readonly subscriptionIdentifier: number;
  /** Filters in the tree of the space; empty for direct push only. */
  readonly enter: readonly string[];
}

/** One Session's share of a message that is stored once. */
export interface QueueTarget {
  readonly claim: SessionClaim;
  /** Ascending in each Session; given by the broker. */
  readonly sequence: number;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | null;
  /** Not 0: goes out at once under this identifier. QoS 2 is sent only when `completion` says `stored`. */
  readonly packetIdentifier: number;
  readonly completion: StoreCompletion | null;
  /**
   * The Shared Subscription it came by, `$share/` included; null or absent: none. A store that gives it back lets the
   * message go to another member when this Session ends.
   */
  readonly shared?: string | null;
}

/** A queued or unfinished message as it comes back from the store. */
export interface StoredDelivery {
  readonly sequence: number;
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | null;
  /** 0: not sent yet. */
  readonly packetIdentifier: number;
  /** PUBREC has come, PUBREL is owed. */
  readonly received: boolean;
  /** As in `QueueTarget`. */
  readonly shared?: string | null;
}

/** A Session found at the start. */
export interface RestoredSession {
  readonly claim: SessionClaim;
  readonly record: SessionRecord;
  readonly subscriptions: readonly StoredSubscription[];
  /** Epoch milliseconds; null: the server stopped before its connection ended. */
  readonly disconnectedAt: number | null;
  /** Highest sequence ever given. */
  readonly lastSequence: number;
  /** Last Packet Identifier given; 0: none. */
  readonly lastPacketIdentifier: number;
  /** Messages that are queued or unfinished. */
  readonly queuedMessages: number;
  /** It was retired: nobody comes back to it, and its queue is still to be handed over. */
  readonly retired: boolean;
}

/** What was unfinished when the server stopped. */
export interface StoredFlights {
  /** By sequence. */
  readonly outgoing: readonly StoredDelivery[];
  /** Packet Identifiers of incoming QoS 2 messages that wait for PUBREL. */
  readonly incoming: readonly number[];
}

export interface SessionStoreListener {
  /** A queued message was dropped because the queue was full (`limit`) or the message too old (`age`). */
  dropped(claim: SessionClaim, sequence: number, reason: 'limit' | 'age'): void;
}

/**
 * Keeps what belongs to Sessions that outlive their connections. Calls for one Session take effect in their order, also
 * where completions are pending. A method with a completion calls it exactly once when the change is durable by the
 * policy in force, or has failed; without one nothing waits for it. No promise is made per message.
 */
export interface SessionStore {
  observe(listener: SessionStoreListener): void;
  /** Everything that outlived the last run. */
  load(): Promise<readonly RestoredSession[]>;
  /** Creates or takes over a Session. `cleanStart`: everything stored under the key is removed in the same change. */
  claim(record: SessionRecord, cleanStart: boolean, completion: StoreCompletion): SessionClaim;
  /** The connection has ended and the Session begins to wait. */
  disconnected(
    claim: SessionClaim,
    state: { readonly expiryInterval: number; readonly will: Will | null; readonly disconnectedAt: number },
    completion: StoreCompletion | null,
  ): void;
  /** The Will was published or dropped. */
  removeWill(claim: SessionClaim, completion: StoreCompletion | null): void;
  /**
   * The Session has ended, and what it leaves belongs to others: its key is free again, subscriptions, Will and incoming
   * identifiers are gone, the queue is read through this claim until `remove`, and `load` gives it back as `retired`.
   */
  retire(claim: SessionClaim): void;
  /**
   * A message leaves the queue of one Session for that of another, in one change. If it is not there any more, the target
   * is told `dropped`.
   */
  move(claim: SessionClaim, sequence: number, target: QueueTarget): void;
  /** The Session has ended. */
  remove(claim: SessionClaim, completion: StoreCompletion | null): void;
  /** `added` replaces subscriptions of equal Topic Filters. */
  saveSubscriptions(
    claim: SessionClaim,
    added: readonly StoredSubscription[],
    removed: readonly string[],
    completion: StoreCompletion,
  ): void;
  /** Stores a message for all targets or for none. A queue over its limits loses its oldest message that is not in flight. */
  enqueue(message: Message, targets: readonly QueueTarget[], completion: StoreCompletion): void;
  /** A queued message gets its Packet Identifier. QoS 2 is sent only after `completion`. */
  assign(claim: SessionClaim, sequence: number, packetIdentifier: number, completion: StoreCompletion | null): void;
  /** PUBREC came for an outgoing QoS 2 message; PUBREL follows `completion`. */
  markReceived(claim: SessionClaim, sequence: number, completion: StoreCompletion): void;
  /** An outgoing message is finished, refused by the client, or dropped. */
  settle(claim: SessionClaim, sequence: number): void;
  /** Queued messages that are not in flight, by sequence, beginning behind `after`. */
  read(claim: SessionClaim, after: number, limit: number): Promise<readonly StoredDelivery[]>;
  /** Asked once for a Session that came from `load`: when it is resumed, or when it ends and had Shared Subscriptions. */
  flights(claim: SessionClaim): Promise<StoredFlights>;
  /** An incoming QoS 2 message; PUBREC follows `completion`. */
  holdIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion): void;
  /** PUBREL came, or the message was refused; PUBCOMP follows `completion`. */
  releaseIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion | null): void;
  /** Drops queued messages that are too old; called about once a minute. `now` is epoch milliseconds. */
  expire(now: number): void;
  statistics(): { readonly sessions: number; readonly messages: number; readonly bytes: number };
}

/** Matches in byte order of their topics, as they were when the cursor was opened; expired ones are left out. */
export interface RetainedCursor {
  /** At most `limit` messages; fewer mean the end. */
  read(limit: number): readonly Message[] | Promise<readonly Message[]>;
}

/** Retained Messages of all spaces. */
export interface RetainedStore {
  load(): Promise<void>;
  /** Replaces the Retained Message of a topic; null removes it. */
  put(space: string, topicName: string, message: Message | null, completion: StoreCompletion): void;
  /** `topicFilter` is an ordinary filter; `now` is epoch milliseconds. `after`: only topics behind this one. */
  match(space: string, topicFilter: string, now: number, after?: string | null): RetainedCursor;
  /** Drops expired messages; called about once a minute. */
  expire(now: number): void;
  statistics(): { readonly messages: number; readonly bytes: number };
}
