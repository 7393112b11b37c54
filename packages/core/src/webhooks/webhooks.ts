import { type Result, refuse, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { OutboxSequence } from '../ports/outbox-store.ts';
import type { Completion } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { GroupCommit } from '../telemetry/group-commit.ts';
import { AppendBatch } from './append-batch.ts';
import { deadDelivery, waitingDelivery } from './delivery-view.ts';
import { compactMessage, messageBytes, messageProblem } from './message-check.ts';
import { OutboxChanges } from './outbox-changes.ts';
import { SharedRoom } from './shared-room.ts';
import { type QueueContext, TargetQueue } from './target-queue.ts';
import { trimQueue } from './trim-queue.ts';
import type {
  WebhookDelivery,
  WebhookDeliveryState,
  WebhookKind,
  WebhookMessage,
  WebhookOutbox,
  WebhookSender,
  WebhookService,
} from './webhook.ts';
import { DEFAULT_WEBHOOK_LIMITS, type WebhookStatistics, type WebhooksOptions } from './webhook-options.ts';

const SWEEP_MS = 60_000;

/**
 * The outbox of webhooks: puts messages down in group commits, sends them, and keeps trying. Every message is delivered at
 * least once or ends as a dead letter, also across a kill of the process; what had begun begins anew then.
 */
export class Webhooks implements WebhookOutbox, WebhookService {
  readonly #options: WebhooksOptions;
  readonly #context: QueueContext;
  readonly #appends: GroupCommit<AppendBatch>;
  readonly #kinds = new Map<string, WebhookKind>();
  readonly #queues = new Map<EntityId, TargetQueue>();
  readonly #trimming = new Set<EntityId>();
  #sender: Promise<WebhookSender> | null = null;
  #sequence: OutboxSequence = 0;
  #started: () => void = () => {};
  readonly #ready = new Promise<void>((resolve) => {
    this.#started = resolve;
  });
  /** Batches handed to the group commit and not settled, beside the bytes in them. */
  #appending = 0;
  #appendingBytes = 0;
  #onAppended: () => void = () => {};
  #stopSweep = (): void => {};
  #sweeping: Promise<void> | null = null;
  #buried = true;
  #closed = false;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { store, clock, scheduler, crypto, notice, report } = options;
    const limits = { ...DEFAULT_WEBHOOK_LIMITS, ...options.limits };
    for (const kind of options.kinds) this.#kinds.set(kind.kind, kind);
    const changes = new OutboxChanges(store, scheduler, report, () => this.#pumpAll());
    this.#context = {
      store,
      clock,
      scheduler,
      crypto,
      limits,
      changes,
      room: new SharedRoom(limits.requests, limits.heldBytes),
      kindOf: (kind) => this.#kinds.get(kind),
      sender: () => this.#loadSender(),
      count: (event, amount) => {
        if (event === 'webhook.dead') this.#buried = true;
        options.count(event, amount);
      },
      notice,
      report,
    };
    this.#appends = new GroupCommit<AppendBatch>({
      clock,
      scheduler,
      commitIntervalMs: limits.commitIntervalMs,
      open: () => new AppendBatch(),
      write: (batch) => this.#write(batch),
      settle: (batch, outcome) => this.#settle(batch, outcome),
      fault: report,
    });
  }

  /** A kind whose part of the server is made later; what waits for it goes on. */
  addKind(kind: WebhookKind): void {
    this.#kinds.set(kind.kind, kind);
    this.#pumpAll();
  }

  /** Takes up what outlived the last run. Nothing is put down before. */
  async start(): Promise<void> {
    const { store, scheduler } = this.#options;
    const { lastSequence, queues, suspended } = await store.load();
    this.#sequence = lastSequence;
    for (const { targetId, kind, messages, oldest } of queues) {
      const queue = new TargetQueue(this.#context, targetId, kind, messages, oldest - 1, lastSequence);
      this.#queues.set(targetId, queue);
    }
    for (const { targetId, url } of suspended) this.#queues.get(targetId)?.restoreSuspension(url);
    // Of a target without messages a suspension says nothing: its next one tries the address again.
    for (const { targetId } of suspended) {
      if (!this.#queues.has(targetId)) this.#context.changes.task(() => store.suspend(targetId, null));
    }
    this.#stopSweep = scheduler.every(SWEEP_MS, () => {
      this.#sweeping ??= this.#sweep().finally(() => {
        this.#sweeping = null;
      });
    });
    this.#started();
    this.#pumpAll();
  }

  enqueue(message: WebhookMessage, completion: Completion | null): void {
    const { clock, count, notice } = this.#options;
    const { kind, targetId } = message;
    const problem = this.#kinds.has(kind) ? messageProblem(message) : 'nothing signs messages of this kind';
    if (problem !== null) {
      count('webhook.refused', 1);
      notice({ text: `a message is dropped: ${problem}`, targetId, kind });
      return;
    }
    const bytes = messageBytes(message);
    if (this.#closed || this.#appendingBytes + bytes > this.#context.limits.appendBytes) {
      count(this.#closed ? 'webhook.closed' : 'webhook.full', 1);
      completion?.hold();
      completion?.release(this.#closed ? 'failed' : 'full');
      return;
    }
    const batch = this.#openBatch();
    batch.add(compactMessage(message), clock.now(), completion);
    this.#appendingBytes += bytes;
    this.#added(batch);
  }

  resume(targetId: EntityId): void {
    this.#queues.get(targetId)?.resume();
  }

  removeTarget(targetId: EntityId): void {
    if (this.#closed) return;
    this.#queues.get(targetId)?.close();
    this.#queues.delete(targetId);
    // Behind what was put down before.
    const batch = this.#openBatch();
    batch.removedTargets.push(targetId);
    this.#added(batch);
  }

  /** Newest first, whatever the query asks to sort by. */
  async deliveries(
    caller: Caller,
    state: WebhookDeliveryState,
    query: PageQuery,
  ): Promise<Result<Page<WebhookDelivery>>> {
    const role = authorizeRole(caller, 'read', 'application');
    if (role !== null) return role;
    const window = pageWindow({ ...query, sortProperty: null }, []);
    if (!window.ok) return window;
    const { store, clock } = this.#options;
    const { offset, limit } = window.value;
    if (state === 'DEAD') {
      const { letters, total } = await store.dead(caller.tenantId, offset, limit);
      return success(toPage(window.value, { records: letters, total }, deadDelivery));
    }
    const { entries, total } = await store.waiting(caller.tenantId, offset, limit);
    const shown = toPage(window.value, { records: entries, total }, (entry) => {
      const attempts = this.#queues.get(entry.message.targetId)?.attemptsOf(entry) ?? null;
      return waitingDelivery(entry, attempts, clock);
    });
    return success(shown);
  }

  async replay(caller: Caller, id: EntityId): Promise<Result<null>> {
    const role = authorizeRole(caller, 'write', 'application');
    if (role !== null) return role;
    const { store, clock, count } = this.#options;
    await this.#ready;
    this.#sequence += 1;
    const revived = await store.revive(id, caller.tenantId, this.#sequence, clock.now());
    if (revived === null) return refuse('notFound');
    if (revived === 'full') return refuse('storageFull');
    if (revived === 'failed') return refuse('storageFailed');
    count('webhook.replayed', 1);
    const queue = this.#queueOf(revived.message);
    queue.stored(revived);
    this.#goOn(queue);
    return success(null);
  }

  statistics(): WebhookStatistics {
    const { room } = this.#context;
    let waiting = 0;
    let retrying = 0;
    let suspendedTargets = 0;
    for (const queue of this.#queues.values()) {
      waiting += queue.count;
      retrying += queue.retrying;
      if (queue.suspendedUrl !== null) suspendedTargets += 1;
    }
    return {
      waiting,
      requests: room.requests,
      retrying,
      suspendedTargets,
      heldBytes: room.bytes + this.#appendingBytes,
    };
  }

  /** Puts down what was taken, leaves requests under way a moment to end, and writes what became of them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweep();
    this.#appends.hurry(true);
    if (this.#appending > 0) {
      await new Promise<void>((resolve) => {
        this.#onAppended = resolve;
      });
    }
    for (const queue of this.#queues.values()) queue.close();
    await this.#sweeping;
    await this.#idleFor(this.#context.limits.closeWaitMs);
    if (this.#sender !== null) {
      try {
        await (await this.#sender).close();
      } catch (error) {
        this.#options.report(error);
      }
      await this.#idleFor(this.#context.limits.closeWaitMs);
    }
    await this.#context.changes.close();
  }

  #openBatch(): AppendBatch {
    const batch = this.#appends.current;
    if (batch.empty) this.#appending += 1;
    return batch;
  }

  #added(batch: AppendBatch): void {
    if (batch.full) this.#appends.closeCurrent();
    else this.#appends.added();
  }

  async #write(batch: AppendBatch): Promise<WriteOutcome> {
    await this.#ready;
    if (batch.messages === 0) return 'stored';
    return this.#options.store.append(batch.entries(() => ++this.#sequence));
  }

  #settle(batch: AppendBatch, outcome: WriteOutcome): void {
    const { store, count } = this.#options;
    this.#appending -= 1;
    this.#appendingBytes -= batch.bytes;
    count(outcome === 'stored' ? 'webhook.queued' : 'webhook.notStored', batch.messages);
    if (outcome === 'stored') {
      const touched = new Set<TargetQueue>();
      for (const entry of batch.written) {
        if (batch.removedTargets.includes(entry.message.targetId)) continue;
        const queue = this.#queueOf(entry.message);
        queue.stored(entry);
        touched.add(queue);
      }
      for (const queue of touched) this.#goOn(queue);
    }
    for (const targetId of batch.removedTargets) {
      this.#context.changes.task(() => store.removeTarget(targetId));
    }
    batch.release(outcome);
    if (this.#appending === 0) this.#onAppended();
  }

  #queueOf({ targetId, kind }: WebhookMessage): TargetQueue {
    const known = this.#queues.get(targetId);
    if (known !== undefined) return known;
    const queue = new TargetQueue(this.#context, targetId, kind);
    this.#queues.set(targetId, queue);
    return queue;
  }

  #goOn(queue: TargetQueue): void {
    if (this.#closed) return;
    queue.pump();
    const limit = this.#kinds.get(queue.kind)?.policy.queueMessages ?? Number.POSITIVE_INFINITY;
    if (queue.count > limit) void this.#trim(queue, false);
  }

  async #trim(queue: TargetQueue, byAge: boolean): Promise<void> {
    const { targetId } = queue;
    if (this.#trimming.has(targetId)) return;
    this.#trimming.add(targetId);
    try {
      await trimQueue(queue, this.#context, byAge);
    } catch (error) {
      this.#options.report(error);
    } finally {
      this.#trimming.delete(targetId);
    }
  }

  /** Buries what is too old, and removes dead letters that are past their time. */
  async #sweep(): Promise<void> {
    const { store, clock, report } = this.#options;
    for (const queue of [...this.#queues.values()]) {
      if (queue.idle) this.#queues.delete(queue.targetId);
      else await this.#trim(queue, true);
      if (this.#closed) return;
      queue.pump();
    }
    try {
      if (!this.#buried) return;
      this.#buried = false;
      await store.expire(clock.now(), this.#context.limits.deadLetters);
      this.#buried = (await store.statistics()).dead > 0;
    } catch (error) {
      report(error);
    }
  }

  #pumpAll(): void {
    if (this.#closed) return;
    for (const queue of this.#queues.values()) this.#goOn(queue);
  }

  #loadSender(): Promise<WebhookSender> {
    const { sender } = this.#options;
    if (this.#sender === null) {
      const loading = typeof sender === 'function' ? sender() : Promise.resolve(sender);
      this.#sender = loading;
      loading.catch(() => {
        // The next attempt asks again.
        this.#sender = null;
      });
    }
    return this.#sender;
  }

  async #idleFor(milliseconds: number): Promise<void> {
    const { scheduler } = this.#options;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = scheduler.after(milliseconds, resolve);
    });
    await Promise.race([this.#context.room.idle(), late]);
    cancel();
  }
}
