import { StoreError } from '../sqlite/store-error.ts';
import type { Extent } from '../sqlite/store-file.ts';
import { ByteReader } from '../telemetry/byte-reader.ts';
import { ByteWriter } from '../telemetry/byte-writer.ts';
import { viewBlock, viewBytes, writeNumbers } from './byte-fields.ts';
import { Operation, QueueFlag } from './messages.ts';
import { type QueueRow, REASON_AGE } from './queue-table.ts';
import type { SessionFields, StoredSession } from './session-table.ts';
import type { SessionTables } from './session-tables.ts';

/** One Session's share of a message; the Session may be gone. */
type Target = Omit<QueueRow, 'session'> & { readonly session: StoredSession | undefined };

/** Carries out the operations of one round, one after the other, within a transaction that the caller ends. */
export class RoundApply {
  readonly answers: Uint8Array<ArrayBuffer>[] = [];
  readonly dropped: number[] = [];
  /** Completions that are told `full`: first and behind last, in pairs. */
  readonly refused: number[] = [];
  readonly #tables: SessionTables;
  readonly #reader: ByteReader;
  readonly #extent: Extent;
  readonly #begin: () => void;
  #begun = false;
  #completion = 0;

  /** `begin` is called before the first change. */
  constructor(tables: SessionTables, operations: Uint8Array, extent: Extent, begin: () => void) {
    this.#tables = tables;
    this.#reader = new ByteReader(Buffer.from(operations.buffer, operations.byteOffset, operations.byteLength));
    this.#extent = extent;
    this.#begin = begin;
  }

