import type { EntityId } from '../model/entities.ts';
import type { OutboxEntry, OutboxSequence, OutboxStore } from '../ports/outbox-store.ts';
import type { Clock, Crypto, Scheduler } from '../ports/runtime.ts';
import { type AttemptOutcome, attemptOnce } from './attempt.ts';
import { type Delivery, Lane, RetryList } from './lane.ts';
import { messageBytes } from './message-check.ts';
import type { OutboxChanges } from './outbox-changes.ts';
import type { SharedRoom } from './shared-room.ts';
import type { WebhookKind, WebhookSender } from './webhook.ts';
import type { WebhookLimits, WebhookNotice } from './webhook-options.ts';

/** What all queues share. */
export interface QueueContext {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly crypto: Pick<Crypto, 'uuid' | 'randomBytes'>;
  readonly limits: WebhookLimits;
  readonly room: SharedRoom;
  readonly changes: OutboxChanges;
  readonly kindOf: (kind: string) => WebhookKind | undefined;
  readonly sender: () => Promise<WebhookSender>;
  readonly count: (event: string, amount: number) => void;
  readonly notice: (notice: WebhookNotice) => void;
  readonly report: (error: unknown) => void;
}

/** `gone`: the message is not in the store any more. `unread`: the store did not answer. `late`: it is too old to be sent. */
type RunOutcome = AttemptOutcome | 'gone' | 'unread' | 'late';

/** Messages read at once. */
const SLICE = 64;
/** Bytes of one target that were read and not begun yet, and of those that wait behind others or for a further attempt. */
const WINDOW_BYTES = 262_144;
const KEPT_BYTES = 262_144;
/** Requests at the same time to a receiver that fails all the time. */
const FAILING_CONCURRENCY = 2;
/** Pause after the store could not be read. */
const PAUSE_MS = 5_000;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * The waiting messages of one target. In memory is a window of them: those up to the cursor are being sent, wait for a
 * further attempt, or wait in the lane of their order key, mostly as numbers; those behind it are in the store alone.
 */
export class TargetQueue {
  readonly targetId: EntityId;
  readonly kind: string;
  readonly #context: QueueContext;
  readonly #window: OutboxEntry[] = [];
  readonly #lanes = new Map<string, Lane>();
  /** Lanes whose next message may go. */
  readonly #freed: Lane[] = [];
  readonly #retries = new RetryList();
  #count = 0;
  #cursor: OutboxSequence;
  #lastStored: OutboxSequence;
  #windowBytes = 0;
  #keptBytes = 0;
  #active = 0;
  /** Failures since the last success. */
  #failures = 0;
  #retryTurn = false;
  #suspendedUrl: string | null = null;
  #latestUrl: string | null = null;
  #reading = false;
  #pumping = false;
  #closed = false;
  /** Monotonic milliseconds before which the store is not read. */
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #timerAt = NEVER;
  #cancelTimer: (() => void) | null = null;

  /** A queue of messages that are in the store already, behind `cursor` and up to `lastStored`, or a new one. */
  constructor(context: QueueContext, targetId: EntityId, kind: string, count = 0, cursor = 0, lastStored = 0) {
    this.#context = context;
    this.targetId = targetId;
    this.kind = kind;
    this.#count = count;
    this.#cursor = cursor;
    this.#lastStored = lastStored;
  }

  /** Waiting messages. */
  get count(): number {
    return this.#count;
  }

  get active(): number {
    return this.#active;
  }

  get retrying(): number {
    return this.#retries.size;
  }

  get suspendedUrl(): string | null {
    return this.#suspendedUrl;
  }

