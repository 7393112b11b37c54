import { type QoS, ReasonCode } from '@moorage/mqtt-codec';
import type { Inbox } from './inbox.ts';
import type { AckToken, StoreOutcome } from './ports.ts';

const SEVERITY: Readonly<Record<StoreOutcome, number>> = { stored: 0, full: 1, failed: 2 };

/** The token of QoS 0 messages: nothing waits for it. */
export const NO_ACKNOWLEDGEMENT: AckToken = {
  hold(): void {},
  release(): void {},
};

/** The acknowledgement owed for one QoS 1 or 2 message. */
export class PublishToken implements AckToken {
  readonly packetIdentifier: number;
  readonly qos: QoS;
  /** Monotonic milliseconds. */
  readonly takenAtMs: number;
  reasonCode: ReasonCode = ReasonCode.Success;
  outcome: StoreOutcome = 'stored';
  /** A repetition on a newer connection that waits for the same commit. */
  follower: PublishToken | null = null;
  /** PUBACK or PUBREC has been staged, or never will be. */
  answered = false;
  /** A copy for the publisher itself waits for the answer. mqtt.md, O-27 */
  awaited = false;
  readonly #inbox: Inbox;
  /** The call that hands the token out counts as one. */
  #holds = 1;
  #held = false;

  constructor(inbox: Inbox, packetIdentifier: number, qos: QoS, takenAtMs: number) {
    this.#inbox = inbox;
    this.packetIdentifier = packetIdentifier;
    this.qos = qos;
    this.takenAtMs = takenAtMs;
  }

  get settled(): boolean {
    return this.#holds === 0;
  }

  /** Somebody has taken an interest in the message, be it over or not. */
  get held(): boolean {
    return this.#held;
  }

  hold(): void {
    this.#held = true;
    this.#holds++;
  }

  release(outcome: StoreOutcome): void {
    if (this.#holds === 0) return;
    if (SEVERITY[outcome] > SEVERITY[this.outcome]) this.outcome = outcome;
    this.#holds--;
    if (this.#holds > 0) return;
    this.#inbox.settled(this);
    this.follower?.release(this.outcome);
  }
}
