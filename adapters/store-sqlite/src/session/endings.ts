import type { SqliteDriver, SqliteStatement } from '../sqlite/driver.ts';
import type { QueueTable } from './queue-table.ts';
import type { RetainedTable } from './retained-table.ts';
import type { SessionTable, StoredSession } from './session-table.ts';

/** Queues up to this long are emptied with their Session; longer ones in slices. */
const SHORT_QUEUE = 50;
/** Rows of one slice of background work. */
const SLICE_ROWS = 1_000;
/** Rows that one call of `expire` looks at; the rest is looked at in slices. */
const EXPIRE_ROWS = 5_000;

/** What takes long and is done in slices between the commits: emptying queues of ended Sessions, dropping what is old. */
export class Endings {
  readonly #database: SqliteDriver;
  readonly #sessions: SessionTable;
  readonly #queue: QueueTable;
  readonly #retained: RetainedTable;
  readonly #doom: SqliteStatement;
  readonly #forget: SqliteStatement;
  #doomed: number[] = [];
  /** Sessions that are still to be looked at, the next one last. */
  #waiting: number[] = [];
  #waitingSet = new Set<number>();
  #now = 0;

  constructor(database: SqliteDriver, sessions: SessionTable, queue: QueueTable, retained: RetainedTable) {
    this.#database = database;
    this.#sessions = sessions;
    this.#queue = queue;
    this.#retained = retained;
    this.#doom = database.prepare('INSERT INTO doomed VALUES (?)');
    this.#forget = database.prepare('DELETE FROM doomed WHERE session = ?');
  }

  /** Reads what a start or a rollback left to be done. */
  load(): void {
    this.#doomed = this.#database
      .prepare('SELECT session FROM doomed')
      .all([])
      .map((row) => Number(row.session));
  }

  /** Removes a Session for good; a long queue is out of sight at once and emptied later. */
  end(session: StoredSession): void {
    const { id } = session;
    this.#sessions.remove(session);
    if (session.messages === 0) return;
    if (session.messages <= SHORT_QUEUE) this.#queue.empty(id, SHORT_QUEUE);
    else {
      this.#doom.run([id]);
      this.#doomed.push(id);
    }
  }

  /** Drops messages that are too old, of some Sessions now and of the others in slices. */
  expire(now: number, dropped: number[]): void {
    this.#now = now;
    this.#waiting = [];
    for (const session of this.#sessions.all()) if (session.isDue(now)) this.#waiting.push(session.id);
    this.#waitingSet = new Set(this.#waiting);
    this.#expireSome(EXPIRE_ROWS, dropped);
  }

  isWaiting(session: StoredSession): boolean {
    return this.#waitingSet.has(session.id);
  }

  /** A Session is read before its turn. */
  expireNow(session: StoredSession, dropped: number[]): void {
    this.#waitingSet.delete(session.id);
    this.#queue.expire(session, this.#now, dropped);
  }

  get pending(): boolean {
    return this.#doomed.length > 0 || this.#waiting.length > 0 || this.#retained.pending;
  }

  /** Does a slice within a transaction of the caller. */
  step(dropped: number[]): void {
    if (this.#waiting.length > 0) this.#expireSome(SLICE_ROWS, dropped);
    else if (this.#retained.pending) this.#retained.expireSome();
    else this.#emptySome(SLICE_ROWS);
  }

  #emptySome(rows: number): void {
    for (let left = rows; left > 0; ) {
      const id = this.#doomed.at(-1);
      if (id === undefined) return;
      const emptied = this.#queue.empty(id, left);
      if (emptied === left) return;
      left -= emptied + 1;
      this.#forget.run([id]);
      this.#doomed.pop();
    }
  }

  #expireSome(rows: number, dropped: number[]): void {
    for (let left = rows; left > 0; ) {
      const id = this.#waiting.pop();
      if (id === undefined) return;
      const session = this.#sessions.get(id);
      if (!this.#waitingSet.delete(id) || session === undefined) continue;
      left -= 1 + this.#queue.expire(session, this.#now, dropped);
    }
  }
}
