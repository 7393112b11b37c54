import type { PointFault } from './point-rules.ts';

/**
 * Why a message was dropped although the store would have taken it. Such a message is acknowledged all the same: its
 * content is checked after the acknowledgement. thingsboard-device.md, 2.2
 */
export type MessageFault = PointFault | 'tooManySeries' | 'ownerRemoved';

/** Why a message was not stored; the last two are the store's doing and are never acknowledged. */
export type DropReason = MessageFault | 'storageFull' | 'storageFailed';

/** Plain sentences for the connection log. */
export const MESSAGE_FAULT_TEXTS: Readonly<Record<MessageFault, string>> = {
  invalidKey: 'The message was dropped: a key is blank, has a null character, or is longer than 255 characters.',
  invalidTime: 'The message was dropped: a time stamp is not a whole number of milliseconds that a date can have.',
  invalidValue: 'The message was dropped: a value does not fit its type.',
  tooManySeries: 'The message was dropped: the device would have more series than the server allows.',
  ownerRemoved: 'The message was dropped: the device was deleted meanwhile.',
};

/** Messages, and the points or attribute values in them. */
export interface FlowCount {
  readonly messages: number;
  readonly points: number;
}

/** received = stored + every dropped + waiting, at every moment. */
export interface FlowSnapshot {
  readonly received: FlowCount;
  readonly stored: FlowCount;
  readonly waiting: FlowCount;
  readonly dropped: Readonly<Record<DropReason, FlowCount>>;
}

class Count {
  messages = 0;
  points = 0;

  add(messages: number, points: number): void {
    this.messages += messages;
    this.points += points;
  }

  snapshot(): FlowCount {
    return { messages: this.messages, points: this.points };
  }
}

/** Counts one kind of traffic so that nothing can vanish unseen. */
export class FlowCounters {
  readonly #received = new Count();
  readonly #stored = new Count();
  readonly #waiting = new Count();
  readonly #dropped: Record<DropReason, Count> = {
    invalidKey: new Count(),
    invalidTime: new Count(),
    invalidValue: new Count(),
    tooManySeries: new Count(),
    ownerRemoved: new Count(),
    storageFull: new Count(),
    storageFailed: new Count(),
  };

  get waitingMessages(): number {
    return this.#waiting.messages;
  }

  received(points: number): void {
    this.#received.add(1, points);
    this.#waiting.add(1, points);
  }

  stored(messages: number, points: number): void {
    this.#waiting.add(-messages, -points);
    this.#stored.add(messages, points);
  }

  dropped(reason: DropReason, messages: number, points: number): void {
    this.#waiting.add(-messages, -points);
    this.#dropped[reason].add(messages, points);
  }

  snapshot(): FlowSnapshot {
    const dropped = this.#dropped;
    return {
      received: this.#received.snapshot(),
      stored: this.#stored.snapshot(),
      waiting: this.#waiting.snapshot(),
      dropped: {
        invalidKey: dropped.invalidKey.snapshot(),
        invalidTime: dropped.invalidTime.snapshot(),
        invalidValue: dropped.invalidValue.snapshot(),
        tooManySeries: dropped.tooManySeries.snapshot(),
        ownerRemoved: dropped.ownerRemoved.snapshot(),
        storageFull: dropped.storageFull.snapshot(),
        storageFailed: dropped.storageFailed.snapshot(),
      },
    };
  }
}
