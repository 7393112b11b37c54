import { type Result, success } from '../errors.ts';
import { NULL_ID } from '../model/entities.ts';
import type { DocumentCollection } from '../ports/documents.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock } from '../ports/runtime.ts';
import { commitRefusal } from '../registry/commit-refusals.ts';

/** One record for each session that was logged out, by the id of the session. */
const REVOKED_SESSIONS: DocumentCollection = {
  name: 'revoked_session',
  filters: ['until'],
  sorts: ['until'],
  search: [],
  unique: [],
};

/** Sessions kept; of more, those whose tokens expire first are forgotten. */
const MAX_SESSIONS = 100_000;
const SLICE = 1000;
/** Logouts between two sweeps of the store. */
const SWEEP_EVERY = 500;

/** Sessions whose tokens are void although they have not expired; kept until the last of these has. */
export class RevokedSessions {
  readonly #repositories: Pick<Repositories, 'commit' | 'documents'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #maximum: number;
  readonly #untilBySession = new Map<string, number>();
  #unswept = 0;

  private constructor(
    repositories: Pick<Repositories, 'commit' | 'documents'>,
    clock: Pick<Clock, 'now'>,
    maximum: number,
  ) {
    this.#repositories = repositories;
    this.#clock = clock;
    this.#maximum = maximum;
  }

  /** Reads what an earlier run left. */
  static async open(
    repositories: Pick<Repositories, 'commit' | 'documents'>,
    clock: Pick<Clock, 'now'>,
    maximum = MAX_SESSIONS,
  ): Promise<RevokedSessions> {
    const sessions = new RevokedSessions(repositories, clock, maximum);
    await repositories.commit([sessions.#sweep()]);
    await sessions.#load();
    return sessions;
  }

  has(sessionId: string): boolean {
    return this.#untilBySession.has(sessionId);
  }

  /**
   * Ends a session; `until` is the moment, in epoch milliseconds, when its last token has expired. In force at once, also
   * where it could not be stored and the answer is a refusal.
   */
  async add(sessionId: string, until: number): Promise<Result<null>> {
    const known = this.#untilBySession.has(sessionId);
    this.#makeRoom();
    this.#untilBySession.set(sessionId, until);
    if (known) return success(null);
    const now = this.#clock.now();
    const record = { id: sessionId, tenantId: NULL_ID, createdTime: now, version: 1, body: { until } };
    const changes: Change[] = [
      { kind: 'deleteDocument', collection: REVOKED_SESSIONS, id: sessionId, expectedVersion: null },
      { kind: 'putDocument', collection: REVOKED_SESSIONS, record, expectedVersion: null },
    ];
    this.#unswept += 1;
    if (this.#unswept >= SWEEP_EVERY) {
      this.#unswept = 0;
      changes.push(this.#sweep());
    }
    const outcome = await this.#repositories.commit(changes);
    return outcome === 'done' ? success(null) : commitRefusal(outcome);
  }

  async #load(): Promise<void> {
    for (let offset = 0; offset < this.#maximum; offset += SLICE) {
      const { records } = await this.#repositories.documents(REVOKED_SESSIONS, {
        tenantId: null,
        conditions: [{ member: 'until', is: '>', value: this.#clock.now() }],
        textSearch: null,
        sort: 'until',
        descending: true,
        offset,
        limit: SLICE,
      });
      for (const { id, body } of records) {
        if (typeof body.until === 'number' && this.#untilBySession.size < this.#maximum) {
          this.#untilBySession.set(id, body.until);
        }
      }
      if (records.length < SLICE) break;
    }
    // Oldest first, as they are entered later.
    const ascending = [...this.#untilBySession].sort(([, a], [, b]) => a - b);
    this.#untilBySession.clear();
    for (const [id, until] of ascending) this.#untilBySession.set(id, until);
  }

  #makeRoom(): void {
    const now = this.#clock.now();
    for (const [oldest, until] of this.#untilBySession) {
      if (until > now && this.#untilBySession.size < this.#maximum) break;
      this.#untilBySession.delete(oldest);
    }
  }

  /** Records whose tokens have expired, more of them than come in between two sweeps. */
  #sweep(): Change {
    const conditions = [{ member: 'until', is: '<=' as const, value: this.#clock.now() }];
    return { kind: 'deleteDocuments', collection: REVOKED_SESSIONS, tenantId: null, conditions, limit: 2 * SLICE };
  }
}
