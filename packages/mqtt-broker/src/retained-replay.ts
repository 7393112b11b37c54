import type { QoS } from '@moorage/mqtt-codec';
import type { BrokerContext } from './context.ts';
import type { Outbox } from './outbox.ts';
import type { Message } from './ports.ts';
import type { RetainedCursor } from './session-store.ts';

/** Messages read from the store at once. */
const PAGE = 100;

/** Retained Messages owed to one new subscription. */
export interface ReplayJob {
  readonly cursor: RetainedCursor;
  readonly grantedQoS: QoS;
  readonly subscriptionIdentifiers: readonly number[] | null;
}

/** One Retained Message in its turn. */
export interface ReplayedMessage {
  readonly message: Message;
  readonly grantedQoS: QoS;
  readonly subscriptionIdentifiers: readonly number[] | null;
}

/**
 * Hands Retained Messages out one by one, subscription after subscription, as fast as the connection takes them and at
 * most a slice in a turn. Live messages of the Session wait behind it. mqtt.md, O-19
 */
export class RetainedReplay {
  readonly #context: BrokerContext;
  readonly #outbox: Outbox;
  readonly #jobs: ReplayJob[];
  #page: readonly Message[] = [];
  #index = 0;
  #lastPage = false;
  #reading = false;
  #closed = false;
  #slice = 0;

  constructor(context: BrokerContext, outbox: Outbox, jobs: ReplayJob[]) {
    this.#context = context;
    this.#outbox = outbox;
    this.#jobs = jobs;
  }

  append(later: RetainedReplay): void {
    this.#jobs.push(...later.#jobs);
  }

  close(): void {
    this.#closed = true;
  }

  /** The next message; `later`: the outbox is called again when there is one. */
  next(): ReplayedMessage | 'later' | 'end' {
    for (;;) {
      const job = this.#jobs[0];
      if (job === undefined) return 'end';
      const message = this.#page[this.#index];
      if (message !== undefined) {
        if (this.#slice < this.#context.limits.retainedSlice) return { message, ...job };
        this.#slice = 0;
        this.#context.goOnLater(this.#outbox);
        return 'later';
      }
      if (this.#lastPage) {
        this.#jobs.shift();
        this.#page = [];
        this.#index = 0;
        this.#lastPage = false;
      } else if (!this.#read(job)) return 'later';
    }
  }

  /** The message that `next` gave has been dealt with. */
  taken(): void {
    this.#index++;
    this.#slice++;
  }

  #read(job: ReplayJob): boolean {
    if (this.#reading) return false;
    const page = job.cursor.read(PAGE);
    if (!(page instanceof Promise)) {
      this.#turn(page);
      return true;
    }
    this.#reading = true;
    page.then(
      (messages) => {
        this.#reading = false;
        this.#turn(messages);
        if (!this.#closed) this.#outbox.pump();
      },
      () => {
        this.#reading = false;
        this.#turn([]);
        this.#context.count('retained.readFailed');
        if (!this.#closed) this.#outbox.pump();
      },
    );
    return false;
  }

  #turn(messages: readonly Message[]): void {
    this.#page = messages;
    this.#index = 0;
    this.#lastPage = messages.length < PAGE;
  }
}
