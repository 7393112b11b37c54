import type { SqliteDriver, SqliteStatement, SqlRow } from '../sqlite/driver.ts';
import type { ByteWriter } from '../telemetry/byte-writer.ts';
import { fillNumber, leaveNumber, writeBytes } from './byte-fields.ts';
import type { Totals } from './messages.ts';
import { asBytes } from './session-table.ts';
import { TopicRange } from './topic-range.ts';

/** A page ends behind the message that exceeds this, */
const PAGE_BYTES = 1_048_576;
/** or after so many names were looked at, so that commits do not wait long. */
const PAGE_NAMES = 5_000;
/** Expired messages removed at once. */
const SLICE_ROWS = 1_000;

/** Bounds of a Retained Message, as the store was told. */
export interface RetainedBounds {
  readonly messages: number;
  readonly bytes: number;
}

interface SpaceTotals {
  messages: number;
  bytes: number;
}

/**
 * Retained Messages, by space and Topic Name in byte order. Each change gives its message a new, higher id, so that a
 * reader can leave out what changed after it began.
 */
export class RetainedTable {
  readonly #database: SqliteDriver;
  readonly #maximumBytes: number;
  readonly #spaces = new Map<string, SpaceTotals>();
  /** Spaces whose totals the open transaction has changed. */
  readonly #dirty = new Set<string>();
  #messages = 0;
  #bytes = 0;
  readonly #find: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #expired: SqliteStatement;
  readonly #names: SqliteStatement;
  readonly #one: SqliteStatement;
  readonly #space: SqliteStatement;
  readonly #saveSpace: SqliteStatement;
  readonly #deleteSpace: SqliteStatement;
  /** Messages that expired up to then are still to be removed; epoch milliseconds. */
  #due: number | null = null;

