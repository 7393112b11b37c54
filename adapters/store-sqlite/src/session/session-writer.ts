import { StoreFile } from '../sqlite/store-file.ts';
import type { StoreState } from '../sqlite/writer-messages.ts';
import type { BackgroundReply, RoundReply, SessionsReady, SessionWriterOptions } from './messages.ts';
import { RoundApply } from './round-apply.ts';
import { SESSION_MIGRATIONS } from './schema.ts';
import { SessionTables } from './session-tables.ts';

/** The only writer of the session file. Runs in a thread of its own. */
export class SessionWriter {
  readonly #file: StoreFile<SessionTables>;

  private constructor(file: StoreFile<SessionTables>) {
    this.#file = file;
  }

  /** Opens or creates the file and reads the tallies. Throws `StoreError`. */
  static open(options: SessionWriterOptions): SessionWriter {
    const particular = {
      name: 'session',
      migrations: SESSION_MIGRATIONS,
      cacheKib: 16_384,
      walPages: 4_096,
      trial: 'INSERT INTO message (id, b) VALUES (-1, zeroblob(262144))',
      vacuumSlices: 8,
    };
    const { retainedMaximumBytes } = options;
    return new SessionWriter(
      StoreFile.open({ ...options, ...particular }, (database) => new SessionTables(database, retainedMaximumBytes)),
    );
  }

  ready(): SessionsReady {
    const { sessions, retained } = this.#file.memory;
    const row = this.#file.database
      .prepare(
        'SELECT max((SELECT ifnull(max(id), 0) FROM session), (SELECT ifnull(max(session), 0) FROM doomed)) AS id',
      )
      .get([]);
    return {
      type: 'ready',
      nextSession: Number(row?.id ?? 0) + 1,
      totals: sessions.totals,
      retained: retained.totals,
      lastChange: retained.highest,
      retainedSpaces: retained.spaces,
    };
  }

  /** Stores a round in one commit. Never throws: what goes wrong is the outcome. */
  round(operations: Uint8Array): RoundReply {
    const startedAt = performance.now();
    const file = this.#file;
    const { outcome, done } = file.round((extent) => {
      const apply = new RoundApply(file.memory, operations, extent, () => file.begin());
      apply.run();
      return apply;
    });
    return {
      type: 'round',
      outcome,
      refused: done?.refused ?? [],
      dropped: done?.dropped ?? [],
      answers: done?.answers ?? [],
      ...this.#standing(),
      elapsedMs: performance.now() - startedAt,
    };
  }

  #standing(): Pick<RoundReply, 'totals' | 'retained' | 'state' | 'reason'> {
    const { sessions, retained } = this.#file.memory;
    return {
      totals: sessions.totals,
      retained: retained.totals,
      state: this.#file.state,
      reason: this.#file.reason,
    };
  }

  /** True if there is background work. */
  get pending(): boolean {
    return this.#file.state === 'ok' && (!this.#file.ballastHeld || this.#file.memory.endings.pending);
  }

  /** Does a slice of background work. */
  background(): BackgroundReply {
    const file = this.#file;
    const tables = file.memory;
    let dropped: number[] = [];
    file.growBallast();
    if (file.state === 'ok' && tables.endings.pending) {
      const done = file.transact(() => {
        const aged: number[] = [];
        file.begin();
        tables.endings.step(aged);
        tables.flush();
        return aged;
      });
      dropped = done ?? [];
    }
    return { type: 'background', dropped, ...this.#standing() };
  }

  get state(): StoreState {
    return this.#file.state;
  }

  /** Writes the WAL back into the file, if the disk has room for it, and closes it. */
  close(): void {
    this.#file.close();
  }
}
