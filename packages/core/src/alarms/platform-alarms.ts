import { type PlatformError, type Result, refuse, success } from '../errors.ts';
import { type EntityId, type Json, NULL_ID } from '../model/entities.ts';
import type { Caller, Page, PageQuery } from '../platform.ts';
import type { DocumentCondition } from '../ports/documents.ts';
import type { Repositories } from '../ports/repositories.ts';
import type { Clock, Crypto } from '../ports/runtime.ts';
import { authorize, authorizeRole, type Operation } from '../registry/authorize.ts';
import { pageWindow, toPage } from '../registry/paging.ts';
import { textProblem } from '../registry/text-rules.ts';
import type { Alarm, AlarmInfo, AlarmOriginator, AlarmSeverity } from './alarm.ts';
import { ALARM_TYPES, ALARMS, alarmOf, MAX_DETAILS_LENGTH, ofOriginator } from './alarm-collection.ts';
import { filterConditions } from './alarm-filter.ts';
import { withNames } from './alarm-names.ts';
import type { AlarmRecords } from './alarm-records.ts';
import type { AlarmFilter, AlarmInput, AlarmListQuery, AlarmService } from './alarm-service.ts';
import {
  type AlarmStep,
  type AlarmUpdate,
  acknowledgeStep,
  assignStep,
  clearStep,
  createStep,
  deleteStep,
  ownerUpdate,
  updateStep,
} from './alarm-steps.ts';
import type { OriginatorRecord, Originators } from './originators.ts';

const SORTS = ['id', 'createdTime', ...ALARMS.sorts];
const MAX_RELATION_TYPES = 100;

export interface PlatformAlarmsOptions {
  readonly records: AlarmRecords;
  readonly repositories: Pick<Repositories, 'documents' | 'user'>;
  readonly originators: Originators;
  readonly crypto: Pick<Crypto, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** The use cases around alarms. Who may do what follows from the originator as it is now. */
export class PlatformAlarms implements AlarmService {
  readonly #options: PlatformAlarmsOptions;

  constructor(options: PlatformAlarmsOptions) {
    this.#options = options;
  }

  async save(caller: Caller, input: AlarmInput): Promise<Result<AlarmInfo>> {
    const problem = authorizeRole(caller, 'write', 'device') ?? inputProblem(input);
    if (problem !== null) return problem;
    const owner = await this.#originator(caller, input.originator, 'write');
    if (!owner.ok) return owner;
    const { assigneeId, id, type } = input;
    const refusal = assigneeId === null ? null : await this.#assigneeProblem(caller, owner.value, assigneeId);
    if (refusal !== null) return refusal;
    const { records, clock, crypto } = this.#options;
    const full = await records.noteType(owner.value.tenantId, type);
    if (full !== null) return full;
    const saved = await records.change(
      owner.value.id,
      () => (id === null ? records.active(owner.value.id, type) : records.get(id)),
      (stored) => {
        const at = clock.now();
        if (stored === null) {
          if (id !== null) return notFound(id);
          return success(followUp(createStep(newAlarm(input, crypto.uuid(), at), owner.value, at), input, at));
        }
        if (stored.originator.id !== owner.value.id || stored.type !== type) {
          return refuse('badRequest', 'Originator and type of an alarm cannot be changed!');
        }
        return success(followUp(updateStep(stored, updateOf(input, stored, owner.value), at), input, at));
      },
    );
    return this.#answer(saved, input.id);
  }

  async get(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>> {
    const found = await this.#find(caller, id, 'read');
    return found.ok ? success(await this.#info(found.value)) : found;
  }

  async remove(caller: Caller, id: EntityId): Promise<Result<null>> {
    const found = await this.#find(caller, id, 'delete');
    if (!found.ok) return found;
    const { records, clock } = this.#options;
    const { originator, tenantId, type } = found.value;
    const removed = await records.change(
      originator.id,
      () => records.get(id),
      (alarm) => (alarm === null ? notFound(id) : success([deleteStep(alarm, clock.now())])),
    );
    if (!removed.ok) return removed;
    await records.dropType(tenantId, type);
    return success(null);
  }

  acknowledge(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>> {
    return this.#change(caller, id, (alarm, at) =>
      alarm.acknowledged
        ? refuse('badRequest', 'Alarm was already acknowledged!')
        : success([acknowledgeStep(alarm, at)]),
    );
  }

  clear(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>> {
    return this.#change(caller, id, (alarm, at) =>
      alarm.cleared ? refuse('badRequest', 'Alarm was already cleared!') : success([clearStep(alarm, at)]),
    );
  }

  async assign(caller: Caller, id: EntityId, userId: EntityId): Promise<Result<AlarmInfo>> {
    const found = await this.#find(caller, id, 'write');
    if (!found.ok) return found;
    const owner = await this.#options.originators.find(found.value.originator);
    const refusal = await this.#assigneeProblem(caller, owner ?? found.value, userId);
    if (refusal !== null) return refusal;
    return this.#change(caller, id, (alarm, at) =>
      alarm.assigneeId === userId
        ? refuse('badRequest', 'Alarm was already assigned to this user!')
        : success([assignStep(alarm, userId, at)]),
    );
  }

  unassign(caller: Caller, id: EntityId): Promise<Result<AlarmInfo>> {
    return this.#change(caller, id, (alarm, at) =>
      alarm.assigneeId === null
        ? refuse('badRequest', 'Alarm was already unassigned!')
        : success([assignStep(alarm, null, at)]),
    );
  }

