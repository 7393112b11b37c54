import type { SqliteDriver } from '../sqlite/driver.ts';
import type { FileMemory } from '../sqlite/store-file.ts';
import { Endings } from './endings.ts';
import { QueueTable } from './queue-table.ts';
import { RetainedTable } from './retained-table.ts';
import { SessionTable } from './session-table.ts';

/** The tables of the session file, and what is kept in memory of them. */
export class SessionTables implements FileMemory {
  readonly sessions: SessionTable;
  readonly queue: QueueTable;
  readonly retained: RetainedTable;
  readonly endings: Endings;

  constructor(database: SqliteDriver, retainedMaximumBytes: number) {
    this.sessions = new SessionTable(database);
    this.queue = new QueueTable(database, this.sessions);
    this.retained = new RetainedTable(database, retainedMaximumBytes);
    this.endings = new Endings(database, this.sessions, this.queue, this.retained);
  }

  reload(): void {
    this.sessions.load();
    this.retained.load();
    this.endings.load();
  }

  /** Writes what the transaction has gathered; to be called before its end. */
  flush(): void {
    this.queue.flush();
    this.sessions.flush();
    this.retained.flush();
  }

  committed(): void {
    this.sessions.committed();
    this.retained.committed();
  }

  rolledBack(): void {
    this.queue.rolledBack();
    this.sessions.rolledBack();
    this.retained.rolledBack();
    this.endings.load();
  }
}
