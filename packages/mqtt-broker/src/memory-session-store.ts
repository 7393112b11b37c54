import type { Will } from '@moorage/mqtt-codec';
import type { Message } from './ports.ts';
import type {
  QueueTarget,
  RestoredSession,
  SessionClaim,
  SessionRecord,
  SessionStore,
  SessionStoreListener,
  StoreCompletion,
  StoredDelivery,
  StoredFlights,
  StoredSubscription,
} from './session-store.ts';

/** Memory that a stored message costs besides its topic and payload, estimated. */
const OVERHEAD_BYTES = 200;

/** Keys of retired Sessions begin with a character that is in no key. */
const RETIRED = '\uffff';

interface Entry {
  readonly sequence: number;
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | null;
  readonly enqueuedAt: number;
  readonly shared: string | null;
  packetIdentifier: number;
  received: boolean;
}

class MemoryClaim implements SessionClaim {
  key: string;
  record: SessionRecord;
  retired = false;
  disconnectedAt: number | null = null;
  lastSequence = 0;
  lastPacketIdentifier = 0;
  readonly subscriptions = new Map<string, StoredSubscription>();
  /** By sequence, ascending. */
  readonly entries = new Map<number, Entry>();
  readonly incoming = new Set<number>();
  bytes = 0;

  constructor(record: SessionRecord) {
    this.key = record.key;
    this.record = record;
  }
}

/** Keeps Sessions in this process: they outlive connections, not the server. Every completion comes within the call. */
export class MemorySessionStore implements SessionStore {
  readonly #now: () => number;
  readonly #maximumBytes: number;
  readonly #sessions = new Map<string, MemoryClaim>();
  #listener: SessionStoreListener = { dropped(): void {} };
  #messages = 0;
  #bytes = 0;
  #lastRetired = 0;

  /** `now` gives epoch milliseconds; a message that would exceed `maximumBytes` over all Sessions is refused as `full`. */
  constructor(now: () => number, maximumBytes = 1_073_741_824) {
    this.#now = now;
    this.#maximumBytes = maximumBytes;
  }

  observe(listener: SessionStoreListener): void {
    this.#listener = listener;
  }

  load(): Promise<readonly RestoredSession[]> {
    const restored: RestoredSession[] = [];
    for (const claim of this.#sessions.values()) {
      const { record, disconnectedAt, lastSequence, lastPacketIdentifier, retired } = claim;
      const subscriptions = [...claim.subscriptions.values()];
      const queuedMessages = claim.entries.size;
      restored.push({
        claim,
        record,
        subscriptions,
        disconnectedAt,
        lastSequence,
        lastPacketIdentifier,
        queuedMessages,
        retired,
      });
    }
    return Promise.resolve(restored);
  }

  claim(record: SessionRecord, cleanStart: boolean, completion: StoreCompletion): SessionClaim {
    let claim = this.#sessions.get(record.key);
    if (claim !== undefined && cleanStart) {
      this.#erase(claim);
      claim = undefined;
    }
    if (claim === undefined) {
      claim = new MemoryClaim(record);
      this.#sessions.set(record.key, claim);
    }
    claim.record = record;
    claim.disconnectedAt = null;
    completion.release('stored');
    return claim;
  }

  disconnected(
    claim: SessionClaim,
    state: { readonly expiryInterval: number; readonly will: Will | null; readonly disconnectedAt: number },
    completion: StoreCompletion | null,
  ): void {
    const held = this.#held(claim);
    if (held !== undefined) {
      held.record = { ...held.record, expiryInterval: state.expiryInterval, will: state.will };
      held.disconnectedAt = state.disconnectedAt;
    }
    completion?.release('stored');
  }

  removeWill(claim: SessionClaim, completion: StoreCompletion | null): void {
    const held = this.#held(claim);
    if (held !== undefined) held.record = { ...held.record, will: null };
    completion?.release('stored');
  }

  retire(claim: SessionClaim): void {
    const held = this.#held(claim);
    if (held === undefined) return;
    this.#sessions.delete(held.key);
    held.key = `${RETIRED}${++this.#lastRetired}`;
    held.record = { ...held.record, key: held.key, will: null };
    held.retired = true;
    held.subscriptions.clear();
    held.incoming.clear();
    this.#sessions.set(held.key, held);
  }

  move(claim: SessionClaim, sequence: number, target: QueueTarget): void {
    const held = this.#held(claim);
    const to = this.#held(target.claim);
    const entry = held?.entries.get(sequence);
    if (held !== undefined && entry !== undefined) this.#delete(held, entry);
    if (to === undefined) return;
    if (entry === undefined) {
      this.#listener.dropped(to, target.sequence, 'age');
      return;
    }
    this.#add(to, entry.message, target, entry.enqueuedAt);
  }

  remove(claim: SessionClaim, completion: StoreCompletion | null): void {
    const held = this.#held(claim);
    if (held !== undefined) this.#erase(held);
    completion?.release('stored');
  }

  saveSubscriptions(
    claim: SessionClaim,
    added: readonly StoredSubscription[],
    removed: readonly string[],
    completion: StoreCompletion,
  ): void {
    const held = this.#held(claim);
    for (const topicFilter of removed) held?.subscriptions.delete(topicFilter);
    for (const subscription of added) held?.subscriptions.set(subscription.topicFilter, subscription);
    completion.release('stored');
  }