  /** True if nothing would be lost with this object. */
  get idle(): boolean {
    const known = this.#cursor >= this.#lastStored && this.#window.length === 0 && this.#lanes.size === 0;
    return known && this.#count === 0 && this.#active === 0 && this.#suspendedUrl === null;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The attempts of a message so far, if it had any. */
  attemptsOf({ sequence, message }: OutboxEntry): Delivery | null {
    const delivery = this.#lanes.get(message.orderKey)?.current ?? null;
    return delivery?.sequence === sequence ? delivery : null;
  }

  /** A message has become durable at the end of the queue. `pump` follows. */
  stored(entry: OutboxEntry): void {
    const upToDate = this.#cursor >= this.#lastStored && !this.#reading;
    this.#count += 1;
    this.#lastStored = Math.max(this.#lastStored, entry.sequence);
    this.#latestUrl = entry.message.url;
    // Another address than the one that asked for the suspension: whoever is told was set up anew.
    if (this.#suspendedUrl !== null && this.#suspendedUrl !== entry.message.url) this.resume();
    if (entry.sequence <= this.#cursor || !upToDate || this.#suspendedUrl !== null) return;
    const bytes = messageBytes(entry.message);
    if (this.#windowBytes + bytes > WINDOW_BYTES || !this.#context.room.hasBytes) return;
    this.#toWindow(entry, bytes);
  }

  /** As remembered from an earlier run. */
  restoreSuspension(url: string): void {
    this.#suspendedUrl = url;
  }

  resume(): void {
    if (this.#suspendedUrl === null) return;
    this.#suspendedUrl = null;
    this.#failures = 0;
    const { store, changes } = this.#context;
    changes.task(() => store.suspend(this.targetId, null));
    this.pump();
  }

  /** Nothing is begun any more, and what fails now stays in the store as it is. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#context.room.forget(this);
    this.#dropWindow();
    this.#context.room.remove(this.#keptBytes);
    this.#keptBytes = 0;
  }

  /** Begins as many requests as may be under way. */
  pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    // One moment for all of it: what becomes due in between gets a timer.
    const now = this.#context.clock.monotonic();
    while (this.#mayBegin()) {
      const delivery = this.#next(now);
      if (delivery === null) break;
      this.#begin(delivery);
    }
    this.#fill(now);
    this.#pumping = false;
    this.#setTimer(now);
  }

  /**
   * Takes a message out, to be buried, and gives its attempts; null: it is under way or on its way out already. Called for
   * the messages of the queue in ascending order, without gaps. `letterStored` follows.
   */
  take(entry: OutboxEntry): Pick<Delivery, 'attempts' | 'lastError'> | null {
    const { sequence, message } = entry;
    const lane = this.#lanes.get(message.orderKey) ?? new Lane(message.orderKey);
    const { current } = lane;
    let taken: Pick<Delivery, 'attempts' | 'lastError'> = { attempts: 0, lastError: null };
    if (sequence > this.#cursor) this.#cursor = sequence;
    else if (current?.sequence === sequence) {
      if (current.state !== 'retrying') return null;
      this.#retries.remove(current);
      if (current.entry !== null) this.#unkeep(current.entry);
      lane.current = null;
      taken = current;
    } else if (lane.first === sequence) {
      const first = lane.shift();
      if (typeof first === 'object') this.#unkeep(first);
    } else if (this.#window[0]?.sequence === sequence) {
      this.#shiftWindow();
      this.#context.room.remove(messageBytes(message));
    } else return null;
    this.#count -= 1;
    this.#lanes.set(message.orderKey, lane);
    lane.burials += 1;
    return taken;
  }

  /** The letter of a message that was taken is durable. */
  letterStored({ message }: OutboxEntry): void {
    const lane = this.#lanes.get(message.orderKey);
    if (lane === undefined) return;
    lane.burials -= 1;
    if (lane.current === null) this.#leave(lane);
  }

  /** The store knows better how many there are. */
  recount(count: number): void {
    this.#count = count;
  }

  #mayBegin(): boolean {
    const { changes, room } = this.#context;
    const policy = this.#context.kindOf(this.kind)?.policy;
    if (policy === undefined || this.#suspendedUrl !== null || changes.blocked) return false;
    const { concurrency } = policy;
    const limit = this.#failures < 2 * concurrency ? concurrency : Math.min(concurrency, FAILING_CONCURRENCY);
    if (this.#active >= limit) return false;
    if (room.hasRequest) return true;
    room.wait(this);
    return false;
  }

  /** Retries that are due and new messages take turns, so that neither can hold up the other. */
  #next(now: number): Delivery | null {
    const first = this.#retries.first;
    const due = first !== undefined && first.dueAt <= now ? first : null;
    this.#retryTurn = !this.#retryTurn;
    if (due !== null && this.#retryTurn) return this.#again(due);
    return this.#nextOfFreed() ?? this.#fresh() ?? (due === null ? null : this.#again(due));
  }

  #again(delivery: Delivery): Delivery {
    this.#retries.remove(delivery);
    if (delivery.entry !== null) this.#keptBytes -= messageBytes(delivery.entry.message);
    return delivery;
  }

  #nextOfFreed(): Delivery | null {
    for (let lane = this.#freed.shift(); lane !== undefined; lane = this.#freed.shift()) {
      if (lane.current !== null || lane.burials > 0) continue;
      const next = lane.shift();
      if (typeof next === 'object') {
        this.#keptBytes -= messageBytes(next.message);
        return newDelivery(lane, next.sequence, next);
      }
      if (next !== undefined) return newDelivery(lane, next, null);
      this.#lanes.delete(lane.key);
    }
    return null;
  }

  /** The next message whose lane is free; those whose lane is not go behind it. */
  #fresh(): Delivery | null {
    for (let entry = this.#window[0]; entry !== undefined; entry = this.#window[0]) {
      const { orderKey } = entry.message;
      const lane = this.#lanes.get(orderKey);
      if (lane === undefined) {
        if (this.#retries.size >= this.#context.limits.retrying) return null;
        this.#shiftWindow();
        const free = new Lane(orderKey);
        this.#lanes.set(orderKey, free);
        return newDelivery(free, entry.sequence, entry);
      }
      this.#shiftWindow();
      const bytes = messageBytes(entry.message);
      const kept = lane.takesContents && this.#mayKeep(bytes);
      lane.push(kept ? entry : entry.sequence);
      if (kept) this.#keptBytes += bytes;
      else this.#context.room.remove(bytes);
    }
    return null;
  }

  #begin(delivery: Delivery): void {
    this.#active += 1;
    delivery.state = 'active';
    delivery.lane.current = delivery;
    this.#context.room.begin();
    void this.#run(delivery).then((outcome) => {
      this.#active -= 1;
      this.#context.room.end();
      this.#ended(delivery, outcome);
      this.pump();
    });
  }

  async #run(delivery: Delivery): Promise<RunOutcome> {
    const { clock, kindOf, sender, report } = this.#context;
    try {
      delivery.entry ??= await this.#load(delivery);
    } catch (error) {
      report(error);
      return 'unread';
    }
    const { entry } = delivery;
    if (entry === null) return 'gone';
    const kind = kindOf(entry.message.kind);
    if (kind === undefined) return { kind: 'failed', reason: 'nothing signs messages of this kind', final: false };
    if (clock.now() - entry.createdTime > kind.policy.queueAgeMs) return 'late';
    // Receivers refuse what is signed with an older time than the attempt before.
    delivery.signedAt = Math.max(clock.now(), delivery.signedAt + 1);
    return attemptOnce(entry, kind, sender, delivery.signedAt, report);
  }