  /** Carries them out; without a `begin` there is nothing to commit. */
  run(): void {
    const reader = this.#reader;
    while (reader.at < reader.bytes.length) {
      const operation = reader.byte();
      const completions = operation === Operation.Enqueue ? reader.varint() : reader.byte();
      if (!this.#apply(operation)) this.refused.push(this.#completion, this.#completion + completions);
      this.#completion += completions;
    }
    if (this.#begun) this.#tables.flush();
  }

  /** False: the operation was refused. */
  #apply(operation: number): boolean {
    const reader = this.#reader;
    const { sessions, queue, retained, endings } = this.#tables;
    switch (operation) {
      case Operation.Nothing:
        return true;
      case Operation.Create:
        return this.#create();
      case Operation.Update: {
        const session = sessions.get(reader.varint());
        const fields = readFields(reader);
        if (session !== undefined && this.#changes()) sessions.update(session, fields);
        return true;
      }
      case Operation.Disconnected: {
        const id = reader.varint();
        const expiryInterval = reader.double();
        const disconnectedAt = reader.double();
        const will = orNull(viewBlock(reader));
        if (sessions.get(id) !== undefined && this.#changes()) {
          sessions.disconnected(id, expiryInterval, disconnectedAt, will);
        }
        return true;
      }
      case Operation.RemoveWill: {
        const id = reader.varint();
        if (this.#changes()) sessions.removeWill(id);
        return true;
      }
      case Operation.Retire: {
        const id = reader.varint();
        const key = reader.text();
        if (sessions.get(id) !== undefined && this.#changes()) sessions.retire(id, key);
        return true;
      }
      case Operation.Move:
        this.#move();
        return true;
      case Operation.Remove: {
        const session = sessions.get(reader.varint());
        if (session !== undefined && this.#changes()) endings.end(session);
        return true;
      }
      case Operation.Subscriptions:
        return this.#subscriptions();
      case Operation.Enqueue:
        return this.#enqueue();
      case Operation.Assign: {
        const session = sessions.get(reader.varint());
        const sequence = reader.varint();
        const packetIdentifier = reader.varint();
        if (session !== undefined && this.#changes()) queue.assign(session, sequence, packetIdentifier);
        return true;
      }
      case Operation.MarkReceived: {
        const session = sessions.get(reader.varint());
        const sequence = reader.varint();
        if (session !== undefined && this.#changes()) queue.markReceived(session, sequence);
        return true;
      }
      case Operation.Settle: {
        const session = sessions.get(reader.varint());
        const sequence = reader.varint();
        if (session !== undefined && this.#changes()) queue.settle(session, sequence);
        return true;
      }
      case Operation.Hold: {
        const id = reader.varint();
        const packetIdentifier = reader.varint();
        if (sessions.get(id) === undefined) return true;
        if (!this.#grows()) return false;
        sessions.hold(id, packetIdentifier);
        return true;
      }
      case Operation.Release: {
        const id = reader.varint();
        const packetIdentifier = reader.varint();
        if (this.#changes()) sessions.release(id, packetIdentifier);
        return true;
      }
      case Operation.Expire: {
        const now = reader.double();
        if (this.#changes()) endings.expire(now, this.dropped);
        return true;
      }
      case Operation.Retain: {
        const space = reader.text();
        const topicName = reader.text();
        const id = reader.varint();
        const size = reader.varint();
        const expiresAt = reader.double();
        const bounds = { messages: reader.double(), bytes: reader.double() };
        const message = viewBlock(reader);
        return this.#grows() && retained.put(id, space, topicName, size, expiresAt, message, bounds);
      }
      case Operation.Unretain: {
        const space = reader.text();
        const topicName = reader.text();
        if (this.#changes()) retained.remove(space, topicName);
        return true;
      }
      case Operation.ExpireRetained: {
        const now = reader.double();
        if (this.#changes()) retained.expire(now);
        return true;
      }
      default:
        this.#read(operation);
        return true;
    }
  }

  /** A change that takes no more room than it has; false: changes are not carried out now. */
  #changes(): boolean {
    if (this.#extent === 'reading') return false;
    if (!this.#begun) {
      this.#begun = true;
      this.#begin();
    }
    return true;
  }

  #grows(): boolean {
    return this.#extent === 'all' && this.#changes();
  }

  #create(): boolean {
    const { sessions, endings } = this.#tables;
    const id = this.#reader.varint();
    const fields = readFields(this.#reader);
    const older = sessions.byKey(fields.key);
    // Beginning anew in the place of another one takes no more room.
    if (older === undefined ? !this.#grows() : !this.#changes()) return false;
    if (older !== undefined) endings.end(older);
    sessions.create(id, fields);
    return true;
  }

  #subscriptions(): boolean {
    const reader = this.#reader;
    const { sessions } = this.#tables;
    const id = reader.varint();
    const known = sessions.get(id) !== undefined;
    const removed = Array.from({ length: reader.varint() }, () => reader.text());
    const added = reader.varint();
    const grows = added > 0;
    const may = known && (grows ? this.#grows() : this.#changes());
    if (may) for (const topicFilter of removed) sessions.unsubscribe(id, topicFilter);
    for (let at = 0; at < added; at++) {
      const topicFilter = reader.text();
      const rest = viewBlock(reader);
      if (may) sessions.subscribe(id, topicFilter, rest);
    }
    return may || !known || !grows;
  }

  #enqueue(): boolean {
    const reader = this.#reader;
    const { queue } = this.#tables;
    const message = viewBlock(reader);
    const size = reader.varint();
    const enqueuedAt = reader.double();
    const expiresAt = reader.double();
    const count = reader.varint();
    const rows: QueueRow[] = [];
    for (let at = 0; at < count; at++) {
      const target = this.#target();
      if (isHeld(target)) rows.push(target);
    }
    if (rows.length === 0) return true;
    if (!this.#grows()) return false;
    const number = queue.addMessage(message, rows.length);
    queue.addAll(number, size, enqueuedAt, expiresAt, rows.length > 1 ? QueueFlag.Shared : 0, rows);
    for (const { session } of rows) queue.shorten(session, this.dropped);
    return true;
  }

  #target(): Target {
    const reader = this.#reader;
    return {
      session: this.#tables.sessions.get(reader.varint()),
      sequence: reader.varint(),
      flags: reader.byte(),
      packetIdentifier: reader.varint(),
      rest: orNull(viewBytes(reader)),
    };
  }

  /** It takes no more room than it frees. */
  #move(): void {
    const { sessions, queue } = this.#tables;
    const from = sessions.get(this.#reader.varint());
    const sequence = this.#reader.varint();
    const target = this.#target();
    if (!this.#changes()) return;
    if (target.session === undefined) {
      if (from !== undefined) queue.settle(from, sequence);
      return;
    }
    if (from === undefined || !queue.move(from, sequence, target.session, target.sequence, target.flags, target.rest)) {
      this.dropped.push(target.session.id, target.sequence, REASON_AGE);
    } else queue.shorten(target.session, this.dropped);
  }

  #read(operation: number): void {
    const reader = this.#reader;
    const { sessions, queue, retained, endings } = this.#tables;
    const writer = new ByteWriter(1024);
    switch (operation) {
      case Operation.Read:
      case Operation.Flights: {
        const id = reader.varint();
        const after = reader.varint();
        const limit = reader.varint();
        const session = sessions.get(id);
        if (session !== undefined && endings.isWaiting(session) && this.#changes()) {
          endings.expireNow(session, this.dropped);
          queue.flush();
        }
        if (operation === Operation.Read) queue.read(writer, session === undefined ? 0 : id, after, limit);
        else {
          queue.flights(writer, session === undefined ? 0 : id);
          writeNumbers(writer, session === undefined ? [] : sessions.incoming(id));
        }
        break;
      }
      case Operation.LoadSessions:
        if (this.#begun) sessions.flush();
        sessions.page(writer, reader.varint(), reader.varint());
        break;
      case Operation.ReadRetained: {
        const space = reader.text();
        const topicFilter = reader.text();
        const from = reader.text();
        const upTo = reader.varint();
        const now = reader.double();
        retained.page(writer, space, topicFilter, from, upTo, now, reader.varint());
        break;
      }
      default:
        throw new StoreError('corrupt-record', `Operation ${operation} at ${reader.at} is not known`);
    }
    this.answers.push(writer.slice());
  }
}

function isHeld(target: Target): target is QueueRow {
  return target.session !== undefined;
}

function readFields(reader: ByteReader): SessionFields {
  return {
    key: reader.text(),
    space: reader.byte() === 0 ? null : reader.text(),
    clientId: reader.text(),
    expiryInterval: reader.double(),
    limitMessages: reader.double(),
    limitBytes: reader.double(),
    limitAgeMs: reader.double(),
    will: orNull(viewBlock(reader)),
  };
}

/** No bytes stand for null. */
function orNull(bytes: Buffer): Buffer | null {
  return bytes.length === 0 ? null : bytes;
}
