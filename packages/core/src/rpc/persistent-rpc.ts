import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import type { EntityId, Json } from '../model/entities.ts';
import type { RpcRecord } from '../model/rpc-record.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Crypto } from '../ports/runtime.ts';
import type { CommandRouter } from './command-router.ts';
import { fromRpcDocument, RPC_COLLECTION, type StoredRpc, toRpcDocument } from './rpc-collection.ts';
import { RpcDelivery } from './rpc-delivery.ts';
import { RpcEntry, type SubmitStrategy } from './rpc-entry.ts';
import { type PersistentRpcCounters, RpcLedger, type RpcLedgerOptions } from './rpc-ledger.ts';
import { purgeFinishedRpc, unfinishedRpc } from './rpc-records.ts';

export interface PersistentRpcOptions extends Omit<RpcLedgerOptions, 'forget' | 'repositories'> {
  readonly repositories: Pick<Repositories, 'commit' | 'document' | 'documents'>;
  /** Numbers the commands, sends them and brings answers back. */
  readonly router: Pick<CommandRouter, 'dispatch' | 'forget'>;
  readonly crypto: Pick<Crypto, 'uuid'>;
  /** False once a device is deleted. */
  readonly deviceExists: (id: EntityId) => boolean;
  /** Default `BURST`. */
  readonly strategy?: SubmitStrategy;
  /** Age after which finished records are deleted. Default 7 days. */
  readonly retentionMs?: number;
}

/** A persistent RPC to be submitted. */
export interface RpcSubmission {
  readonly tenantId: EntityId;
  readonly deviceId: EntityId;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  readonly oneway: boolean;
  /** Epoch milliseconds; one that is past is recorded as EXPIRED and never sent. */
  readonly expirationTime: number;
  /** null, and whatever is above: 5. */
  readonly retries: number | null;
  readonly additionalInfo: Json;
  /** Of the record; null: a new one. */
  readonly id: EntityId | null;
}

const MAX_RETRIES = 5;
const SWEEP_MS = 1000;
const PURGE_INTERVAL_MS = 3_600_000;
const DEFAULT_RETENTION_MS = 7 * 86_400_000;

/**
 * RPC that are stored, tracked and survive a restart. thingsboard-device.md, 4.3
 *
 * Memory holds a short entry for each unfinished one and decides; every state is written after it was reached, in order.
 * So a crash can bring a record back to an earlier state and a device may get a command twice, but none is lost. Nothing
 * is sent before its record is durable, nor after it has ended in memory.
 */
export class PersistentRpc {
  readonly #options: PersistentRpcOptions;
  readonly #ledger: RpcLedger;
  readonly #delivery: RpcDelivery;
  #sequence = 1;
  #stopTimers: (() => void)[] = [];
  #purging: Promise<void> | null = null;
  #stopped = false;