  enqueue(message: Message, targets: readonly QueueTarget[], completion: StoreCompletion): void {
    const sizeBytes = sizeOf(message);
    if (this.#bytes + sizeBytes * targets.length > this.#maximumBytes) {
      for (const target of targets) target.completion?.release('full');
      completion.release('full');
      return;
    }
    const enqueuedAt = this.#now();
    for (const target of targets) {
      const held = this.#held(target.claim);
      if (held !== undefined) this.#add(held, message, target, enqueuedAt);
    }
    for (const target of targets) target.completion?.release('stored');
    completion.release('stored');
  }

  assign(claim: SessionClaim, sequence: number, packetIdentifier: number, completion: StoreCompletion | null): void {
    const held = this.#held(claim);
    const entry = held?.entries.get(sequence);
    if (entry !== undefined) entry.packetIdentifier = packetIdentifier;
    if (held !== undefined) held.lastPacketIdentifier = packetIdentifier;
    completion?.release('stored');
  }

  markReceived(claim: SessionClaim, sequence: number, completion: StoreCompletion): void {
    const entry = this.#held(claim)?.entries.get(sequence);
    if (entry !== undefined) entry.received = true;
    completion.release('stored');
  }

  settle(claim: SessionClaim, sequence: number): void {
    const held = this.#held(claim);
    const entry = held?.entries.get(sequence);
    if (held !== undefined && entry !== undefined) this.#delete(held, entry);
  }

  read(claim: SessionClaim, after: number, limit: number): Promise<readonly StoredDelivery[]> {
    const page: StoredDelivery[] = [];
    for (const entry of this.#held(claim)?.entries.values() ?? []) {
      if (page.length >= limit) break;
      if (entry.sequence > after && entry.packetIdentifier === 0) page.push({ ...entry });
    }
    return Promise.resolve(page);
  }

  flights(claim: SessionClaim): Promise<StoredFlights> {
    const held = this.#held(claim);
    const outgoing: StoredDelivery[] = [];
    for (const entry of held?.entries.values() ?? []) if (entry.packetIdentifier > 0) outgoing.push({ ...entry });
    return Promise.resolve({ outgoing, incoming: [...(held?.incoming ?? [])] });
  }

  holdIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion): void {
    this.#held(claim)?.incoming.add(packetIdentifier);
    completion.release('stored');
  }

  releaseIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion | null): void {
    this.#held(claim)?.incoming.delete(packetIdentifier);
    completion?.release('stored');
  }

  expire(now: number): void {
    for (const held of this.#sessions.values()) {
      const { ageMs } = held.record.queue;
      for (const entry of held.entries.values()) {
        if (entry.packetIdentifier > 0) continue;
        const tooOld = now - entry.enqueuedAt >= ageMs;
        // Entries are in order of age; one that is young enough ends the search unless messages expire by themselves.
        if (!tooOld && entry.message.expiresAt > now) continue;
        this.#delete(held, entry);
        this.#listener.dropped(held, entry.sequence, 'age');
      }
    }
  }

  statistics(): { readonly sessions: number; readonly messages: number; readonly bytes: number } {
    return { sessions: this.#sessions.size, messages: this.#messages, bytes: this.#bytes };
  }

  /** The Session if the claim is still the last one of its key. */
  #held(claim: SessionClaim): MemoryClaim | undefined {
    const held = this.#sessions.get(claim.key);
    return held === claim ? held : undefined;
  }

  #add(held: MemoryClaim, message: Message, target: QueueTarget, enqueuedAt: number): void {
    const { sequence, qos, retain, subscriptionIdentifiers, packetIdentifier, shared = null } = target;
    const entry = {
      sequence,
      message,
      qos,
      retain,
      subscriptionIdentifiers,
      enqueuedAt,
      shared,
      packetIdentifier,
      received: false,
    };
    const sizeBytes = sizeOf(message);
    held.entries.set(sequence, entry);
    held.lastSequence = sequence;
    if (packetIdentifier > 0) held.lastPacketIdentifier = packetIdentifier;
    held.bytes += sizeBytes;
    this.#bytes += sizeBytes;
    this.#messages++;
    this.#shorten(held);
  }

  /** The oldest message that is not in flight goes. mqtt.md, O-11 */
  #shorten(held: MemoryClaim): void {
    const { messages, bytes } = held.record.queue;
    if (held.entries.size <= messages && held.bytes <= bytes) return;
    for (const entry of held.entries.values()) {
      if (entry.packetIdentifier > 0) continue;
      this.#delete(held, entry);
      this.#listener.dropped(held, entry.sequence, 'limit');
      if (held.entries.size <= messages && held.bytes <= bytes) return;
    }
  }

  #delete(held: MemoryClaim, entry: Entry): void {
    held.entries.delete(entry.sequence);
    const sizeBytes = sizeOf(entry.message);
    held.bytes -= sizeBytes;
    this.#bytes -= sizeBytes;
    this.#messages--;
  }

  #erase(held: MemoryClaim): void {
    this.#sessions.delete(held.key);
    this.#messages -= held.entries.size;
    this.#bytes -= held.bytes;
  }
}

function sizeOf(message: Message): number {
  return message.payload.length + message.topicName.length + OVERHEAD_BYTES;
}
