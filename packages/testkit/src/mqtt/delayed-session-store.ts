import type {
  QueueTarget,
  SessionClaim,
  SessionRecord,
  SessionStore,
  SessionStoreListener,
  StoreCompletion,
  StoredSubscription,
  StoreOutcome,
} from '@moorage/mqtt-broker';

type Message = Parameters<SessionStore['enqueue']>[0];

/** A store whose commits end when a test says so: group commit without a disk. Changes are made at once, told later. */
export class DelayedSessionStore implements SessionStore {
  readonly #store: SessionStore;
  #owed: { readonly completion: StoreCompletion; readonly outcome: StoreOutcome }[] = [];
  /** What every commit that begins from now on ends with. */
  outcome: StoreOutcome = 'stored';

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** Completions that wait. */
  get pending(): number {
    return this.#owed.length;
  }

  /** Ends the commit under way, and not those that its completions begin. */
  commit(): void {
    const owed = this.#owed;
    this.#owed = [];
    for (const { completion, outcome } of owed) completion.release(outcome);
  }

  observe(listener: SessionStoreListener): void {
    this.#store.observe(listener);
  }

  load(): ReturnType<SessionStore['load']> {
    return this.#store.load();
  }

  claim(record: SessionRecord, cleanStart: boolean, completion: StoreCompletion): SessionClaim {
    return this.#store.claim(record, cleanStart, this.#later(completion));
  }

  disconnected(...args: Parameters<SessionStore['disconnected']>): void {
    this.#store.disconnected(args[0], args[1], args[2] === null ? null : this.#later(args[2]));
  }

  removeWill(claim: SessionClaim, completion: StoreCompletion | null): void {
    this.#store.removeWill(claim, completion === null ? null : this.#later(completion));
  }

  retire(claim: SessionClaim): void {
    this.#store.retire(claim);
  }

  move(...args: Parameters<SessionStore['move']>): void {
    this.#store.move(...args);
  }

  remove(claim: SessionClaim, completion: StoreCompletion | null): void {
    this.#store.remove(claim, completion === null ? null : this.#later(completion));
  }

  saveSubscriptions(
    claim: SessionClaim,
    added: readonly StoredSubscription[],
    removed: readonly string[],
    completion: StoreCompletion,
  ): void {
    this.#store.saveSubscriptions(claim, added, removed, this.#later(completion));
  }

  enqueue(message: Message, targets: readonly QueueTarget[], completion: StoreCompletion): void {
    const delayed = targets.map((target) => {
      const { completion: own } = target;
      return own === null ? target : { ...target, completion: this.#later(own) };
    });
    this.#store.enqueue(message, delayed, this.#later(completion));
  }

  assign(claim: SessionClaim, sequence: number, packetIdentifier: number, completion: StoreCompletion | null): void {
    this.#store.assign(claim, sequence, packetIdentifier, completion === null ? null : this.#later(completion));
  }

  markReceived(claim: SessionClaim, sequence: number, completion: StoreCompletion): void {
    this.#store.markReceived(claim, sequence, this.#later(completion));
  }

  settle(claim: SessionClaim, sequence: number): void {
    this.#store.settle(claim, sequence);
  }

  read(...args: Parameters<SessionStore['read']>): ReturnType<SessionStore['read']> {
    return this.#store.read(...args);
  }

  flights(claim: SessionClaim): ReturnType<SessionStore['flights']> {
    return this.#store.flights(claim);
  }

  holdIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion): void {
    this.#store.holdIncoming(claim, packetIdentifier, this.#later(completion));
  }

  releaseIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion | null): void {
    this.#store.releaseIncoming(claim, packetIdentifier, completion === null ? null : this.#later(completion));
  }

  expire(now: number): void {
    this.#store.expire(now);
  }

  statistics(): ReturnType<SessionStore['statistics']> {
    return this.#store.statistics();
  }

  #later(completion: StoreCompletion): StoreCompletion {
    return {
      release: (outcome) => {
        this.#owed.push({ completion, outcome: outcome === 'stored' ? this.outcome : outcome });
      },
    };
  }
}