  async list(caller: Caller, query: AlarmListQuery): Promise<Result<Page<AlarmInfo>>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const own: readonly DocumentCondition[] =
      caller.authority === 'CUSTOMER_USER' ? [{ member: 'customerId', is: '=', value: caller.customerId }] : [];
    return this.#page(caller, query, own);
  }

  async ofOriginator(
    caller: Caller,
    originator: AlarmOriginator,
    query: AlarmListQuery,
  ): Promise<Result<Page<AlarmInfo>>> {
    const owner = await this.#originator(caller, originator, 'read');
    return owner.ok ? this.#page(caller, query, [ofOriginator(owner.value.id)]) : owner;
  }

  async highestSeverity(
    caller: Caller,
    originator: AlarmOriginator,
    filter: AlarmFilter,
  ): Promise<Result<AlarmSeverity | null>> {
    const owner = await this.#originator(caller, originator, 'read');
    if (!owner.ok) return owner;
    const { records } = await this.#options.repositories.documents(ALARMS, {
      tenantId: caller.tenantId,
      conditions: [ofOriginator(owner.value.id), ...filterConditions(filter)],
      textSearch: null,
      sort: 'severityRank',
      descending: false,
      offset: 0,
      limit: 1,
    });
    return success(alarmOf(records[0] ?? null)?.severity ?? null);
  }

  async types(caller: Caller, query: PageQuery): Promise<Result<Page<string>>> {
    const role = authorizeRole(caller, 'read', 'device');
    if (role !== null) return role;
    const window = pageWindow(query, ['id', 'createdTime', ...ALARM_TYPES.sorts]);
    if (!window.ok) return window;
    const found = await this.#options.repositories.documents(ALARM_TYPES, {
      ...window.value,
      tenantId: caller.tenantId,
      conditions: [],
    });
    return success(toPage(window.value, found, ({ body }) => String(body.type)));
  }

  async #page(
    caller: Caller,
    query: AlarmListQuery,
    conditions: readonly DocumentCondition[],
  ): Promise<Result<Page<AlarmInfo>>> {
    const sortProperty = query.sortProperty === 'severity' ? 'severityRank' : query.sortProperty;
    const window = pageWindow({ ...query, sortProperty }, SORTS);
    if (!window.ok) return window;
    const { repositories, originators } = this.#options;
    const found = await repositories.documents(ALARMS, {
      ...window.value,
      tenantId: caller.tenantId,
      conditions: [...conditions, ...filterConditions(query)],
    });
    const alarms = found.records.flatMap((document) => alarmOf(document) ?? []);
    const owners = await originators.findAll(alarms.map(({ originator }) => originator));
    // A device may have been given to somebody else since its alarm was written.
    const visible = alarms.filter(
      (alarm) => authorize(caller, 'read', 'device', owners.get(alarm.originator.id) ?? alarm) === null,
    );
    const page = toPage(window.value, { records: alarms, total: found.total }, (alarm) => alarm);
    return success({ ...page, data: await withNames(visible, owners, repositories) });
  }

  async #change(
    caller: Caller,
    id: EntityId,
    decide: (alarm: Alarm, at: number) => Result<readonly AlarmStep[]>,
  ): Promise<Result<AlarmInfo>> {
    const found = await this.#find(caller, id, 'write');
    if (!found.ok) return found;
    const { records, clock } = this.#options;
    const changed = await records.change(
      found.value.originator.id,
      () => records.get(id),
      (alarm) => (alarm === null ? notFound(id) : decide(alarm, clock.now())),
    );
    return this.#answer(changed, id);
  }

  async #answer(result: Result<Alarm | null>, id: EntityId | null): Promise<Result<AlarmInfo>> {
    if (!result.ok) return result;
    return result.value === null ? notFound(id ?? NULL_ID) : success(await this.#info(result.value));
  }

  async #info(alarm: Alarm): Promise<AlarmInfo> {
    const { originators, repositories } = this.#options;
    const owners = await originators.findAll([alarm.originator]);
    const [info] = await withNames([alarm], owners, repositories);
    return info ?? { ...alarm, originatorName: null, originatorLabel: null, assignee: null };
  }

  async #find(caller: Caller, id: EntityId, operation: Operation): Promise<Result<Alarm>> {
    const role = authorizeRole(caller, operation, 'device');
    if (role !== null) return role;
    const alarm = await this.#options.records.get(id);
    if (alarm === null) return notFound(id);
    const owner = await this.#options.originators.find(alarm.originator);
    return authorize(caller, operation, 'device', owner ?? alarm) ?? success(alarm);
  }

  async #originator(
    caller: Caller,
    originator: AlarmOriginator,
    operation: Operation,
  ): Promise<Result<OriginatorRecord>> {
    const role = authorizeRole(caller, operation, 'device');
    if (role !== null) return role;
    const { originators } = this.#options;
    if (!originators.knows(originator.entityType)) {
      return refuse('badRequest', `Alarms of ${originator.entityType.slice(0, 64)} are not supported!`);
    }
    const owner = await originators.find(originator);
    if (owner === null) return refuse('notFound');
    return authorize(caller, operation, 'device', owner) ?? success(owner);
  }

  /** Somebody of the tenant who may see the alarm; a customer user does not learn who else exists. */
  async #assigneeProblem(
    caller: Caller,
    owner: Pick<OriginatorRecord, 'tenantId' | 'customerId'>,
    userId: EntityId,
  ): Promise<PlatformError | null> {
    const user = await this.#options.repositories.user(userId);
    const missing = refuse('notFound', `User with id [${userId}] is not found`);
    if (user === null || user.tenantId !== caller.tenantId) return missing;
    if (caller.authority === 'CUSTOMER_USER' && user.customerId !== caller.customerId) return missing;
    const assignee = { ...user, userId: user.id };
    return authorize(assignee, 'read', 'device', owner) === null
      ? null
      : refuse('badRequest', 'The user may not see this alarm!');
  }
}

