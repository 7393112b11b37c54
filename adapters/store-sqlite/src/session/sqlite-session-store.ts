import type {
  Message,
  QueueTarget,
  RestoredSession,
  RetainedLimits,
  SessionClaim,
  SessionRecord,
  SessionStore,
  SessionStoreListener,
  StoreCompletion,
  StoredDelivery,
  StoredFlights,
  StoredSubscription,
} from '@moorage/mqtt-broker';
import { type StoreOptions, writerOptions } from '../sqlite/store-options.ts';
import { remoteError } from '../sqlite/thread-client.ts';
import { workerFile } from '../sqlite/worker-file.ts';
import { WriterClient } from '../sqlite/writer-client.ts';
import type { StoreState } from '../sqlite/writer-messages.ts';
import { ByteReader } from '../telemetry/byte-reader.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';
import { asBuffer, readNumbers } from './byte-fields.ts';
import { CommitQueue } from './commit-queue.ts';
import { readDeliveries, type Will } from './message-codec.ts';
import {
  Operation,
  type RoundReply,
  type SessionReply,
  type SessionRequest,
  type SessionsReady,
  type SessionWriterOptions,
  type Totals,
} from './messages.ts';
import {
  writeEnqueue,
  writeOwnWill,
  writeRead,
  writeRecord,
  writeSubscriptions,
  writeTarget,
} from './operation-writer.ts';
import { readSessions, retiredKey } from './restored-sessions.ts';
import type { Round } from './round.ts';
import { DEFAULT_RETAINED_LIMITS, SqliteRetainedStore } from './sqlite-retained-store.ts';

/** How a session store is opened. */
export interface SessionStoreOptions extends StoreOptions {
  /** Epoch milliseconds; the age of queued messages counts from it. */
  readonly now: () => number;
  /** Shortest time between two attempts to grow again on a full disk. Default 1000. */
  readonly probeIntervalMs?: number;
  /** Bounds of the Retained Messages of a space. Default 1,000,000 or 1 GiB, payloads of 1 MiB. */
  readonly retainedLimitsOf?: (space: string) => RetainedLimits;
  /** Bound of the Retained Messages of all spaces together. Default: only the disk. */
  readonly retainedMaximumBytes?: number;
  /** Told of every commit: its time in the thread, and the operations in it. */
  onCommit?(elapsedMs: number, operations: number): void;
}

/** As the memory store counts. */
const OVERHEAD_BYTES = 200;
/** Rows that the end of a Session deletes, for the size of commits. */
const REMOVAL_ROWS = 20;
const LOAD_PAGE = 5_000;

class SqliteClaim implements SessionClaim {
  /** Changed once, if the Session is retired. */
  key: string;
  readonly id: number;

  constructor(key: string, id: number) {
    this.key = key;
    this.id = id;
  }
}

/**
 * Sessions in one SQLite file, written by one thread in group commits: everything of one turn of the event loop, and all
 * that arrives while a commit is under way, shares one. `load` comes before everything else.
 */
export class SqliteSessionStore implements SessionStore {
  /** The Retained Messages, in the same file and the same commits. */
  readonly retained: SqliteRetainedStore;
  readonly #options: SessionStoreOptions;
  readonly #thread: WriterClient<SessionRequest, SessionsReady, SessionReply>;
  readonly #commits: CommitQueue;
  readonly #claims = new Map<string, SqliteClaim>();
  readonly #byNumber = new Map<number, SqliteClaim>();
  #listener: SessionStoreListener = { dropped(): void {} };
  #nextSession = 1;
  #totals: Totals = { messages: 0, bytes: 0 };
  #state: StoreState = 'ok';
  #stopped = false;
  #closing = false;

