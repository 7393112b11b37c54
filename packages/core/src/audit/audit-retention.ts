import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Scheduler } from '../ports/runtime.ts';
import { AUDIT_LOG } from './audit-collection.ts';

const DAY_MS = 86_400_000;
const FIRST_SWEEP_MS = 60_000;
const SWEEP_INTERVAL_MS = 3_600_000;
/** Lines deleted in one commit, and the pause after it in which the store serves others. */
const SLICE = 500;
const PAUSE_MS = 100;

export interface AuditRetentionOptions {
  readonly repositories: Pick<Repositories, 'commit' | 'documents'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly retentionDays: number;
  readonly maxLines: number;
  readonly report: (error: unknown) => void;
}

/** Removes lines that are too old, and the oldest of too many, once an hour in slices. */
export class AuditRetention {
  readonly #options: AuditRetentionOptions;
  #cancel = (): void => {};
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AuditRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(FIRST_SWEEP_MS);
  }

  /** Resolves when nothing is being removed. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#sweeping;
  }

  #later(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.scheduler.after(delayMs, () => {
      this.#sweeping = this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    let more = false;
    try {
      more = await this.#removeSlice();
    } catch (error) {
      this.#options.report(error);
    }
    this.#later(more ? PAUSE_MS : SWEEP_INTERVAL_MS);
  }

  /** True if there is more to remove. */
  async #removeSlice(): Promise<boolean> {
    const { repositories, clock, retentionDays, maxLines } = this.#options;
    const old = [{ member: 'createdTime', is: '<' as const, value: clock.now() - retentionDays * DAY_MS }];
    const expired = await this.#count(old);
    const excess = expired > 0 ? 0 : (await this.#count([])) - maxLines;
    const limit = Math.min(SLICE, Math.max(expired, excess));
    if (limit <= 0) return false;
    const conditions = expired > 0 ? old : [];
    const removal: Change = { kind: 'deleteDocuments', collection: AUDIT_LOG, tenantId: null, conditions, limit };
    const outcome = await repositories.commit([removal]);
    return outcome === 'done' && Math.max(expired, excess) >= limit;
  }

  async #count(conditions: readonly { member: string; is: '<'; value: number }[]): Promise<number> {
    const window = { textSearch: null, sort: 'createdTime', descending: false, offset: 0, limit: 0 };
    const { total } = await this.#options.repositories.documents(AUDIT_LOG, { ...window, tenantId: null, conditions });
    return total;
  }
}
