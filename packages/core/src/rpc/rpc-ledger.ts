import { type PlatformError, refuse } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { RpcRecord, RpcStatus } from '../model/rpc-record.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import { type RpcEntry, RpcQueue } from './rpc-entry.ts';
import { type RpcObserver, RpcWriter } from './rpc-writer.ts';

export interface RpcLedgerOptions {
  readonly repositories: Pick<Repositories, 'commit' | 'document'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly observer: RpcObserver;
  /** Answers to this command are not expected any more. */
  readonly forget: (deviceId: EntityId, commandId: number) => void;
  /** Unfinished RPC of one device; further ones are refused. Default 100. */
  readonly maxUnfinishedPerDevice?: number;
  /** Default 100,000. */
  readonly maxUnfinished?: number;
}

/** States reached since the start, and what is under way. */
export interface PersistentRpcCounters {
  readonly unfinished: number;
  /** States that are not durable yet. */
  readonly unsaved: number;
  readonly states: Readonly<Record<RpcStatus, number>>;
  /** Acknowledgements of what had ended already. */
  readonly lateDeliveries: number;
}

/** The unfinished RPC in memory, device by device, and their way into the store. */
export class RpcLedger {
  readonly #options: RpcLedgerOptions;
  readonly #writer: RpcWriter;
  readonly #queues = new Map<EntityId, RpcQueue>();
  readonly #states: Record<RpcStatus, number> = {
    QUEUED: 0,
    SENT: 0,
    DELIVERED: 0,
    SUCCESSFUL: 0,
    TIMEOUT: 0,
    EXPIRED: 0,
    FAILED: 0,
    DELETED: 0,
  };
  #unfinished = 0;
  lateDeliveries = 0;
  /** No entry expires before. Epoch milliseconds */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(options: RpcLedgerOptions) {
    this.#options = options;
    const { repositories, scheduler, observer } = options;
    this.#writer = new RpcWriter({ repositories, scheduler, observer, vanished: (entry) => this.take(entry) });
  }

  counters(): PersistentRpcCounters {
    return {
      unfinished: this.#unfinished,
      unsaved: this.#writer.waiting,
      states: { ...this.#states },
      lateDeliveries: this.lateDeliveries,
    };
  }

  queue(deviceId: EntityId): RpcQueue | undefined {
    return this.#queues.get(deviceId);
  }

  find(record: RpcRecord): RpcEntry | undefined {
    return this.#queues.get(record.deviceId)?.entries.find(({ id }) => id === record.id);
  }

  /** Room for one more of this device; to be given back with `release`. */
  reserve(deviceId: EntityId): RpcQueue | PlatformError {
    const { maxUnfinishedPerDevice = 100, maxUnfinished = 100_000 } = this.#options;
    const known = this.#queues.get(deviceId);
    const ofDevice = known === undefined ? 0 : known.entries.length + known.reserved;
    if (ofDevice >= maxUnfinishedPerDevice)
      return refuse('tooManyRequests', `The device has ${ofDevice} unfinished persistent RPC already`);
    if (this.#unfinished >= maxUnfinished)
      return refuse('tooManyRequests', 'There are too many unfinished persistent RPC on this server');
    const queue = this.#queueOf(deviceId);
    queue.reserved += 1;
    this.#unfinished += 1;
    return queue;
  }

  release(queue: RpcQueue): void {
    queue.reserved -= 1;
    this.#unfinished -= 1;
    this.#tidy(queue);
  }

  enter(entry: RpcEntry): void {
    entry.live = true;
    this.#queueOf(entry.deviceId).add(entry);
    this.#unfinished += 1;
    this.#nextExpiry = Math.min(this.#nextExpiry, entry.expirationTime);
  }

  /** Out of the queue; no answer or acknowledgement of it is expected. */
  take(entry: RpcEntry): void {
    if (!entry.live) return;
    entry.live = false;
    entry.stopTimer();
    entry.awaitsResponse = false;
    if (entry.commandId !== null) this.#options.forget(entry.deviceId, entry.commandId);
    entry.commandId = null;
    const queue = this.#queues.get(entry.deviceId);
    if (queue?.remove(entry) !== true) return;
    this.#unfinished -= 1;
    this.#tidy(queue);
  }

  /** As `take`, and nothing of it is written any more. */
  drop(entry: RpcEntry): void {
    this.take(entry);
    this.#writer.drop(entry);
  }

  /** The entry reached a state; it is written in the background. */
  move(entry: RpcEntry, status: RpcStatus): void {
    entry.status = status;
    entry.unsaved.push(status);
    this.count(status);
    if (entry.finished) {
      entry.finishedTime = this.#options.clock.now();
      this.take(entry);
    }
    this.#writer.changed(entry);
  }

  fail(entry: RpcEntry, response: string): void {
    entry.response = response;
    this.move(entry, 'FAILED');
  }

  /** Writes states that were noted in `entry.unsaved`. */
  save(entry: RpcEntry): void {
    this.#writer.changed(entry);
  }

  /** A state that was reached beside `move`. */
  count(status: RpcStatus): void {
    this.#states[status] += 1;
  }

  /** Ends what is past its time; gives the devices with such. */
  expire(): readonly EntityId[] {
    const now = this.#options.clock.now();
    if (now < this.#nextExpiry) return [];
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    const devices: EntityId[] = [];
    for (const queue of [...this.#queues.values()]) {
      const due = queue.entries.filter((entry) => entry.expirationTime <= now);
      for (const entry of due) this.move(entry, 'EXPIRED');
      if (due.length > 0) devices.push(queue.deviceId);
      for (const entry of queue.entries) this.#nextExpiry = Math.min(this.#nextExpiry, entry.expirationTime);
    }
    return devices;
  }

  /** Stops every timer and writes what is left. */
  async close(): Promise<void> {
    for (const queue of this.#queues.values()) {
      queue.stopRetry();
      for (const entry of queue.entries) entry.stopTimer();
    }
    await this.#writer.close();
  }

  #queueOf(deviceId: EntityId): RpcQueue {
    let queue = this.#queues.get(deviceId);
    if (queue === undefined) {
      queue = new RpcQueue(deviceId);
      this.#queues.set(deviceId, queue);
    }
    return queue;
  }

  #tidy(queue: RpcQueue): void {
    if (!queue.idle || this.#queues.get(queue.deviceId) !== queue) return;
    queue.stopRetry();
    this.#queues.delete(queue.deviceId);
  }
}
