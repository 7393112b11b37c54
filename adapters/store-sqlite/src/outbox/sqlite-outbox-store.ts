import { statSync } from 'node:fs';
import type { DeadLetter, OutboxEntry, OutboxSequence, OutboxStore, WriteOutcome } from '@moorage/core';
import { StoreError } from '../sqlite/store-error.ts';
import { dataPath, type StoreOptions, writerOptions } from '../sqlite/store-options.ts';
import { remoteError } from '../sqlite/thread-client.ts';
import { workerFile } from '../sqlite/worker-file.ts';
import { WriterClient } from '../sqlite/writer-client.ts';
import type { Refused, StoreState } from '../sqlite/writer-messages.ts';
import {
  type Answer,
  FILE_NAME,
  type Operation,
  type OperationResult,
  type OutboxReady,
  type OutboxReply,
  type OutboxRequest,
  type OutboxWriterOptions,
} from './messages.ts';
import { packEntries, unpackEntries, unpackLetters } from './packed-entries.ts';
import { type Asked, OutboxRounds } from './round-queue.ts';

/** How an outbox store is opened. */
export interface OutboxStoreOptions extends StoreOptions {
  /** Epoch milliseconds, for the record of schema steps. */
  readonly now: () => number;
  /** Shortest time between two attempts to grow again on a full disk. Default 1000. */
  readonly probeIntervalMs?: number;
}

type Opening = OutboxReady | Refused;

const BALLAST_BYTES = 16_777_216;
/** The thread has short work and little to keep; its garbage would fill whatever it may. */
const YOUNG_GENERATION_MIB = 8;
/** Rows that one slice of a removal deletes. */
const REMOVAL_ROWS = 1_000;
/** What there is while there is no file. */
const NOTHING_THERE: Readonly<Record<Operation['type'], OperationResult>> = {
  load: { type: 'loaded', lastSequence: 0, queues: [], suspended: [] },
  append: { type: 'nothing' },
  read: { type: 'entries', entries: packEntries([]), total: 0 },
  settle: { type: 'nothing' },
  bury: { type: 'nothing' },
  revive: { type: 'nothing' },
  list: { type: 'entries', entries: packEntries([]), total: 0 },
  removeTarget: { type: 'nothing' },
  suspend: { type: 'nothing' },
  expire: { type: 'nothing' },
  statistics: { type: 'counted', bytes: 0, waiting: 0, dead: 0 },
};

/**
 * The outbox in one SQLite file, written by one thread in group commits. File and thread are made when the first message
 * is put down; at the end of a run that leaves nothing the file is removed.
 */
export class SqliteOutboxStore implements OutboxStore {
  readonly #options: OutboxStoreOptions;
  readonly #rounds = new OutboxRounds((round) => this.#commit(round));
  #thread: WriterClient<OutboxRequest, OutboxReady, OutboxReply> | null = null;
  #state: StoreState = 'ok';
  #stopped = false;
  #closing = false;

  private constructor(options: OutboxStoreOptions) {
    this.#options = options;
  }

