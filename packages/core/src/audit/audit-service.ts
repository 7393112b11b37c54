import { normaliseEmail } from '../accounts/password-policy.ts';
import { type Result, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Caller, Page } from '../platform.ts';
import type { DocumentCondition } from '../ports/documents.ts';
import type { Change, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto, Scheduler } from '../ports/runtime.ts';
import { authorizeRole } from '../registry/authorize.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { AUDIT_LOG, auditLine, auditRecord } from './audit-collection.ts';
import type { AuditEntry, AuditLine, AuditQuery, AuditScope, AuditService } from './audit-log.ts';
import { AuditRetention } from './audit-retention.ts';

/** Lines that wait to be written; of more, the newest are dropped. */
const MAX_WAITING = 10_000;
const BATCH = 200;
/** How long a line waits for others to be written with. */
const DELAY_MS = 500;
/** Pause after a write that failed. */
const RETRY_MS = 5000;
/** Lines about people who are not signed in, in a minute: a guesser must not fill the disk. */
const STRANGERS_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

export interface AuditLogOptions {
  readonly repositories: Repositories;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Whole days; older lines are removed. Default 90. */
  readonly retentionDays?: number;
  /** Beyond so many lines the oldest are removed. Default 1,000,000. */
  readonly maxLines?: number;
  /** The tenant that log-ins with unknown names are shown to; null: nobody. */
  readonly soleTenantId: () => EntityId | null;
  /** `audit.dropped`: a line that was not kept. */
  readonly count: (event: string, amount: number) => void;
  readonly report: (error: unknown) => void;
}

/** The audit log as documents: written in batches behind the calls, from a queue that is bounded. */
export class AuditLog implements AuditService {
  readonly #options: AuditLogOptions;
  readonly #retention: AuditRetention;
  #waiting: AuditEntry[] = [];
  #cancel: (() => void) | null = null;
  #writing: Promise<boolean> | null = null;
  #minuteEndsAt = 0;
  #strangers = 0;
  #closed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { repositories, clock, scheduler, retentionDays = 90, maxLines = 1_000_000, report } = options;
    this.#retention = new AuditRetention({ repositories, clock, scheduler, retentionDays, maxLines, report });
  }

  start(): void {
    this.#retention.start();
  }

  record(entry: AuditEntry): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING || (entry.userId === null && !this.#admitStranger())) {
      this.#options.count('audit.dropped', 1);
      return;
    }
    this.#waiting.push(entry);
    this.#later(DELAY_MS);
  }

  async list(caller: Caller, scope: AuditScope, query: AuditQuery): Promise<Result<Page<AuditLine>>> {
    const role = authorizeRole(caller, 'read', 'auditLog');
    if (role !== null) return role;
    const window = pageWindow(withOrder(query), [...AUDIT_LOG.sorts, 'id', 'createdTime']);
    if (!window.ok) return window;
    await this.#flush();
    const found = await this.#options.repositories.documents(AUDIT_LOG, {
      ...window.value,
      tenantId: caller.tenantId,
      conditions: [...scopeConditions(scope), ...queryConditions(query)],
    });
    return success(toPage(window.value, found, auditLine));
  }

  /** Writes what waits, as far as the store lets it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flush();
    this.#cancel?.();
    this.#cancel = null;
    await this.#retention.close();
    if (this.#waiting.length > 0) this.#options.count('audit.dropped', this.#waiting.length);
  }

  #later(delayMs: number): void {
    if (this.#cancel !== null || this.#writing !== null) return;
    this.#cancel = this.#options.scheduler.after(delayMs, () => {
      this.#cancel = null;
      void this.#flush();
    });
  }

  /** Everything that waits now, or up to the first write that fails. Never rejects. */
  async #flush(): Promise<void> {
    for (let left = this.#waiting.length; left > 0; left -= BATCH) {
      this.#writing ??= this.#writeBatch().finally(() => {
        this.#writing = null;
      });
      if (!(await this.#writing)) {
        if (!this.#closed) this.#later(RETRY_MS);
        return;
      }
    }
    if (this.#writing !== null) await this.#writing;
    if (this.#waiting.length > 0 && !this.#closed) this.#later(DELAY_MS);
  }

  /** False: the store did not take it, and it waits on. */
  async #writeBatch(): Promise<boolean> {
    const batch = this.#waiting.slice(0, BATCH);
    try {
      const changes = await this.#changesOf(batch);
      const outcome = changes.length === 0 ? 'done' : await this.#options.repositories.commit(changes);
      if (outcome === 'full' || outcome === 'failed') return false;
      if (outcome !== 'done') this.#options.count('audit.dropped', batch.length);
      this.#waiting = this.#waiting.slice(batch.length);
      return true;
    } catch (error) {
      this.#options.report(error);
      return false;
    }
  }

  async #changesOf(batch: readonly AuditEntry[]): Promise<Change[]> {
    const { crypto } = this.#options;
    const tenants = new Map<string, EntityId | null>();
    const changes: Change[] = [];
    for (const entry of batch) {
      const tenantId = entry.tenantId ?? (await this.#tenantOf(entry.userName ?? '', tenants));
      if (tenantId === null) continue;
      const record = auditRecord(entry, crypto.uuid(), tenantId);
      changes.push({ kind: 'putDocument', collection: AUDIT_LOG, record, expectedVersion: null });
    }
    return changes;
  }

  async #tenantOf(userName: string, known: Map<string, EntityId | null>): Promise<EntityId | null> {
    const before = known.get(userName);
    if (before !== undefined) return before;
    const email = normaliseEmail(userName);
    const user = email === undefined ? null : await this.#options.repositories.userByEmail(email);
    const tenantId = user?.tenantId ?? this.#options.soleTenantId();
    known.set(userName, tenantId);
    return tenantId;
  }

  #admitStranger(): boolean {
    const now = this.#options.clock.monotonic();
    if (now >= this.#minuteEndsAt) {
      this.#minuteEndsAt = now + MINUTE_MS;
      this.#strangers = 0;
    }
    this.#strangers += 1;
    return this.#strangers <= STRANGERS_PER_MINUTE;
  }
}

function withOrder(query: AuditQuery): AuditQuery {
  return query.sortProperty === null ? { ...query, sortProperty: 'createdTime', sortOrder: 'DESC' } : query;
}

function scopeConditions(scope: AuditScope): DocumentCondition[] {
  switch (scope.of) {
    case 'tenant':
      return [];
    case 'customer':
      return [{ member: 'customerId', is: '=', value: scope.customerId }];
    case 'user':
      return [{ member: 'userId', is: '=', value: scope.userId }];
    case 'entity':
      return [
        { member: 'entityId', is: '=', value: scope.entityId },
        { member: 'entityType', is: '=', value: scope.entityType },
      ];
  }
}

function queryConditions({ startTime, endTime, actionTypes }: AuditQuery): DocumentCondition[] {
  const conditions: DocumentCondition[] = [];
  if (startTime !== null) conditions.push({ member: 'createdTime', is: '>=', value: startTime });
  if (endTime !== null) conditions.push({ member: 'createdTime', is: '<=', value: endTime });
  if (actionTypes !== null) conditions.push({ member: 'actionType', is: 'in', value: actionTypes });
  return conditions;
}
