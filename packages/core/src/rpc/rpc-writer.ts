import type { RpcRecord } from '../model/rpc-record.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Scheduler } from '../ports/runtime.ts';
import { fromRpcDocument, RPC_COLLECTION, toRpcDocument } from './rpc-collection.ts';
import type { RpcEntry } from './rpc-entry.ts';

/** Hears what became of persistent RPC, and of trouble in the background. */
export interface RpcObserver {
  /** Called for every state in its order, once it or a later one is durable; `DELETED` once the record is gone. */
  rpcChanged(record: RpcRecord): void;
  fault(error: unknown): void;
}

export interface RpcWriterOptions {
  readonly repositories: Pick<Repositories, 'commit' | 'document'>;
  readonly scheduler: Scheduler;
  readonly observer: RpcObserver;
  /** The record of an entry is gone from the store. */
  readonly vanished: (entry: RpcEntry) => void;
}

/** Records of one commit. */
const COMMIT_SIZE = 100;
const RETRY_MS = 1000;

/** A state on its way to the store. */
interface Save {
  readonly entry: RpcEntry;
  readonly record: RpcRecord;
  readonly version: number;
  readonly states: readonly RpcEntry['status'][];
}

/**
 * Brings the states of RPC to the store: all that changed in one turn in one commit, one commit at a time, so the states
 * of a record arrive in their order. What cannot be written is kept and tried again.
 */
export class RpcWriter {
  readonly #options: RpcWriterOptions;
  readonly #dirty = new Set<RpcEntry>();
  #writing: Promise<void> | null = null;
  #asked = false;
  #cancelRetry: (() => void) | null = null;

  constructor(options: RpcWriterOptions) {
    this.#options = options;
  }

  /** Entries with a state that is not durable yet. */
  get waiting(): number {
    return this.#dirty.size;
  }

  /** The entry has a new state. */
  changed(entry: RpcEntry): void {
    this.#dirty.add(entry);
    if (this.#asked || this.#writing !== null || this.#cancelRetry !== null) return;
    this.#asked = true;
    this.#options.scheduler.endOfTurn(() => {
      this.#asked = false;
      this.#begin();
    });
  }

  /** Nothing of this entry is written any more. */
  drop(entry: RpcEntry): void {
    this.#dirty.delete(entry);
  }

  /** Writes what is left, trying once, and stops. */
  async close(): Promise<void> {
    this.#stopRetry();
    while (this.#writing !== null) await this.#writing;
    this.#stopRetry();
    await this.#write();
    this.#stopRetry();
    // What the store would not take is what the next start finds: an earlier state.
    this.#dirty.clear();
  }

  #stopRetry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  #begin(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      if (this.#dirty.size > 0 && this.#cancelRetry === null) this.#begin();
    });
  }

  async #write(): Promise<void> {
    while (this.#dirty.size > 0 && this.#cancelRetry === null) {
      const entries = [...this.#dirty].slice(0, COMMIT_SIZE);
      for (const entry of entries) this.#dirty.delete(entry);
      try {
        await this.#save(entries);
      } catch (error) {
        this.#options.observer.fault(error);
        this.#keep(entries);
      }
    }
  }

  #keep(entries: readonly RpcEntry[]): void {
    for (const entry of entries) if (entry.unsaved.length > 0) this.#dirty.add(entry);
    this.#cancelRetry ??= this.#options.scheduler.after(RETRY_MS, () => {
      this.#cancelRetry = null;
      this.#begin();
    });
  }

  async #save(entries: readonly RpcEntry[]): Promise<void> {
    const records = await Promise.all(entries.map((entry) => this.#recordOf(entry)));
    const saves: Save[] = [];
    for (const [index, entry] of entries.entries()) {
      const record = records[index];
      if (!record) {
        this.#options.vanished(entry);
        continue;
      }
      const { status, attempts, response, version } = entry;
      saves.push({ entry, record: { ...record, status, attempts, response }, version, states: entry.unsaved });
      entry.unsaved = [];
    }
    if (saves.length > 0) this.#settle(saves, await this.#commit(saves));
  }

  async #recordOf(entry: RpcEntry): Promise<RpcRecord | null> {
    if (entry.record !== null) return entry.record;
    const document = await this.#options.repositories.document(RPC_COLLECTION, entry.id);
    return document === null ? null : (fromRpcDocument(document)?.record ?? null);
  }

  async #commit(saves: readonly Save[]): Promise<CommitOutcome> {
    const changes = saves.map(({ entry, record, version }): Change => {
      const { sequence, finishedTime } = entry;
      const document = toRpcDocument({ record, sequence, finishedTime, version: version + 1 });
      return { kind: 'putDocument', collection: RPC_COLLECTION, record: document, expectedVersion: version };
    });
    try {
      return await this.#options.repositories.commit(changes);
    } catch (error) {
      this.#options.observer.fault(error);
      return 'failed';
    }
  }

  #settle(saves: readonly Save[], outcome: CommitOutcome): void {
    if (outcome === 'done') {
      for (const save of saves) this.#saved(save);
      return;
    }
    for (const { entry, states } of saves) entry.unsaved = [...states, ...entry.unsaved];
    if (typeof outcome === 'string') {
      this.#keep(saves.map(({ entry }) => entry));
      return;
    }
    // One record was deleted meanwhile: the others are written without it.
    const gone = saves[outcome.change]?.entry;
    for (const { entry } of saves) if (entry !== gone) this.#dirty.add(entry);
    if (gone !== undefined) this.#options.vanished(gone);
  }

  #saved({ entry, record, version, states }: Save): void {
    entry.version = version + 1;
    if (entry.record !== null) entry.record = entry.status === 'SENT' ? record : null;
    for (const status of states) this.#tell({ ...record, status });
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