  #ended(delivery: Delivery, outcome: RunOutcome): void {
    const { count, changes, room } = this.#context;
    const { entry, lane, sequence } = delivery;
    const over = isOver(outcome);
    if (over) {
      count(`webhook.${outcome.kind}`, 1);
      changes.settle(sequence);
      this.#count -= 1;
      if (outcome.kind === 'delivered') this.#failures = 0;
    }
    if (over || outcome === 'gone' || this.#closed) {
      if (entry !== null) room.remove(messageBytes(entry.message));
      this.#leave(lane);
    } else if (outcome === 'unread') this.#retry(delivery, PAUSE_MS);
    else if (outcome === 'late') {
      delivery.lastError ??= 'it waited for too long';
      this.#bury(delivery);
    } else this.#failed(delivery, outcome);
  }

  #failed(delivery: Delivery, outcome: Extract<AttemptOutcome, { kind: 'failed' | 'suspended' }>): void {
    const url = delivery.entry?.message.url ?? '';
    if (outcome.kind === 'suspended' && (this.#latestUrl ?? url) === url) {
      this.#retry(delivery, 0);
      this.#suspend(url, outcome.reason);
      return;
    }
    this.#context.count('webhook.attemptFailed', 1);
    this.#failures += 1;
    delivery.attempts += 1;
    delivery.lastError = outcome.reason;
    const delays = this.#context.kindOf(this.kind)?.policy.retryDelaysMs ?? [];
    const delayMs = delays[delivery.attempts - 1];
    // A suspension of an address that is not in use any more ends this message alone.
    const final = outcome.kind === 'suspended' || outcome.final;
    if (final || delayMs === undefined) this.#bury(delivery);
    else this.#retry(delivery, Math.round(delayMs * (1 + this.#random() / 10)));
  }

  #retry(delivery: Delivery, delayMs: number): void {
    delivery.state = 'retrying';
    delivery.dueAt = this.#context.clock.monotonic() + delayMs;
    if (delivery.entry !== null) {
      const bytes = messageBytes(delivery.entry.message);
      if (this.#mayKeep(bytes)) this.#keptBytes += bytes;
      else {
        this.#context.room.remove(bytes);
        delivery.entry = null;
      }
    }
    this.#retries.insert(delivery);
  }

  /** The lane goes on when the letter is durable: its messages must not arrive before one that is tried again after a crash. */
  #bury(delivery: Delivery): void {
    const { changes, crypto, clock, limits, room, count } = this.#context;
    const { entry, lane, sequence, attempts } = delivery;
    delivery.state = 'buried';
    this.#count -= 1;
    if (entry !== null) room.remove(messageBytes(entry.message));
    delivery.entry = null;
    count('webhook.dead', 1);
    const lastError = delivery.lastError ?? 'it was not tried';
    const expiresTime = clock.now() + limits.deadLetterMs;
    void changes.bury({ id: crypto.uuid(), sequence, attempts, lastError, expiresTime }).then(() => {
      this.#leave(lane);
      this.pump();
    });
  }

  #suspend(url: string, reason: string): void {
    const { store, changes, count, notice } = this.#context;
    if (this.#suspendedUrl !== null) return;
    this.#suspendedUrl = url;
    this.#dropWindow();
    count('webhook.suspended', 1);
    notice({
      text: `nothing more is sent until it is saved again: ${reason}`,
      targetId: this.targetId,
      kind: this.kind,
    });
    changes.task(() => store.suspend(this.targetId, url));
  }

  #leave(lane: Lane): void {
    lane.current = null;
    if (lane.burials > 0) return;
    if (lane.length > 0) this.#freed.push(lane);
    else this.#lanes.delete(lane.key);
  }

  /** Reads a message again, and on the way contents that other lanes will need soon. */
  async #load({ sequence }: Delivery): Promise<OutboxEntry | null> {
    const { store, room } = this.#context;
    const limit = room.hasSpareBytes ? SLICE : 1;
    const entries = await store.read(this.targetId, sequence - 1, limit);
    let wanted: OutboxEntry | null = null;
    for (const entry of entries) {
      const bytes = messageBytes(entry.message);
      if (entry.sequence === sequence) {
        room.add(bytes);
        wanted = entry;
      } else if (!this.#closed && this.#mayKeep(bytes) && this.#lanes.get(entry.message.orderKey)?.fill(entry)) {
        this.#keptBytes += bytes;
        room.add(bytes);
      }
    }
    return wanted;
  }

  /** Reads what comes behind the cursor. */
  #fill(now: number): void {
    const { store, room, clock, limits, report } = this.#context;
    const policy = this.#context.kindOf(this.kind)?.policy;
    if (policy === undefined || this.#closed || this.#reading || this.#suspendedUrl !== null) return;
    if (this.#cursor >= this.#lastStored || this.#window.length >= policy.concurrency) return;
    if (this.#retries.size >= limits.retrying || now < this.#pausedUntil) return;
    // One message at least, however little room there is: a target must not wait for others for ever.
    const limit = room.hasBytes ? SLICE : this.#window.length + this.#active === 0 ? 1 : 0;
    if (limit === 0) {
      room.wait(this);
      return;
    }
    this.#reading = true;
    const upTo = this.#lastStored;
    store.read(this.targetId, this.#cursor, limit).then(
      (entries) => {
        this.#reading = false;
        if (!this.#closed && this.#suspendedUrl === null) this.#filled(entries, upTo);
        this.pump();
      },
      (error: unknown) => {
        report(error);
        this.#reading = false;
        this.#pausedUntil = clock.monotonic() + PAUSE_MS;
        this.pump();
      },
    );
  }

  #filled(entries: readonly OutboxEntry[], upTo: OutboxSequence): void {
    for (const entry of entries) {
      if (entry.sequence <= this.#cursor) continue;
      const bytes = messageBytes(entry.message);
      if (this.#windowBytes + bytes > WINDOW_BYTES && this.#window.length > 0) return;
      this.#toWindow(entry, bytes);
    }
    if (entries.length === 0) this.#cursor = Math.max(this.#cursor, upTo);
  }

  #toWindow(entry: OutboxEntry, bytes: number): void {
    this.#window.push(entry);
    this.#cursor = entry.sequence;
    this.#windowBytes += bytes;
    this.#context.room.add(bytes);
  }

  #shiftWindow(): void {
    const entry = this.#window.shift();
    if (entry !== undefined) this.#windowBytes -= messageBytes(entry.message);
  }

  /** Forgets what was read and not begun; it is read again. */
  #dropWindow(): void {
    const first = this.#window[0];
    if (first === undefined) return;
    this.#cursor = first.sequence - 1;
    this.#window.length = 0;
    this.#context.room.remove(this.#windowBytes);
    this.#windowBytes = 0;
  }

  #mayKeep(bytes: number): boolean {
    return this.#keptBytes + bytes <= KEPT_BYTES && this.#context.room.hasSpareBytes && !this.#closed;
  }

  #unkeep(entry: OutboxEntry): void {
    const bytes = messageBytes(entry.message);
    this.#keptBytes -= bytes;
    this.#context.room.remove(bytes);
  }

  /** 0 to 1. */
  #random(): number {
    return (this.#context.crypto.randomBytes(1)[0] ?? 0) / 255;
  }

  #setTimer(now: number): void {
    const { scheduler } = this.#context;
    const retryAt = this.#suspendedUrl === null ? (this.#retries.first?.dueAt ?? NEVER) : NEVER;
    const readAt = this.#cursor < this.#lastStored ? this.#pausedUntil : Number.NEGATIVE_INFINITY;
    // What is due already waits for room, and is begun when there is some.
    const at = Math.min(retryAt > now ? retryAt : NEVER, readAt > now ? readAt : NEVER);
    if (at === this.#timerAt && this.#cancelTimer !== null) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = at;
    if (at === NEVER || this.#closed) return;
    this.#cancelTimer = scheduler.after(at - now, () => {
      this.#cancelTimer = null;
      this.pump();
    });
  }
}

function isOver(outcome: RunOutcome): outcome is Extract<AttemptOutcome, { kind: 'delivered' | 'unwanted' }> {
  return typeof outcome === 'object' && (outcome.kind === 'delivered' || outcome.kind === 'unwanted');
}

function newDelivery(lane: Lane, sequence: OutboxSequence, entry: OutboxEntry | null): Delivery {
  return { sequence, lane, entry, attempts: 0, lastError: null, dueAt: 0, signedAt: 0, state: 'active' };
}