  private constructor(options: SessionStoreOptions) {
    this.#options = options;
    this.#commits = new CommitQueue({
      send: (operations) => this.#thread.post({ type: 'round', operations }),
      finished: (round, reply) => this.#finished(round, reply),
    });
    this.retained = new SqliteRetainedStore(
      { round: () => this.#round(), ask: (write) => this.#ask(write) },
      options.retainedLimitsOf ?? (() => DEFAULT_RETAINED_LIMITS),
    );
    const threadOptions: SessionWriterOptions = {
      ...writerOptions(options, options.now()),
      retainedMaximumBytes: options.retainedMaximumBytes ?? Number.POSITIVE_INFINITY,
      probeIntervalMs: options.probeIntervalMs ?? 1_000,
    };
    this.#thread = new WriterClient(
      workerFile(import.meta.url, 'session-writer-thread'),
      threadOptions,
      (reply) => this.#receive(reply),
      (reason) => this.#stop(reason),
    );
  }

  /**
   * Opens or creates `session.sqlite`. Rejects with `StoreError`: `other-installation`, `other-file`, `newer-schema`,
   * `sqlite-too-old` or `corrupt-file`.
   */
  static async open(options: SessionStoreOptions): Promise<SqliteSessionStore> {
    const store = new SqliteSessionStore(options);
    const reply = await store.#thread.opening;
    if (reply.type === 'refused') {
      store.#closing = true;
      await store.#thread.terminate();
      throw remoteError(reply.code, reply.message);
    }
    store.#nextSession = reply.nextSession;
    store.#totals = reply.totals;
    store.retained.know(reply.retained, reply.lastChange);
    store.retained.found(reply.retainedSpaces);
    return store;
  }

  get state(): StoreState {
    return this.#state;
  }

  observe(listener: SessionStoreListener): void {
    this.#listener = listener;
  }

  async load(): Promise<readonly RestoredSession[]> {
    const restored: RestoredSession[] = [];
    for (let after = 0; ; ) {
      const page = await this.#ask((round) => {
        const writer = round.begin(Operation.LoadSessions, null);
        writer.varint(after);
        writer.varint(LOAD_PAGE);
      });
      const last = readSessions(new ByteReader(asBuffer(page)), (key, id) => this.#claimOf(key, id), restored);
      if (last === 0) return restored;
      after = last;
    }
  }

  claim(record: SessionRecord, cleanStart: boolean, completion: StoreCompletion): SessionClaim {
    const older = this.#claims.get(record.key);
    const resumed = cleanStart ? undefined : older;
    const claim = resumed ?? new SqliteClaim(record.key, this.#nextSession++);
    const round = this.#round();
    if (round === null) {
      completion.release('failed');
      return claim;
    }
    if (resumed === undefined) {
      if (older !== undefined) {
        round.ended.push(older.id);
        round.weight += REMOVAL_ROWS;
      }
      this.#claims.set(claim.key, claim);
      this.#byNumber.set(claim.id, claim);
      round.created.push({ session: claim.id, completion: round.completions.length });
    }
    const writer = round.begin(resumed === undefined ? Operation.Create : Operation.Update, completion);
    writer.varint(claim.id);
    writeRecord(writer, record);
    return claim;
  }

  disconnected(
    claim: SessionClaim,
    state: { readonly expiryInterval: number; readonly will: Will | null; readonly disconnectedAt: number },
    completion: StoreCompletion | null,
  ): void {
    const writer = this.#begin(claim, Operation.Disconnected, completion);
    if (writer === null) return;
    writer.double(state.expiryInterval);
    writer.double(state.disconnectedAt);
    writeOwnWill(writer, state.will);
  }

  removeWill(claim: SessionClaim, completion: StoreCompletion | null): void {
    this.#begin(claim, Operation.RemoveWill, completion);
  }

  retire(claim: SessionClaim): void {
    const held = this.#held(claim);
    const writer = this.#begin(claim, Operation.Retire, null);
    if (held === undefined || writer === null) return;
    this.#claims.delete(held.key);
    held.key = retiredKey(held.id);
    this.#claims.set(held.key, held);
    writer.text(held.key);
  }

  move(claim: SessionClaim, sequence: number, target: QueueTarget): void {
    const to = this.#held(target.claim);
    if (to === undefined) {
      this.settle(claim, sequence);
      return;
    }
    const writer = this.#begin(claim, Operation.Move, null);
    if (writer === null) return;
    writer.varint(sequence);
    writeTarget(writer, to.id, target);
  }

  remove(claim: SessionClaim, completion: StoreCompletion | null): void {
    const held = this.#held(claim);
    this.#begin(claim, Operation.Remove, completion);
    if (held === undefined) return;
    this.#claims.delete(held.key);
    const round = this.#round();
    if (round === null) return;
    round.ended.push(held.id);
    round.weight += REMOVAL_ROWS;
  }

  saveSubscriptions(
    claim: SessionClaim,
    added: readonly StoredSubscription[],
    removed: readonly string[],
    completion: StoreCompletion,
  ): void {
    const writer = this.#begin(claim, Operation.Subscriptions, completion);
    if (writer === null) return;
    writeSubscriptions(writer, added, removed);
  }

  enqueue(message: Message, targets: readonly QueueTarget[], completion: StoreCompletion): void {
    const round = this.#round();
    if (round === null) {
      for (const target of targets) target.completion?.release('failed');
      completion.release('failed');
      return;
    }
    const sizeBytes = message.payload.length + message.topicName.length + OVERHEAD_BYTES;
    const { writer, completions } = round;
    let held = 0;
    const before = completions.length;
    for (const target of targets) {
      if (target.completion !== null) completions.push(target.completion);
      if (this.#held(target.claim) !== undefined) held++;
    }
    completions.push(completion);
    writeEnqueue(writer, completions.length - before, message, sizeBytes, this.#options.now(), held);
    for (const target of targets) {
      const claim = this.#held(target.claim);
      if (claim !== undefined) writeTarget(writer, claim.id, target);
    }
    round.weight += 1 + held;
    round.addedMessages += held;
    round.addedBytes += held * sizeBytes;
  }

  assign(claim: SessionClaim, sequence: number, packetIdentifier: number, completion: StoreCompletion | null): void {
    const writer = this.#begin(claim, Operation.Assign, completion);
    writer?.varint(sequence);
    writer?.varint(packetIdentifier);
  }

  markReceived(claim: SessionClaim, sequence: number, completion: StoreCompletion): void {
    this.#begin(claim, Operation.MarkReceived, completion)?.varint(sequence);
  }

  settle(claim: SessionClaim, sequence: number): void {
    const writer = this.#begin(claim, Operation.Settle, null);
    if (writer === null) return;
    writer.varint(sequence);
    this.#commits.round().settledMessages++;
  }

  async read(claim: SessionClaim, after: number, limit: number): Promise<readonly StoredDelivery[]> {
    const held = this.#held(claim);
    if (held === undefined || limit <= 0) return [];
    const answer = await this.#ask((round) => writeRead(round, Operation.Read, held.id, after, limit));
    return readDeliveries(new ByteReader(asBuffer(answer)));
  }

  async flights(claim: SessionClaim): Promise<StoredFlights> {
    const held = this.#held(claim);
    if (held === undefined) return { outgoing: [], incoming: [] };
    const answer = await this.#ask((round) => writeRead(round, Operation.Flights, held.id, 0, 0));
    const reader = new ByteReader(asBuffer(answer));
    const outgoing = readDeliveries(reader);
    return { outgoing, incoming: readNumbers(reader) };
  }

  holdIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion): void {
    this.#begin(claim, Operation.Hold, completion)?.varint(packetIdentifier);
  }

  releaseIncoming(claim: SessionClaim, packetIdentifier: number, completion: StoreCompletion | null): void {
    this.#begin(claim, Operation.Release, completion)?.varint(packetIdentifier);
  }

  expire(now: number): void {
    this.#round()?.begin(Operation.Expire, null).double(now);
  }

  /** Messages and bytes are those of the last commit, changed by an estimate of what is under way. */
  statistics(): { readonly sessions: number; readonly messages: number; readonly bytes: number } {
    const { messages, bytes } = this.#totals;
    const { addedMessages, addedBytes, settledMessages } = this.#commits.pending;
    const all = messages + addedMessages;
    const left = Math.max(0, all - settledMessages);
    const share = all === 0 ? 0 : left / all;
    return { sessions: this.#claims.size, messages: left, bytes: Math.round((bytes + addedBytes) * share) };
  }

  /** Resolves once everything handed in has been answered. */
  drained(): Promise<void> {
    return this.#commits.drained();
  }

  /** Waits until everything handed in has been answered, writes the WAL back and ends the thread. Later calls fail. */
  async close(): Promise<void> {
    if (!this.#closing && !this.#stopped) {
      await this.#commits.drained();
      this.#closing = true;
      await this.#thread.close();
    }
    await this.terminate();
  }

  /** Ends the thread at once, as a crash of the process would; what was not answered fails. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#thread.terminate();
  }

  #round(): Round | null {
    return this.#stopped || this.#closing ? null : this.#commits.round();
  }

  /** Begins an operation about a Session that is still held; null: it is not, and the completion has been seen to. */
  #begin(claim: SessionClaim, operation: number, completion: StoreCompletion | null): ByteWriter | null {
    const round = this.#round();
    if (round === null) {
      completion?.release('failed');
      return null;
    }
    const held = this.#held(claim);
    if (held === undefined) {
      if (completion !== null) round.pass(completion, 'stored');
      return null;
    }
    const writer = round.begin(operation, completion);
    writer.varint(held.id);
    return writer;
  }

  #ask(write: (round: Round) => void): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const round = this.#round();
      if (round === null) {
        reject(remoteError('worker-stopped', 'The session store is closed'));
        return;
      }
      write(round);
      round.reads.push({ resolve, reject });
    });
  }

  #held(claim: SessionClaim): SqliteClaim | undefined {
    const held = this.#claims.get(claim.key);
    return held === claim ? held : undefined;
  }

  #claimOf(key: string, id: number): SqliteClaim {
    const known = this.#claims.get(key);
    if (known?.id === id) return known;
    const claim = new SqliteClaim(key, id);
    this.#claims.set(key, claim);
    this.#byNumber.set(id, claim);
    return claim;
  }

  #forget(claim: SqliteClaim): void {
    this.#byNumber.delete(claim.id);
    if (this.#claims.get(claim.key) === claim) this.#claims.delete(claim.key);
  }

  #receive(reply: SessionReply): void {
    switch (reply.type) {
      case 'round':
        this.#commits.settle(reply);
        return;
      case 'background':
        this.#totals = reply.totals;
        this.retained.know(reply.retained);
        this.#tellDropped(reply.dropped);
        this.#setState(reply.state, reply.reason);
        return;
    }
  }

  #finished(round: Round, reply: Omit<RoundReply, 'type'>): void {
    if (!this.#stopped) {
      this.#totals = reply.totals;
      this.retained.know(reply.retained);
      this.#options.onCommit?.(reply.elapsedMs, round.weight);
      this.#setState(reply.state, reply.reason);
    }
    if (round.created.length > 0) {
      const outcomes = round.outcomes(reply);
      for (const { session, completion } of round.created) {
        const claim = outcomes.of(completion) === 'stored' ? undefined : this.#byNumber.get(session);
        if (claim !== undefined) this.#forget(claim);
      }
    }
    this.#tellDropped(reply.dropped);
    for (const session of round.ended) this.#byNumber.delete(session);
  }

  #tellDropped(dropped: readonly number[]): void {
    for (let at = 0; at + 2 < dropped.length; at += 3) {
      const claim = this.#byNumber.get(dropped[at] ?? 0);
      if (claim !== undefined)
        this.#listener.dropped(claim, dropped[at + 1] ?? 0, dropped[at + 2] === 0 ? 'limit' : 'age');
    }
  }

  #setState(state: StoreState, reason: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onStateChange?.(state, reason);
  }

  #stop(reason: string): void {
    this.#stopped = true;
    if (!this.#closing) this.#setState('failed', reason);
    this.#commits.abandon();
  }
}
