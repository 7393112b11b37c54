import type { QoS } from '@moorage/mqtt-codec';
import type { Outbox } from './outbox.ts';
import type { PulledSource } from './payload-pull.ts';
import type { Message, StoreOutcome } from './ports.ts';
import type { Publication } from './publication.ts';
import type { PublishToken } from './publish-token.ts';
import type { StoreCompletion } from './session-store.ts';

/** How a direct push ended. */
export type PushOutcome = 'written' | 'acknowledged' | 'lost';

/** Memory that a queued message costs besides its topic and payload, estimated. */
const OVERHEAD_BYTES = 200;

/** One Session's copy of a message that is queued or unfinished. */
export class Delivery implements StoreCompletion {
  readonly outbox: Outbox;
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | null;
  /** Place in the stored queue; 0: the message is not stored and ends with the connection. */
  readonly sequence: number;
  readonly done: ((outcome: PushOutcome) => void) | null;
  /** A direct push: nobody is asked whether the client may receive it. */
  readonly pushed: boolean;
  packetIdentifier = 0;
  /** The Shared Subscription it came by, as it stands in the tree; null: none. */
  shared: string | null = null;
  /** Its publisher is this Session, and this PUBREC goes out first. mqtt.md, O-27 */
  after: PublishToken | null = null;
  /** Epoch milliseconds at which it was queued in memory. */
  queuedAt = 0;
  /** Its payload is pulled while it is sent; null: it is in the message. */
  source: PulledSource | null = null;
  /** PUBLISH has been staged once; the next time has DUP 1. [MQTT-3.3.1-1] */
  sent = false;

  constructor(
    outbox: Outbox,
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | null,
    sequence: number,
    pushed: boolean,
    done: ((outcome: PushOutcome) => void) | null,
  ) {
    this.outbox = outbox;
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.sequence = sequence;
    this.pushed = pushed;
    this.done = done;
  }

  get sizeBytes(): number {
    return this.message.payload.length + this.message.topicName.length + OVERHEAD_BYTES;
  }

  /** It is not sent, or not to the end. */
  lost(): void {
    this.source?.close();
    this.done?.('lost');
  }

  /** The store has taken this stage of an outgoing QoS 2 message. */
  release(outcome: StoreOutcome): void {
    this.outbox.stageStored(this, outcome);
  }
}

/** A Session's copy of a message that is being routed and has to outlive the call. */
export function keptDelivery(
  outbox: Outbox,
  publication: Publication,
  qos: QoS,
  retain: boolean,
  subscriptionIdentifiers: readonly number[] | null,
  sequence: number,
  after: PublishToken | null,
  shared: string | null,
): Delivery {
  const message = publication.keep();
  const delivery = new Delivery(outbox, message, qos, retain, subscriptionIdentifiers, sequence, false, null);
  delivery.after = after;
  delivery.shared = shared;
  return delivery;
}
