import type { SqliteDriver, SqliteStatement, SqlRow } from '../sqlite/driver.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';
import { fillNumber, leaveNumber, writeBytes } from './byte-fields.ts';
import type { Totals } from './messages.ts';

const EMPTY = Buffer.alloc(0);

/** What the thread knows of each Session; everything else is on disk. */
export class StoredSession {
  readonly id: number;
  lastSequence = 0;
  lastPacketIdentifier = 0;
  messages = 0;
  bytes = 0;
  limitMessages = 0;
  limitBytes = 0;
  limitAgeMs = 0;
  /** No message that is not in flight is older; epoch milliseconds. */
  oldestAt = Number.POSITIVE_INFINITY;
  /** No message that is not in flight expires before; epoch milliseconds. */
  earliestExpiry = Number.POSITIVE_INFINITY;
  /** Everything below this sequence is in flight or gone. Not kept across a start. */
  firstQueued = 0;
  /** Its tally differs from the row. */
  dirty = false;

  constructor(id: number) {
    this.id = id;
  }

  /** Something may have to be dropped for its age. */
  isDue(now: number): boolean {
    return now - this.oldestAt >= this.limitAgeMs || this.earliestExpiry <= now;
  }
}

/** The fields of a Session as a claim gives them. */
export interface SessionFields {
  readonly key: string;
  readonly space: string | null;
  readonly clientId: string;
  readonly expiryInterval: number;
  readonly limitMessages: number;
  readonly limitBytes: number;
  readonly limitAgeMs: number;
  readonly will: Buffer | null;
}

/** Sessions, their tallies, subscriptions and incoming Packet Identifiers. */
export class SessionTable {
  readonly #database: SqliteDriver;
  readonly #sessions = new Map<number, StoredSession>();
  /** Sessions that the open transaction has touched, removed ones included. */
  readonly #touched = new Set<number>();
  readonly #dirty: StoredSession[] = [];
  #messages = 0;
  #bytes = 0;
  readonly #insert: SqliteStatement;
  readonly #insertTally: SqliteStatement;
  readonly #update: SqliteStatement;
  readonly #updateTally: SqliteStatement;
  readonly #disconnect: SqliteStatement;
  readonly #removeWill: SqliteStatement;
  readonly #byKey: SqliteStatement;
  readonly #one: SqliteStatement;
  readonly #deletions: readonly SqliteStatement[];
  readonly #deleteSubscriptions: SqliteStatement;
  readonly #deleteIncoming: SqliteStatement;
  readonly #retire: SqliteStatement;
  readonly #subscribe: SqliteStatement;
  readonly #unsubscribe: SqliteStatement;
  readonly #hold: SqliteStatement;
  readonly #release: SqliteStatement;
  readonly #incoming: SqliteStatement;
  readonly #page: SqliteStatement;
  readonly #subscriptions: SqliteStatement;