  constructor(options: PersistentRpcOptions) {
    this.#options = options;
    const { router, clock, scheduler, strategy = 'BURST', observer } = options;
    this.#ledger = new RpcLedger({ ...options, forget: (deviceId, id) => router.forget(deviceId, id) });
    this.#delivery = new RpcDelivery({
      ledger: this.#ledger,
      router,
      clock,
      scheduler,
      strategy,
      read: (id) => this.record(id),
      fault: (error) => observer.fault(error),
    });
  }

  counters(): PersistentRpcCounters {
    return this.#ledger.counters();
  }

  /**
   * Takes up what an earlier run left unfinished, and begins to expire and to clean up. To be called once, before
   * devices can connect. Rejects when the store cannot be read.
   */
  async start(): Promise<void> {
    const { repositories, scheduler } = this.#options;
    for await (const stored of unfinishedRpc(repositories)) this.#restore(stored);
    this.#stopTimers = [
      scheduler.every(SWEEP_MS, () => this.#expire()),
      scheduler.every(PURGE_INTERVAL_MS, () => this.#purge()),
    ];
    this.#expire();
    this.#purge();
  }

  /**
   * Sends and expects nothing more; resolves when the states are durable. To be called before the connections are
   * closed: one that is lost later would count as a failed try.
   */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#delivery.stop();
    for (const stop of this.#stopTimers.splice(0)) stop();
    await this.#purging;
    await this.#ledger.close();
  }

  /** Durable when resolved; then it is sent if the device listens. Answers with the id of the record. */
  async submit(submission: RpcSubmission): Promise<Result<EntityId>> {
    if (this.#stopped) return refuse('general', 'The server is stopping');
    const { deviceExists, clock } = this.#options;
    const { deviceId } = submission;
    const queue = this.#ledger.reserve(deviceId);
    if ('ok' in queue) return queue;
    const stored = this.#newRecord(submission, clock.now());
    const { record } = stored;
    const document = toRpcDocument(stored);
    const change = {
      kind: 'putDocument',
      collection: RPC_COLLECTION,
      record: document,
      expectedVersion: null,
    } as const;
    const outcome = await this.#commit(change);
    this.#ledger.release(queue);
    if (outcome !== 'done') return notStored(outcome);
    if (!deviceExists(deviceId)) {
      await this.#delete(record.id);
      return refuse('notFound');
    }
    this.#ledger.count(record.status);
    this.#tell(record);
    if (record.status === 'QUEUED' && !this.#stopped) {
      this.#ledger.enter(new RpcEntry(stored));
      this.#delivery.send(deviceId);
    }
    return success(record.id);
  }

  /** A stored record; null: there is none. */
  async record(id: EntityId): Promise<RpcRecord | null> {
    const document = await this.#options.repositories.document(RPC_COLLECTION, id);
    return document === null ? null : (fromRpcDocument(document)?.record ?? null);
  }

  /** Deletes a record in any state; from the call on it is not sent. Durable when resolved. */
  async remove(record: RpcRecord): Promise<Result<null>> {
    const entry = this.#ledger.find(record);
    if (entry !== undefined) this.#ledger.drop(entry);
    const outcome = await this.#delete(record.id);
    if (outcome !== 'done') {
      if (entry !== undefined) this.#reinstate(entry);
      return notStored(outcome);
    }
    // Its submission was perhaps about to enter it.
    const late = this.#ledger.find(record);
    if (late !== undefined) this.#ledger.drop(late);
    this.#ledger.count('DELETED');
    this.#tell({ ...record, status: 'DELETED' });
    return success(null);
  }

  /** The device began to listen: whatever waits for it is sent, the oldest first. Cheap when nothing waits. */
  listening(deviceId: EntityId): void {
    const queue = this.#ledger.queue(deviceId);
    if (queue === undefined) return;
    queue.wake();
    this.#delivery.send(deviceId);
  }

  /** The device was deleted: nothing more is sent or written. Its records go with `removeRpcRecords`. */
  removed(deviceId: EntityId): void {
    for (const entry of [...(this.#ledger.queue(deviceId)?.entries ?? [])]) this.#ledger.drop(entry);
  }

  #newRecord(submission: RpcSubmission, now: number): StoredRpc {
    const { id, retries, ...members } = submission;
    const expired = submission.expirationTime <= now;
    const record: RpcRecord = {
      ...members,
      id: id ?? this.#options.crypto.uuid(),
      createdTime: now,
      retries: Math.max(0, Math.min(retries ?? MAX_RETRIES, MAX_RETRIES)),
      attempts: 0,
      status: expired ? 'EXPIRED' : 'QUEUED',
      response: null,
    };
    return { record, sequence: this.#sequence++, finishedTime: expired ? now : 0, version: 1 };
  }

  #restore(stored: StoredRpc): void {
    const { record, sequence } = stored;
    if (!this.#options.deviceExists(record.deviceId)) return;
    this.#sequence = Math.max(this.#sequence, sequence + 1);
    const entry = new RpcEntry(stored);
    entry.record = null;
    this.#ledger.enter(entry);
    // Nobody knows whether it arrived, so it is sent again.
    if (entry.status === 'SENT') this.#ledger.move(entry, 'QUEUED');
  }

  /** The record could not be deleted, so it goes on from where it was. */
  #reinstate(entry: RpcEntry): void {
    if (this.#stopped || entry.finished || !this.#options.deviceExists(entry.deviceId)) return;
    this.#ledger.enter(entry);
    if (entry.status === 'SENT') this.#ledger.move(entry, 'QUEUED');
    else if (entry.unsaved.length > 0) this.#ledger.save(entry);
    this.#delivery.send(entry.deviceId);
  }

  #expire(): void {
    for (const deviceId of this.#ledger.expire()) this.#delivery.send(deviceId);
  }

  #purge(): void {
    const { repositories, clock, observer, retentionMs = DEFAULT_RETENTION_MS } = this.#options;
    this.#purging ??= purgeFinishedRpc(repositories, clock.now() - retentionMs, () => !this.#stopped)
      .catch((error: unknown) => observer.fault(error))
      .finally(() => {
        this.#purging = null;
      });
  }

  #delete(id: EntityId): Promise<CommitOutcome> {
    return this.#commit({ kind: 'deleteDocument', collection: RPC_COLLECTION, id, expectedVersion: null });
  }

  async #commit(change: Change): Promise<CommitOutcome> {
    try {
      return await this.#options.repositories.commit([change]);
    } catch (error) {
      this.#options.observer.fault(error);
      return 'failed';
    }
  }

  #tell(record: RpcRecord): void {
    const { observer } = this.#options;
    try {
      observer.rpcChanged(record);
    } catch (error) {
      observer.fault(error);
    }
  }
}

function notStored(outcome: Exclude<CommitOutcome, 'done'>): PlatformError {
  if (outcome === 'full') return refuse('storageFull');
  if (outcome === 'failed') return refuse('storageFailed');
  return refuse('badRequest', 'There is an RPC with this requestUUID already!');
}