  /** `maximumBytes` bounds all spaces together. */
  constructor(database: SqliteDriver, maximumBytes: number) {
    this.#database = database;
    this.#maximumBytes = maximumBytes;
    this.#find = database.prepare('SELECT id, size FROM retained WHERE space = ? AND topic_name = ?');
    this.#insert = database.prepare('INSERT INTO retained VALUES (?, ?, ?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM retained WHERE id = ?');
    this.#expired = database.prepare(`SELECT id, space, size FROM retained WHERE expires_at <= ? LIMIT ${SLICE_ROWS}`);
    this.#names = database.prepare(
      `SELECT id, topic_name FROM retained WHERE space = ? AND topic_name >= ? AND topic_name < ?
       ORDER BY topic_name LIMIT ${PAGE_NAMES}`,
    );
    this.#one = database.prepare('SELECT expires_at, b FROM retained WHERE id = ?');
    this.#space = database.prepare('SELECT * FROM retained_space WHERE space = ?');
    this.#saveSpace = database.prepare('INSERT OR REPLACE INTO retained_space VALUES (?, ?, ?)');
    this.#deleteSpace = database.prepare('DELETE FROM retained_space WHERE space = ?');
  }

  /** Reads the totals of all spaces. */
  load(): void {
    this.#spaces.clear();
    this.#dirty.clear();
    this.#messages = 0;
    this.#bytes = 0;
    for (const row of this.#database.prepare('SELECT * FROM retained_space').iterate([])) this.#enter(row);
  }

  get totals(): Totals {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Spaces that hold a Retained Message. */
  get spaces(): string[] {
    return [...this.#spaces.keys()];
  }

  get highest(): number {
    return Number(this.#database.prepare('SELECT max(id) AS id FROM retained').get([])?.id ?? 0);
  }

  /** Replaces the message of a topic; false: it exceeds the bounds. */
  put(
    id: number,
    space: string,
    topicName: string,
    size: number,
    expiresAt: number,
    message: Buffer,
    bounds: RetainedBounds,
  ): boolean {
    const older = this.#find.get([space, topicName]);
    const addedMessages = older === undefined ? 1 : 0;
    const addedBytes = size - Number(older?.size ?? 0);
    const { messages, bytes } = this.#spaces.get(space) ?? { messages: 0, bytes: 0 };
    if (messages + addedMessages > bounds.messages) return false;
    if (addedBytes > 0 && (bytes + addedBytes > bounds.bytes || this.#bytes + addedBytes > this.#maximumBytes)) {
      return false;
    }
    if (older !== undefined) this.#delete.run([older.id]);
    this.#insert.run([id, space, topicName, size, expiresAt === Number.POSITIVE_INFINITY ? null : expiresAt, message]);
    this.#count(space, addedMessages, addedBytes);
    return true;
  }

  remove(space: string, topicName: string): void {
    const older = this.#find.get([space, topicName]);
    if (older === undefined) return;
    this.#delete.run([older.id]);
    this.#count(space, -1, -Number(older.size));
  }

  /** Removes expired messages, some now and the others in slices. */
  expire(now: number): void {
    this.#due = now;
    this.expireSome();
  }

  get pending(): boolean {
    return this.#due !== null;
  }

  expireSome(): void {
    if (this.#due === null) return;
    const rows = this.#expired.all([this.#due]);
    for (const row of rows) {
      this.#delete.run([row.id]);
      this.#count(String(row.space), -1, -Number(row.size));
    }
    if (rows.length < SLICE_ROWS) this.#due = null;
  }

  /** Writes the totals that have changed; COMMIT follows. */
  flush(): void {
    for (const space of this.#dirty) {
      const { messages, bytes } = this.#spaces.get(space) ?? { messages: 0, bytes: 0 };
      if (messages > 0) this.#saveSpace.run([space, messages, bytes]);
      else this.#deleteSpace.run([space]);
    }
  }

  committed(): void {
    this.#dirty.clear();
  }

  /** The totals that the transaction had changed are read again. */
  rolledBack(): void {
    for (const space of this.#dirty) {
      const totals = this.#spaces.get(space);
      this.#messages -= totals?.messages ?? 0;
      this.#bytes -= totals?.bytes ?? 0;
      this.#spaces.delete(space);
      const row = this.#space.get([space]);
      if (row !== undefined) this.#enter(row);
    }
    this.#dirty.clear();
  }

  /**
   * Writes at most `limit` matches from the name `from` on: their number, the name to go on with (empty: the end), then
   * each message. Left out is what has expired, and what was changed after `upTo`.
   */
  page(
    writer: ByteWriter,
    space: string,
    topicFilter: string,
    from: string,
    upTo: number,
    now: number,
    limit: number,
  ): void {
    const place = leaveNumber(writer);
    const messages: Uint8Array[] = [];
    let sizeBytes = 0;
    const take = (id: number): void => {
      const row = id > upTo ? undefined : this.#one.get([id]);
      if (row === undefined || (row.expires_at !== null && Number(row.expires_at) <= now)) return;
      const bytes = asBytes(row.b);
      messages.push(bytes);
      sizeBytes += bytes.length;
    };
    const range = new TopicRange(topicFilter);
    const { prefix, behind, parent } = range;
    const parentIsBefore = from !== '' && (prefix !== null || Buffer.from(parent ?? '').compare(Buffer.from(from)) < 0);
    if (parent !== null && !parentIsBefore) {
      const row = this.#find.get([space, parent]);
      if (row !== undefined) take(Number(row.id));
    }
    let next = '';
    let names = 0;
    if (prefix !== null) {
      for (const row of this.#names.iterate([space, from === '' ? prefix : from, behind])) {
        const topicName = String(row.topic_name);
        if (messages.length >= limit || sizeBytes >= PAGE_BYTES) {
          next = topicName;
          break;
        }
        names++;
        if (range.matches(topicName)) take(Number(row.id));
        // The smallest name behind this one: no Topic Name has U+0000.
        if (names === PAGE_NAMES) next = `${topicName}\0`;
      }
    }
    writer.text(next);
    for (const bytes of messages) writeBytes(writer, bytes);
    fillNumber(writer, place, messages.length);
  }

  #count(space: string, messages: number, bytes: number): void {
    let totals = this.#spaces.get(space);
    if (totals === undefined) {
      totals = { messages: 0, bytes: 0 };
      this.#spaces.set(space, totals);
    }
    totals.messages += messages;
    totals.bytes += bytes;
    this.#messages += messages;
    this.#bytes += bytes;
    this.#dirty.add(space);
    if (totals.messages === 0) this.#spaces.delete(space);
  }

  #enter(row: SqlRow): void {
    const totals = { messages: Number(row.messages), bytes: Number(row.bytes) };
    this.#spaces.set(String(row.space), totals);
    this.#messages += totals.messages;
    this.#bytes += totals.bytes;
  }
}
