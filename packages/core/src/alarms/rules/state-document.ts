import type { EntityId, Json, JsonObject } from '../../model/entities.ts';
import type { DocumentChange, DocumentCollection, StoredDocument } from '../../ports/documents.ts';
import { memberOf } from '../../predicates/json-members.ts';
import { isList, isObject } from '../../values/json.ts';
import type { AlarmDefinition } from './alarm-rule.ts';
import { type DefinitionState, newDefinitionState, type Progress } from './progress.ts';

/** What rules remember of a device; the record has the device's id. */
export const ALARM_RULE_STATES: DocumentCollection = {
  name: 'alarm_rule_state',
  filters: [],
  sorts: [],
  search: [],
  unique: [],
};

/** How far the telemetry of a device has been judged: all points before `ts`, and at `ts` those of `keys`. */
export interface Position {
  readonly ts: number;
  readonly keys: ReadonlySet<string>;
}

/** What is known of a device after an earlier run. */
export interface StoredState {
  readonly version: number;
  readonly profileId: EntityId | null;
  /** Since when the profile has had the rules that judged, see `RuleProfile`. */
  readonly since: number | null;
  readonly position: Position;
  /** Fingerprints of the attributes that were judged last, by scope and key. */
  readonly attributes: ReadonlyMap<string, string>;
  /** What each alarm rule remembers, by its id; read with `definitionStateOf`. */
  readonly definitions: ReadonlyMap<string, JsonObject>;
}

/** The members of a state that are stored. */
export interface DeviceStateRecord extends Omit<StoredState, 'definitions' | 'since' | 'profileId'> {
  readonly deviceId: EntityId;
  readonly tenantId: EntityId;
  readonly profileId: EntityId;
  readonly since: number;
  readonly states: ReadonlyMap<AlarmDefinition, DefinitionState>;
}

/** Clocks that join monotonic times to the calendar. */
export interface BothClocks {
  readonly now: number;
  readonly monotonic: number;
}

/** A change that stores the state as the next version. */
export function putState(record: DeviceStateRecord, clocks: BothClocks): DocumentChange {
  const { deviceId, tenantId, version } = record;
  const body: JsonObject = {
    profileId: record.profileId,
    since: record.since,
    ts: record.position.ts,
    keys: [...record.position.keys],
    attributes: [...record.attributes],
    definitions: [...record.states].map(([definition, state]) => definitionBody(definition, state, clocks)),
  };
  return {
    kind: 'putDocument',
    collection: ALARM_RULE_STATES,
    record: { id: deviceId, tenantId, createdTime: clocks.now, version: version + 1, body },
    expectedVersion: version === 0 ? null : version,
  };
}

export function storedStateOf({ version, body }: StoredDocument): StoredState {
  const keys = memberOf(body, 'keys');
  const attributes = memberOf(body, 'attributes');
  const definitions = memberOf(body, 'definitions');
  return {
    version,
    profileId: textOf(body, 'profileId'),
    since: numberOf(body, 'since'),
    position: {
      ts: numberOf(body, 'ts') ?? 0,
      keys: new Set(isList(keys) ? keys.filter((key) => typeof key === 'string') : []),
    },
    attributes: new Map((isList(attributes) ? attributes : []).flatMap(pairOf)),
    definitions: new Map(
      (isList(definitions) ? definitions : []).flatMap((one): [string, JsonObject][] => {
        const id = isObject(one) ? textOf(one, 'id') : null;
        return isObject(one) && id !== null ? [[id, one]] : [];
      }),
    ),
  };
}

/**
 * What a rule remembered. Nothing, where the rule has been changed since; where its alarm is not the active one any more,
 * somebody has cleared it, and everything counts from the beginning.
 */
export function definitionStateOf(
  definition: AlarmDefinition,
  stored: JsonObject | undefined,
  active: DefinitionState['active'],
  clocks: BothClocks,
): DefinitionState {
  const state = newDefinitionState(definition);
  state.active = active;
  if (stored === undefined || textOf(stored, 'fingerprint') !== definition.fingerprint) return state;
  const formerAlarm = textOf(stored, 'alarmId');
  if (formerAlarm !== null && formerAlarm !== active?.id) return state;
  const create = memberOf(stored, 'create');
  if (isObject(create)) {
    for (const [severity, progress] of state.create) readProgress(progress, memberOf(create, severity), clocks);
  }
  readProgress(state.clear, memberOf(stored, 'clear'), clocks);
  return state;
}

function definitionBody(definition: AlarmDefinition, state: DefinitionState, clocks: BothClocks): JsonObject {
  const create = [...state.create].filter(([, progress]) => isUnderWay(progress));
  return {
    id: definition.id,
    fingerprint: definition.fingerprint,
    alarmId: state.active?.id ?? null,
    create: Object.fromEntries(create.map(([severity, progress]) => [severity, progressBody(progress, clocks)])),
    clear: isUnderWay(state.clear) ? progressBody(state.clear, clocks) : null,
  };
}

function isUnderWay({ count, raised, heldAt }: Progress): boolean {
  return count > 0 || raised || heldAt !== null;
}

function progressBody({ count, raised, sinceTs, heldAt }: Progress, { now, monotonic }: BothClocks): JsonObject {
  return { count, raised, held: heldAt === null ? null : now - (monotonic - heldAt), sinceTs };
}

function readProgress(progress: Progress, json: Json, { now, monotonic }: BothClocks): void {
  if (!isObject(json)) return;
  progress.count = numberOf(json, 'count') ?? 0;
  progress.raised = memberOf(json, 'raised') === true;
  progress.sinceTs = numberOf(json, 'sinceTs');
  const held = numberOf(json, 'held');
  // A moment that lies ahead, from a clock that was wrong, counts as now.
  progress.heldAt = held === null ? null : monotonic - Math.max(now - held, 0);
}

function pairOf(json: Json): [string, string][] {
  if (!isList(json)) return [];
  const [name, value] = json;
  return typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [];
}

function textOf(body: JsonObject, name: string): string | null {
  const value = memberOf(body, name);
  return typeof value === 'string' ? value : null;
}

function numberOf(body: JsonObject, name: string): number | null {
  const value = memberOf(body, name);
  return typeof value === 'number' ? value : null;
}