function notFound(id: EntityId): PlatformError {
  return refuse('notFound', `Alarm with id [${id}] is not found`);
}

function inputProblem({ type, details, propagateRelationTypes = [] }: AlarmInput): PlatformError | null {
  if (type.trim() === '') return refuse('badRequest', 'Alarm type should be specified!');
  const problem = textProblem('type', type);
  if (problem !== null) return problem;
  if (propagateRelationTypes.length > MAX_RELATION_TYPES || propagateRelationTypes.some((one) => one.length > 255)) {
    return refuse('badRequest', 'Validation error: propagateRelationTypes is too long');
  }
  return detailsProblem(details);
}

function detailsProblem(details: Json): PlatformError | null {
  if (details === null || JSON.stringify(details).length <= MAX_DETAILS_LENGTH) return null;
  return refuse('badRequest', `Validation error: details is longer than ${MAX_DETAILS_LENGTH} characters`);
}

function newAlarm(input: AlarmInput, id: EntityId, at: number): Parameters<typeof createStep>[0] {
  const startTs = input.startTs ?? at;
  return {
    ...given(input),
    id,
    type: input.type,
    originator: input.originator,
    startTs,
    endTs: input.endTs ?? startTs,
  };
}

function updateOf(input: AlarmInput, stored: Alarm, owner: OriginatorRecord): AlarmUpdate {
  const { startTs, endTs, details } = input;
  return {
    ...given(input),
    ...ownerUpdate(stored, owner),
    startTs: startTs ?? stored.startTs,
    endTs: endTs ?? stored.endTs,
    details: details ?? stored.details,
  };
}

function given({ severity, details, ...input }: AlarmInput): Pick<Alarm, 'severity' | 'details'> & AlarmUpdate {
  return {
    severity,
    details,
    ...(input.propagate === undefined ? {} : { propagate: input.propagate }),
    ...(input.propagateToOwner === undefined ? {} : { propagateToOwner: input.propagateToOwner }),
    ...(input.propagateToTenant === undefined ? {} : { propagateToTenant: input.propagateToTenant }),
    ...(input.propagateRelationTypes === undefined ? {} : { propagateRelationTypes: input.propagateRelationTypes }),
  };
}

/** A save together with the acknowledging, clearing and assigning that it asks for. */
function followUp(first: AlarmStep, input: AlarmInput, at: number): readonly AlarmStep[] {
  const steps = [first];
  let { alarm } = first.event;
  const add = (step: AlarmStep): void => {
    steps.push(step);
    alarm = step.event.alarm;
  };
  if (input.acknowledged && !alarm.acknowledged) add(acknowledgeStep(alarm, at, input.ackTs ?? at));
  if (input.cleared && !alarm.cleared) add(clearStep(alarm, at, null, input.clearTs ?? at));
  if (input.assigneeId !== null && input.assigneeId !== alarm.assigneeId) {
    add(assignStep(alarm, input.assigneeId, at));
  }
  return steps;
}