  constructor(database: SqliteDriver) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)');
    this.#insertTally = database.prepare('INSERT INTO tally VALUES (?, 0, 0, 0, 0, 9e999, 9e999)');
    this.#update = database.prepare(
      `UPDATE session SET space = ?, client_id = ?, expiry_interval = ?, limit_messages = ?, limit_bytes = ?,
       limit_age_ms = ?, will = ?, disconnected_at = NULL WHERE id = ?`,
    );
    this.#updateTally = database.prepare(
      `UPDATE tally SET last_sequence = ?, last_packet_identifier = ?, messages = ?, bytes = ?, oldest_at = ?,
       earliest_expiry = ? WHERE session = ?`,
    );
    this.#disconnect = database.prepare(
      'UPDATE session SET expiry_interval = ?, disconnected_at = ?, will = ? WHERE id = ?',
    );
    this.#removeWill = database.prepare('UPDATE session SET will = NULL WHERE id = ?');
    this.#byKey = database.prepare('SELECT id FROM session WHERE key = ?');
    this.#one = database.prepare(`${TALLIES} WHERE id = ?`);
    this.#deletions = ['DELETE FROM session WHERE id = ?', 'DELETE FROM tally WHERE session = ?'].map((sql) =>
      database.prepare(sql),
    );
    this.#deleteSubscriptions = database.prepare('DELETE FROM subscription WHERE session = ?');
    this.#deleteIncoming = database.prepare('DELETE FROM incoming WHERE session = ?');
    this.#retire = database.prepare('UPDATE session SET key = ?, will = NULL WHERE id = ?');
    this.#subscribe = database.prepare('INSERT OR REPLACE INTO subscription VALUES (?, ?, ?)');
    this.#unsubscribe = database.prepare('DELETE FROM subscription WHERE session = ? AND topic_filter = ?');
    this.#hold = database.prepare('INSERT OR IGNORE INTO incoming VALUES (?, ?)');
    this.#release = database.prepare('DELETE FROM incoming WHERE session = ? AND packet_identifier = ?');
    this.#incoming = database.prepare('SELECT packet_identifier FROM incoming WHERE session = ?');
    this.#page = database.prepare(
      `SELECT * FROM session JOIN tally ON tally.session = session.id WHERE session.id > ? ORDER BY session.id LIMIT ?`,
    );
    this.#subscriptions = database.prepare(
      'SELECT * FROM subscription WHERE session >= ? AND session <= ? ORDER BY session',
    );
  }

  /** Reads all tallies. */
  load(): void {
    this.#sessions.clear();
    this.#touched.clear();
    this.#dirty.length = 0;
    this.#messages = 0;
    this.#bytes = 0;
    for (const row of this.#database.prepare(TALLIES).iterate([])) this.#enter(row);
  }

  get totals(): Totals {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(id: number): StoredSession | undefined {
    return this.#sessions.get(id);
  }

  all(): IterableIterator<StoredSession> {
    return this.#sessions.values();
  }

  create(id: number, fields: SessionFields): void {
    const { key, space, clientId, expiryInterval, limitMessages, limitBytes, limitAgeMs, will } = fields;
    const parameters = [id, key, space, clientId, expiryInterval, limitMessages, limitBytes, limitAgeMs, will];
    this.#insert.run(parameters);
    this.#insertTally.run([id]);
    this.#touched.add(id);
    const session = new StoredSession(id);
    setLimits(session, fields);
    this.#sessions.set(id, session);
  }

  update(session: StoredSession, fields: SessionFields): void {
    const { space, clientId, expiryInterval, limitMessages, limitBytes, limitAgeMs, will } = fields;
    this.#touched.add(session.id);
    this.#update.run([space, clientId, expiryInterval, limitMessages, limitBytes, limitAgeMs, will, session.id]);
    setLimits(session, fields);
  }

  disconnected(id: number, expiryInterval: number, disconnectedAt: number, will: Buffer | null): void {
    this.#disconnect.run([expiryInterval, disconnectedAt, will, id]);
  }

  removeWill(id: number): void {
    this.#removeWill.run([id]);
  }

  /** The Session that has a key, whatever its number. */
  byKey(key: string): StoredSession | undefined {
    const row = this.#byKey.get([key]);
    return row === undefined ? undefined : this.#sessions.get(Number(row.id));
  }

  /** Only the queue is kept, under another key. */
  retire(id: number, key: string): void {
    this.#retire.run([key, id]);
    this.#deleteSubscriptions.run([id]);
    this.#deleteIncoming.run([id]);
  }

  /** Removes everything but the queue. */
  remove(session: StoredSession): void {
    for (const statement of this.#deletions) statement.run([session.id]);
    this.#deleteSubscriptions.run([session.id]);
    this.#deleteIncoming.run([session.id]);
    this.#touched.add(session.id);
    this.#leave(session.id);
  }

  subscribe(id: number, topicFilter: string, rest: Buffer): void {
    this.#subscribe.run([id, topicFilter, rest]);
  }

  unsubscribe(id: number, topicFilter: string): void {
    this.#unsubscribe.run([id, topicFilter]);
  }

  hold(id: number, packetIdentifier: number): void {
    this.#hold.run([id, packetIdentifier]);
  }

  release(id: number, packetIdentifier: number): void {
    this.#release.run([id, packetIdentifier]);
  }

  incoming(id: number): number[] {
    return this.#incoming.all([id]).map((row) => Number(row.packet_identifier));
  }

  /** Changes the tally of a Session; its row is written at the end of the round. */
  count(session: StoredSession, messages: number, bytes: number): void {
    session.messages += messages;
    session.bytes += bytes;
    this.#messages += messages;
    this.#bytes += bytes;
    this.mark(session);
  }

  /** The tally has changed. */
  mark(session: StoredSession): void {
    if (session.dirty) return;
    session.dirty = true;
    this.#dirty.push(session);
    this.#touched.add(session.id);
  }

  /** Writes the tallies that have changed; COMMIT follows. */
  flush(): void {
    for (const session of this.#dirty) {
      if (this.#sessions.get(session.id) !== session) continue;
      const { id, lastSequence, lastPacketIdentifier, messages, bytes, oldestAt, earliestExpiry } = session;
      this.#updateTally.run([lastSequence, lastPacketIdentifier, messages, bytes, oldestAt, earliestExpiry, id]);
    }
  }

  committed(): void {
    for (const session of this.#dirty) session.dirty = false;
    this.#dirty.length = 0;
    this.#touched.clear();
  }

  /** What the transaction had touched is read again. */
  rolledBack(): void {
    this.#dirty.length = 0;
    for (const id of this.#touched) {
      this.#leave(id);
      const row = this.#one.get([id]);
      if (row !== undefined) this.#enter(row);
    }
    this.#touched.clear();
  }

  /** Writes Sessions with a number above `after`, with their subscriptions: their number, then each. */
  page(writer: ByteWriter, after: number, limit: number): void {
    const rows = this.#page.all([after, limit]);
    writer.reserve(8);
    writer.varint(rows.length);
    const first = Number(rows[0]?.id ?? 0);
    const last = Number(rows.at(-1)?.id ?? 0);
    const subscriptions = this.#subscriptions.iterate([first, last]);
    let next = subscriptions.next();
    for (const row of rows) {
      writeSession(writer, row);
      const place = leaveNumber(writer);
      let count = 0;
      for (; next.done !== true && next.value.session === row.id; next = subscriptions.next()) {
        writer.text(String(next.value.topic_filter));
        writeBytes(writer, asBytes(next.value.b));
        count++;
      }
      fillNumber(writer, place, count);
    }
  }

  #enter(row: SqlRow): void {
    const session = new StoredSession(Number(row.id));
    session.lastSequence = Number(row.last_sequence);
    session.lastPacketIdentifier = Number(row.last_packet_identifier);
    session.messages = Number(row.messages);
    session.bytes = Number(row.bytes);
    session.limitMessages = Number(row.limit_messages);
    session.limitBytes = Number(row.limit_bytes);
    session.limitAgeMs = Number(row.limit_age_ms);
    session.oldestAt = Number(row.oldest_at);
    session.earliestExpiry = Number(row.earliest_expiry);
    this.#sessions.set(session.id, session);
    this.#messages += session.messages;
    this.#bytes += session.bytes;
  }

  #leave(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#messages -= session.messages;
    this.#bytes -= session.bytes;
  }
}

const TALLIES = `SELECT id, limit_messages, limit_bytes, limit_age_ms, last_sequence, last_packet_identifier, messages, bytes,
  oldest_at, earliest_expiry FROM session JOIN tally ON tally.session = session.id`;

function setLimits(session: StoredSession, fields: SessionFields): void {
  session.limitMessages = fields.limitMessages;
  session.limitBytes = fields.limitBytes;
  session.limitAgeMs = fields.limitAgeMs;
}

function writeSession(writer: ByteWriter, row: SqlRow): void {
  writer.reserve(128);
  writer.varint(Number(row.id));
  writer.text(String(row.key));
  writer.byte(row.space === null ? 0 : 1);
  if (row.space !== null) writer.text(String(row.space));
  writer.text(String(row.client_id));
  writer.reserve(128);
  writer.double(Number(row.expiry_interval));
  writer.double(Number(row.limit_messages));
  writer.double(Number(row.limit_bytes));
  writer.double(Number(row.limit_age_ms));
  writer.double(row.disconnected_at === null ? Number.NaN : Number(row.disconnected_at));
  writer.varint(Number(row.last_sequence));
  writer.varint(Number(row.last_packet_identifier));
  writer.varint(Number(row.messages));
  writeBytes(writer, asBytes(row.will));
}

/** A column as bytes; NULL is none. */
export function asBytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : EMPTY;
}
