import type { SqliteDriver, SqliteStatement, SqlRow } from '../sqlite/driver.ts';
import { StoreError } from '../sqlite/store-error.ts';
import type { FileMemory } from '../sqlite/store-file.ts';
import type { BuriedMessage, Operation, OperationResult } from './messages.ts';
import { type EntryFields, type PackedEntries, packBodies } from './packed-entries.ts';

/** Bodies in one answer, about. */
const SLICE_BYTES = 4_194_304;
const NOTHING: OperationResult = { type: 'nothing' };

interface Target {
  readonly id: number;
  readonly targetId: string;
  readonly tenantId: string;
  waiting: number;
  dead: number;
}

/** The operations of the outbox on its tables. Changes happen in a transaction that the caller begins and ends. */
export class OutboxTable implements FileMemory {
  readonly #database: SqliteDriver;
  readonly #targets = new Map<string, Target>();
  readonly #byNumber = new Map<number, Target>();
  readonly #insert: SqliteStatement;
  readonly #insertTarget: SqliteStatement;
  readonly #deleteTarget: SqliteStatement;
  readonly #read: SqliteStatement;
  readonly #settle: SqliteStatement;
  readonly #bury: SqliteStatement;
  readonly #find: SqliteStatement;
  readonly #revive: SqliteStatement;
  readonly #message: SqliteStatement;
  readonly #removeSlice: SqliteStatement;
  readonly #expire: SqliteStatement;
  readonly #expireOldest: SqliteStatement;

