import type { Connection } from './connection.ts';
import type { BrokerContext } from './context.ts';

/**
 * Publishers that are not read because the queue of one Session is long. TCP carries it back to them. A publisher's
 * patience is bounded, so that a client that never acknowledges cannot stop it: then the queue drops. performance.md, section 8
 */
export class BackPressure {
  readonly #context: BrokerContext;
  #held: Set<Connection> | null = null;
  /** A publisher's patience is over: nobody is held until the queue is short again. */
  #shedding = false;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  get active(): boolean {
    return this.#held !== null || this.#shedding;
  }

  hold(publisher: Connection): void {
    if (this.#shedding) return;
    this.#held ??= new Set();
    this.#held.add(publisher);
    publisher.patience.holdBack(this);
  }

  /** The queue is short again, or nobody waits for it any more. */
  release(): void {
    this.#shedding = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) for (const publisher of held) publisher.patience.letGo(this);
  }

  /** A publisher waits no longer: its connection is gone, or its patience is over. */
  forget(publisher: Connection, patienceIsOver: boolean): void {
    this.#held?.delete(publisher);
    if (this.#held?.size === 0) this.#held = null;
    if (!patienceIsOver || this.#shedding) return;
    this.#shedding = true;
    this.#context.count('queue.shedding');
  }
}
