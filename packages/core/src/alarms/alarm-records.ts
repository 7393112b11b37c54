import { type PlatformError, type Result, success } from '../errors.ts';
import type { EntityId } from '../model/entities.ts';
import type { Change, CommitOutcome, Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import type { WriteOutcome } from '../ports/telemetry-store.ts';
import { commitRefusal, isOvertaken, MAX_ATTEMPTS } from '../registry/commit-refusals.ts';
import type { EntityLocks } from '../registry/entity-locks.ts';
import type { Alarm } from './alarm.ts';
import { ALARM_TYPES, ALARMS, alarmOf, ofOriginator } from './alarm-collection.ts';
import type { AlarmEvent, AlarmListeners } from './alarm-events.ts';
import { type AlarmStep, ownerUpdate, updateStep } from './alarm-steps.ts';
import type { Originators } from './originators.ts';

export interface AlarmRecordsOptions {
  readonly repositories: Pick<Repositories, 'commit' | 'document' | 'documents'>;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Of the registry. */
  readonly locks: Pick<EntityLocks, 'run'>;
  readonly originators: Originators;
  readonly listeners: AlarmListeners;
  /** Changes that are stored in the same commit as the events' alarms, such as an outbox; default: none. */
  readonly beside?: (event: AlarmEvent) => readonly Change[];
}

/** Types remembered, so that their record is not looked up for every alarm. */
const MAX_KNOWN_TYPES = 10_000;
/** Alarms deleted or read in one go. */
const SLICE = 500;

/**
 * The alarms in the store, for users and rules alike: changes of one originator follow one another, and an event is told
 * when its change is durable.
 */
export class AlarmRecords {
  readonly #options: AlarmRecordsOptions;
  readonly #knownTypes = new Set<string>();

  constructor(options: AlarmRecordsOptions) {
    this.#options = options;
  }

  async get(id: EntityId): Promise<Alarm | null> {
    return alarmOf(await this.#options.repositories.document(ALARMS, id));
  }

  /** The alarm of the type that is not cleared. */
  async active(originatorId: EntityId, type: string): Promise<Alarm | null> {
    const { records } = await this.#options.repositories.documents(ALARMS, {
      tenantId: null,
      conditions: [ofOriginator(originatorId), { member: 'activeType', is: '=', value: type }],
      textSearch: null,
      sort: 'createdTime',
      descending: true,
      offset: 0,
      limit: 1,
    });
    return alarmOf(records[0] ?? null);
  }

  /** Runs a task while nobody else changes alarms of the originator through this object. */
  locked<T>(originatorId: EntityId, task: () => Promise<T>): Promise<T> {
    return this.#options.locks.run(`alarms of ${originatorId}`, task);
  }

  /** Stores the steps and `more` together or not at all, and tells of the steps. To be called inside `locked`. */
  async commit(steps: readonly AlarmStep[], more: readonly Change[] = []): Promise<CommitOutcome> {
    const { repositories, listeners, beside } = this.#options;
    const outcome = await repositories.commit([
      ...steps.map(({ change }) => change),
      ...(beside === undefined ? [] : steps.flatMap(({ event }) => beside(event))),
      ...more,
    ]);
    if (outcome === 'done') for (const { event } of steps) listeners.alarmChanged(event);
    return outcome;
  }

  /** Reads, decides and stores, again if it was overtaken; no steps: nothing is to be changed. Answers with the last alarm. */
  change(
    originatorId: EntityId,
    read: () => Promise<Alarm | null>,
    decide: (alarm: Alarm | null) => Result<readonly AlarmStep[]>,
  ): Promise<Result<Alarm | null>> {
    return this.locked(originatorId, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const alarm = await read();
        const steps = decide(alarm);
        if (!steps.ok) return steps;
        const last = steps.value.at(-1);
        if (last === undefined) return success(alarm);
        const outcome = await this.commit(steps.value);
        if (outcome === 'done') return success(last.event.alarm);
        if (!isOvertaken(outcome) || attempt === MAX_ATTEMPTS) return commitRefusal(outcome);
      }
    });
  }

  /** Notes that alarms of the type exist. null: done. */
  async noteType(tenantId: EntityId, type: string): Promise<PlatformError | null> {
    const name = `${tenantId} ${type}`;
    if (this.#knownTypes.has(name)) return null;
    const { repositories, crypto, clock } = this.#options;
    const record = { id: crypto.uuid(), tenantId, createdTime: clock.now(), version: 1, body: { type } };
    if ((await this.#typeId(tenantId, type)) === null) {
      const outcome = await repositories.commit([
        { kind: 'putDocument', collection: ALARM_TYPES, record, expectedVersion: null },
      ]);
      const there = typeof outcome === 'object' && outcome.kind === 'uniqueDocument';
      if (outcome !== 'done' && !there) return commitRefusal(outcome);
    }
    if (this.#knownTypes.size >= MAX_KNOWN_TYPES) this.#knownTypes.clear();
    this.#knownTypes.add(name);
    return null;
  }

  /** Forgets a type that no alarm of the tenant has any more. */
  async dropType(tenantId: EntityId, type: string): Promise<void> {
    const { repositories } = this.#options;
    const { total } = await repositories.documents(ALARMS, {
      tenantId,
      conditions: [{ member: 'type', is: '=', value: type }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 0,
    });
    if (total > 0) return;
    const id = await this.#typeId(tenantId, type);
    this.#knownTypes.delete(`${tenantId} ${type}`);
    if (id === null) return;
    await repositories.commit([{ kind: 'deleteDocument', collection: ALARM_TYPES, id, expectedVersion: null }]);
  }

  /** Gives the alarms of an originator to the customer that it belongs to now; call it after an assignment. */
  async refreshOwner(originatorId: EntityId): Promise<void> {
    const { originators, clock } = this.#options;
    for (let offset = 0; ; offset += SLICE) {
      const page = await this.#ofOriginator(originatorId, offset, SLICE);
      for (const { id, customerId, originator } of page) {
        const owner = await originators.find(originator);
        if (owner === null || owner.customerId === customerId) continue;
        await this.change(
          originatorId,
          () => this.get(id),
          (alarm) => success(alarm === null ? [] : [updateStep(alarm, ownerUpdate(alarm, owner), clock.now())]),
        );
      }
      if (page.length < SLICE) return;
    }
  }

  /**
   * Deletes the alarms of an originator in slices; part of the removal of an owner's data, so it is taken up again after
   * a crash. `stored`: nothing is left.
   */
  async removeAll(originatorId: EntityId): Promise<WriteOutcome> {
    const { repositories, listeners } = this.#options;
    const types = new Map<string, Alarm>();
    for (;;) {
      const page = await this.#ofOriginator(originatorId, 0, SLICE);
      if (page.length === 0) break;
      for (const alarm of page) types.set(alarm.type, alarm);
      const conditions = [ofOriginator(originatorId)];
      const outcome = await repositories.commit([
        { kind: 'deleteDocuments', collection: ALARMS, tenantId: null, conditions, limit: SLICE },
      ]);
      if (outcome !== 'done') return outcome === 'full' ? 'full' : 'failed';
    }
    for (const { tenantId, type } of types.values()) await this.dropType(tenantId, type);
    listeners.alarmsRemoved(originatorId);
    return 'stored';
  }

  async #ofOriginator(originatorId: EntityId, offset: number, limit: number): Promise<readonly Alarm[]> {
    const { records } = await this.#options.repositories.documents(ALARMS, {
      tenantId: null,
      conditions: [ofOriginator(originatorId)],
      textSearch: null,
      sort: 'createdTime',
      descending: false,
      offset,
      limit,
    });
    return records.flatMap((document) => alarmOf(document) ?? []);
  }

  async #typeId(tenantId: EntityId, type: string): Promise<EntityId | null> {
    const { records } = await this.#options.repositories.documents(ALARM_TYPES, {
      tenantId,
      conditions: [{ member: 'type', is: '=', value: type }],
      textSearch: null,
      sort: 'id',
      descending: false,
      offset: 0,
      limit: 1,
    });
    return records[0]?.id ?? null;
  }
}