  constructor(database: SqliteDriver) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO message (sequence, target, kind, created_at, event_id, order_key, url, content_type, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertTarget = database.prepare('INSERT INTO target (target_id, tenant_id) VALUES (?, ?) RETURNING id');
    this.#deleteTarget = database.prepare('DELETE FROM target WHERE id = ?');
    this.#read = database.prepare(
      'SELECT * FROM message WHERE target = ? AND letter IS NULL AND sequence > ? ORDER BY sequence LIMIT ?',
    );
    this.#settle = database.prepare('DELETE FROM message WHERE sequence = ? AND letter IS NULL RETURNING target');
    this.#bury = database.prepare(
      `UPDATE message SET letter = ?, attempts = ?, last_error = ?, expires_at = ?
       WHERE sequence = ? AND letter IS NULL RETURNING target`,
    );
    this.#find = database.prepare('SELECT sequence, target FROM message WHERE letter = ?');
    this.#revive = database.prepare(
      `UPDATE message SET sequence = ?, created_at = ?, letter = NULL, attempts = NULL, last_error = NULL, expires_at = NULL
       WHERE sequence = ?`,
    );
    this.#message = database.prepare('SELECT * FROM message WHERE sequence = ?');
    this.#removeSlice = database.prepare(
      `DELETE FROM message WHERE sequence IN (
         SELECT sequence FROM message WHERE target = ?1 AND letter IS NULL AND sequence <= ?2
         UNION ALL SELECT sequence FROM message WHERE target = ?1 AND letter IS NOT NULL AND sequence <= ?2 LIMIT ?3
       ) RETURNING letter IS NOT NULL AS dead`,
    );
    this.#expire = database.prepare(
      `DELETE FROM message WHERE sequence IN (
         SELECT sequence FROM message WHERE letter IS NOT NULL AND expires_at <= ? LIMIT ?
       ) RETURNING target`,
    );
    this.#expireOldest = database.prepare(
      `DELETE FROM message WHERE sequence IN (
         SELECT sequence FROM message WHERE target = ? AND letter IS NOT NULL ORDER BY sequence LIMIT ?
       ) RETURNING target`,
    );
  }

  /** Reads the targets and how much there is of each; also after a rollback. */
  reload(): void {
    this.#targets.clear();
    this.#byNumber.clear();
    for (const row of this.#database.prepare('SELECT * FROM target').iterate([])) {
      this.#know(Number(row.id), String(row.target_id), String(row.tenant_id));
    }
    for (const [state, member] of [
      ['IS NULL', 'waiting'],
      ['IS NOT NULL', 'dead'],
    ] as const) {
      const counts = this.#database.prepare(
        `SELECT target, count(*) AS count FROM message WHERE letter ${state} GROUP BY target`,
      );
      for (const row of counts.iterate([])) this.#target(row)[member] = Number(row.count);
    }
  }

  get waiting(): number {
    return this.#sum('waiting');
  }

  get dead(): number {
    return this.#sum('dead');
  }

  /** True if nothing would be lost with the file. */
  get empty(): boolean {
    const suspension = this.#database.prepare('SELECT 1 FROM suspension LIMIT 1').get([]);
    return this.waiting + this.dead === 0 && suspension === undefined;
  }

  perform(operation: Operation): OperationResult {
    switch (operation.type) {
      case 'load':
        return this.#load();
      case 'append':
        return this.#append(operation.entries);
      case 'read':
        return this.#readSlice(operation.targetId, operation.after, operation.limit);
      case 'settle':
        for (const sequence of operation.sequences) {
          const row = this.#settle.get([sequence]);
          if (row !== undefined) this.#target(row).waiting -= 1;
        }
        return NOTHING;
      case 'bury':
        return this.#buryAll(operation.letters);
      case 'revive':
        return this.#reviveLetter(operation);
      case 'list':
        return this.#list(operation);
      case 'removeTarget':
        return this.#remove(operation);
      case 'suspend':
        return this.#suspend(operation.targetId, operation.url);
      case 'expire':
        return this.#expireSlice(operation);
      case 'statistics':
        return this.#count();
    }
  }

  #load(): OperationResult {
    const kind = this.#database.prepare('SELECT kind FROM message WHERE sequence = ?');
    const oldest = this.#database.prepare(
      'SELECT min(sequence) AS sequence FROM message WHERE target = ? AND letter IS NULL',
    );
    const queues = [...this.#targets.values()]
      .filter(({ waiting }) => waiting > 0)
      .map(({ id, targetId, waiting }) => {
        const sequence = Number(oldest.get([id])?.sequence);
        return { targetId, kind: String(kind.get([sequence])?.kind), messages: waiting, oldest: sequence };
      });
    const last = this.#database.prepare('SELECT ifnull(max(sequence), 0) AS sequence FROM message').get([]);
    const suspended = this.#database
      .prepare('SELECT target_id, url FROM suspension')
      .all([])
      .map((row) => ({ targetId: String(row.target_id), url: String(row.url) }));
    return { type: 'loaded', lastSequence: Number(last?.sequence), queues, suspended };
  }

  #append({ fields, bodies }: PackedEntries): OperationResult {
    let at = 0;
    for (const entry of fields) {
      const { sequence, createdTime, kind, targetId, tenantId, eventId, orderKey, url, contentType, bodyBytes } = entry;
      const target = this.#targets.get(targetId) ?? this.#newTarget(targetId, tenantId);
      const body = bodies.subarray(at, at + bodyBytes);
      at += bodyBytes;
      this.#insert.run([sequence, target.id, kind, createdTime, eventId, orderKey, url, contentType, body]);
      target.waiting += 1;
    }
    return NOTHING;
  }

  #readSlice(targetId: string, after: number, limit: number): OperationResult {
    const target = this.#targets.get(targetId);
    const rows: SqlRow[] = [];
    let bytes = 0;
    if (target !== undefined && limit > 0) {
      for (const row of this.#read.iterate([target.id, after, limit])) {
        bytes += bodyOf(row).length;
        if (rows.length > 0 && bytes > SLICE_BYTES) break;
        rows.push(row);
      }
    }
    return { type: 'entries', entries: this.#packed(rows), total: rows.length };
  }

  #buryAll(letters: readonly BuriedMessage[]): OperationResult {
    for (const { id, sequence, attempts, lastError, expiresTime } of letters) {
      const row = this.#bury.get([id, attempts, lastError, expiresTime, sequence]);
      if (row === undefined) continue;
      const target = this.#target(row);
      target.waiting -= 1;
      target.dead += 1;
    }
    return NOTHING;
  }

  #reviveLetter(operation: Extract<Operation, { type: 'revive' }>): OperationResult {
    const { id, tenantId, sequence, createdTime } = operation;
    const found = this.#find.get([id]);
    const target = found === undefined ? undefined : this.#target(found);
    if (found === undefined || target?.tenantId !== tenantId) return NOTHING;
    this.#revive.run([sequence, createdTime, found.sequence]);
    target.dead -= 1;
    target.waiting += 1;
    const row = this.#message.get([sequence]);
    return { type: 'entries', entries: this.#packed(row === undefined ? [] : [row]), total: 1 };
  }

  #list({ dead, tenantId, offset, limit }: Extract<Operation, { type: 'list' }>): OperationResult {
    const targets = [...this.#targets.values()].filter((target) => target.tenantId === tenantId);
    const total = targets.reduce((sum, target) => sum + (dead ? target.dead : target.waiting), 0);
    const numbers = targets.map(({ id }) => id).join(',');
    // The index alone gives the page; rows with their bodies are read for that only.
    const page = this.#database.prepare(
      `SELECT sequence FROM message WHERE target IN (${numbers}) AND letter ${dead ? 'IS NOT NULL' : 'IS NULL'}
       ORDER BY sequence DESC LIMIT ? OFFSET ?`,
    );
    const rows: SqlRow[] = [];
    for (const { sequence } of page.all([limit, offset])) {
      const row = this.#message.get([sequence]);
      if (row !== undefined) rows.push(row);
    }
    return { type: 'entries', entries: this.#packed(rows), total };
  }

  #remove({ targetId, upTo, limit }: Extract<Operation, { type: 'removeTarget' }>): OperationResult {
    this.#suspend(targetId, null);
    const target = this.#targets.get(targetId);
    if (target === undefined) return NOTHING;
    const last = upTo ?? Number.MAX_SAFE_INTEGER;
    const newest =
      upTo ?? Number(this.#database.prepare('SELECT ifnull(max(sequence), 0) AS last FROM message').get([])?.last);
    const removed = this.#removeSlice.all([target.id, last, limit]);
    for (const row of removed) target[Number(row.dead) === 1 ? 'dead' : 'waiting'] -= 1;
    if (removed.length >= limit) return { type: 'more', upTo: newest };
    if (target.waiting + target.dead === 0) {
      this.#deleteTarget.run([target.id]);
      this.#targets.delete(targetId);
      this.#byNumber.delete(target.id);
    }
    return NOTHING;
  }

  #suspend(targetId: string, url: string | null): OperationResult {
    if (url === null) this.#database.prepare('DELETE FROM suspension WHERE target_id = ?').run([targetId]);
    else this.#database.prepare('INSERT OR REPLACE INTO suspension VALUES (?, ?)').run([targetId, url]);
    return NOTHING;
  }

  #expireSlice({ now, keepPerTarget, limit }: Extract<Operation, { type: 'expire' }>): OperationResult {
    const expired = this.#expire.all([now, limit]);
    for (const row of expired) this.#target(row).dead -= 1;
    let left = limit - expired.length;
    for (const target of this.#targets.values()) {
      const excess = Math.min(left, target.dead - keepPerTarget);
      if (excess <= 0) continue;
      const removed = this.#expireOldest.all([target.id, excess]).length;
      target.dead -= removed;
      left -= removed;
    }
    return left === 0 ? { type: 'more', upTo: 0 } : NOTHING;
  }

  #count(): OperationResult {
    const bytes = Number(this.#database.pragma('page_count')) * Number(this.#database.pragma('page_size'));
    return { type: 'counted', bytes, waiting: this.waiting, dead: this.dead };
  }

  #packed(rows: readonly SqlRow[]): PackedEntries {
    const bodies = rows.map(bodyOf);
    const fields = rows.map((row, index): EntryFields => {
      const { targetId, tenantId } = this.#target(row);
      return {
        sequence: Number(row.sequence),
        createdTime: Number(row.created_at),
        kind: String(row.kind),
        targetId,
        tenantId,
        eventId: String(row.event_id),
        orderKey: String(row.order_key),
        url: String(row.url),
        contentType: String(row.content_type),
        bodyBytes: bodies[index]?.length ?? 0,
        letter:
          row.letter === null
            ? null
            : {
                id: String(row.letter),
                attempts: Number(row.attempts),
                lastError: String(row.last_error),
                expiresTime: Number(row.expires_at),
              },
      };
    });
    return { fields, bodies: packBodies(bodies) };
  }

  #newTarget(targetId: string, tenantId: string): Target {
    const row = this.#insertTarget.get([targetId, tenantId]);
    return this.#know(Number(row?.id), targetId, tenantId);
  }

  #know(id: number, targetId: string, tenantId: string): Target {
    const target: Target = { id, targetId, tenantId, waiting: 0, dead: 0 };
    this.#targets.set(targetId, target);
    this.#byNumber.set(id, target);
    return target;
  }

  #target(row: SqlRow): Target {
    const target = this.#byNumber.get(Number(row.target));
    if (target === undefined) throw new StoreError('corrupt-record', `Target ${String(row.target)} is not known`);
    return target;
  }

  #sum(member: 'waiting' | 'dead'): number {
    let sum = 0;
    for (const target of this.#targets.values()) sum += target[member];
    return sum;
  }
}

function bodyOf(row: SqlRow): Uint8Array {
  return row.body instanceof Uint8Array ? row.body : new Uint8Array(0);
}