  /**
   * Opens `outbox.sqlite` if it is there. Rejects with `StoreError`: `other-installation`, `other-file`, `newer-schema`,
   * `sqlite-too-old` or `corrupt-file`.
   */
  static async open(options: OutboxStoreOptions): Promise<SqliteOutboxStore> {
    const store = new SqliteOutboxStore(options);
    const path = dataPath(options.directory, FILE_NAME);
    const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    if (sizes.every((size) => size === 0)) return store;
    const reply = await store.#start();
    if (reply.type === 'refused') throw remoteError(reply.code, reply.message);
    return store;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** True while the thread runs. */
  get running(): boolean {
    return this.#thread !== null && !this.#stopped;
  }

  async load(): ReturnType<OutboxStore['load']> {
    const result = await this.#ask({ type: 'load' });
    if (result.type !== 'loaded') throw unexpected(result);
    const { lastSequence, queues, suspended } = result;
    return { lastSequence, queues, suspended };
  }

  async append(entries: readonly OutboxEntry[]): Promise<WriteOutcome> {
    if (entries.length === 0) return 'stored';
    return this.#change({ type: 'append', entries: packEntries(entries) });
  }

  async read(targetId: string, after: OutboxSequence, limit: number): Promise<readonly OutboxEntry[]> {
    return this.#entries(await this.#ask({ type: 'read', targetId, after, limit }));
  }

  settle(sequences: readonly OutboxSequence[]): Promise<WriteOutcome> {
    return this.#change({ type: 'settle', sequences });
  }

  bury(letters: Parameters<OutboxStore['bury']>[0]): Promise<WriteOutcome> {
    return this.#change({ type: 'bury', letters });
  }

  async revive(
    id: string,
    tenantId: string,
    sequence: OutboxSequence,
    createdTime: number,
  ): Promise<OutboxEntry | null | 'full' | 'failed'> {
    const { outcome, result } = await this.#rounds.ask({ type: 'revive', id, tenantId, sequence, createdTime });
    if (outcome !== 'stored' || result === null) return outcome === 'full' ? 'full' : 'failed';
    return result.type === 'nothing' ? null : (this.#entries(result)[0] ?? null);
  }

  async waiting(tenantId: string, offset: number, limit: number): ReturnType<OutboxStore['waiting']> {
    const result = await this.#ask({ type: 'list', dead: false, tenantId, offset, limit });
    return { entries: this.#entries(result), total: result.type === 'entries' ? result.total : 0 };
  }

  async dead(tenantId: string, offset: number, limit: number): ReturnType<OutboxStore['dead']> {
    const result = await this.#ask({ type: 'list', dead: true, tenantId, offset, limit });
    if (result.type !== 'entries') throw unexpected(result);
    const letters: readonly DeadLetter[] = unpackLetters(result.entries);
    return { letters, total: result.total };
  }

  removeTarget(targetId: string): Promise<WriteOutcome> {
    return this.#slices((upTo) => ({ type: 'removeTarget', targetId, upTo, limit: REMOVAL_ROWS }));
  }

  suspend(targetId: string, url: string | null): Promise<WriteOutcome> {
    return this.#change({ type: 'suspend', targetId, url });
  }

  expire(now: number, keepPerTarget: number): Promise<WriteOutcome> {
    return this.#slices(() => ({ type: 'expire', now, keepPerTarget, limit: REMOVAL_ROWS }));
  }

  async statistics(): ReturnType<OutboxStore['statistics']> {
    const { result } = await this.#rounds.ask({ type: 'statistics' });
    const { bytes, waiting, dead } = result?.type === 'counted' ? result : { bytes: 0, waiting: 0, dead: 0 };
    return { bytes, waiting, dead, state: this.#state };
  }

  /** Waits until everything asked has been answered, writes the WAL back and ends the thread. Later calls fail. */
  async close(): Promise<void> {
    await this.#rounds.drained();
    const thread = this.#thread;
    if (thread !== null && !this.#closing && !this.#stopped) {
      this.#closing = true;
      await thread.close();
    }
    await this.terminate();
  }

  /** Ends the thread at once, as a crash of the process would; what was not answered fails. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#thread?.terminate();
  }

  async #change(operation: Operation): Promise<WriteOutcome> {
    return (await this.#rounds.ask(operation)).outcome;
  }

  async #ask(operation: Operation): Promise<OperationResult> {
    const { result } = await this.#rounds.ask(operation);
    if (result === null) throw new StoreError('worker-stopped', 'The outbox store cannot be read');
    return result;
  }

  async #slices(operation: (upTo: number | null) => Operation): Promise<WriteOutcome> {
    for (let upTo: number | null = null; ; ) {
      const { outcome, result }: Answer = await this.#rounds.ask(operation(upTo));
      if (outcome !== 'stored' || result?.type !== 'more') return outcome;
      upTo = result.upTo;
    }
  }

  #entries(result: OperationResult): OutboxEntry[] {
    if (result.type !== 'entries') throw unexpected(result);
    return unpackEntries(result.entries);
  }

  /** Answers a round: without a thread where there is nothing and nothing comes, else by the thread. */
  async #commit(round: readonly Asked[]): Promise<void> {
    if (this.#closing || this.#stopped) return answerAll(round, 'failed');
    if (this.#thread === null) {
      const grows = round.some(
        ({ operation }) => operation.type === 'append' || (operation.type === 'suspend' && operation.url !== null),
      );
      if (!grows) {
        for (const { operation, answered } of round)
          answered({ outcome: 'stored', result: NOTHING_THERE[operation.type] });
        return;
      }
      const reply = await this.#start();
      if (reply.type === 'refused') {
        this.#setState(reply.full ? 'full' : 'failed', reply.message);
        return answerAll(round, reply.full ? 'full' : 'failed');
      }
      this.#setState('ok', '');
    }
    await this.#send(round);
  }

  async #send(round: readonly Asked[]): Promise<void> {
    const operations = round.map(({ operation }) => operation);
    const transfer = operations.flatMap((operation) =>
      operation.type === 'append' ? [operation.entries.bodies.buffer] : [],
    );
    try {
      const reply = await this.#thread?.ask((request) => ({ type: 'round', request, operations }), transfer);
      if (reply?.type !== 'round') return answerAll(round, 'failed');
      this.#setState(reply.state, reply.reason);
      for (const [index, { answered }] of round.entries()) {
        answered(reply.answers[index] ?? { outcome: 'failed', result: null });
      }
    } catch {
      // The thread is gone; `onStop` has said why.
      answerAll(round, 'failed');
    }
  }

  /** Starts the thread, which opens or creates the file. */
  async #start(): Promise<Opening> {
    const { now, probeIntervalMs } = this.#options;
    const options: OutboxWriterOptions = {
      ...writerOptions(this.#options, now(), BALLAST_BYTES),
      probeIntervalMs: probeIntervalMs ?? 1_000,
    };
    let opened = false;
    const thread = new WriterClient<OutboxRequest, OutboxReady, OutboxReply>(
      workerFile(import.meta.url, 'outbox-writer-thread'),
      options,
      (reply) => this.#receive(reply),
      (reason) => {
        if (opened) this.#stop(reason);
      },
      { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    );
    const reply = await thread.opening;
    if (reply.type === 'refused') await thread.terminate();
    else {
      opened = true;
      this.#thread = thread;
    }
    return reply;
  }

  #receive(reply: OutboxReply): void {
    if (reply.type === 'background') this.#setState(reply.state, reply.reason);
  }

  #setState(state: StoreState, reason: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onStateChange?.(state, reason);
  }

  #stop(reason: string): void {
    this.#stopped = true;
    if (!this.#closing) this.#setState('failed', reason);
  }
}

function answerAll(round: readonly Asked[], outcome: 'full' | 'failed'): void {
  for (const { answered } of round) answered({ outcome, result: null });
}

function unexpected({ type }: OperationResult): StoreError {
  return new StoreError('corrupt-record', `The outbox store answered with ${type}`);
}
