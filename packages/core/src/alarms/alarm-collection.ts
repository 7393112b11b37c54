import type { EntityId, Json, JsonObject } from '../model/entities.ts';
import type { DocumentChange, DocumentCollection, DocumentCondition, StoredDocument } from '../ports/documents.ts';
import { memberOf, oneOf } from '../predicates/json-members.ts';
import { isList, isObject } from '../values/json.ts';
import { ALARM_SEVERITIES, type Alarm, alarmStatus } from './alarm.ts';

/**
 * Alarms as documents. `activeType` is the type as long as the alarm is not cleared, so that an originator has at most
 * one active alarm of a type; `severityRank` sorts from the worst down.
 */
export const ALARMS: DocumentCollection = {
  name: 'alarm',
  filters: ['originatorId', 'assigneeId', 'activeType', 'type', 'severity', 'cleared', 'acknowledged', 'customerId'],
  sorts: ['startTs', 'endTs', 'ackTs', 'clearTs', 'assignTs', 'type', 'severityRank', 'status'],
  search: ['type', 'severity', 'status'],
  unique: [{ scope: 'tenant', members: ['originatorId', 'activeType'] }],
};

/** Types that alarms of a tenant have or had, for pickers. */
export const ALARM_TYPES: DocumentCollection = {
  name: 'alarm_type',
  filters: ['type'],
  sorts: ['type'],
  search: ['type'],
  unique: [{ scope: 'tenant', members: ['type'] }],
};

export function alarmDocument(alarm: Alarm): StoredDocument {
  const { id, tenantId, createdTime, version, originator, ...members } = alarm;
  const body: JsonObject = {
    ...members,
    originatorType: originator.entityType,
    originatorId: originator.id,
    activeType: alarm.cleared ? null : alarm.type,
    severityRank: ALARM_SEVERITIES.indexOf(alarm.severity),
    status: alarmStatus(alarm),
  };
  return { id, tenantId, createdTime, version, body };
}

/** Reads what `alarmDocument` wrote; null: not an alarm. */
export function alarmOf(document: StoredDocument | null): Alarm | null {
  if (document === null) return null;
  const { id, tenantId, createdTime, version, body } = document;
  const severity = oneOf(ALARM_SEVERITIES, memberOf(body, 'severity'));
  const type = textOf(body, 'type');
  const originatorId = textOf(body, 'originatorId');
  const originatorType = textOf(body, 'originatorType');
  const customerId = textOf(body, 'customerId');
  if (severity === undefined || type === null || originatorId === null || originatorType === null) return null;
  if (customerId === null) return null;
  const relations = memberOf(body, 'propagateRelationTypes');
  return {
    id,
    tenantId,
    createdTime,
    version,
    customerId,
    originator: { entityType: originatorType, id: originatorId },
    type,
    severity,
    acknowledged: memberOf(body, 'acknowledged') === true,
    cleared: memberOf(body, 'cleared') === true,
    assigneeId: textOf(body, 'assigneeId'),
    startTs: numberOf(body, 'startTs'),
    endTs: numberOf(body, 'endTs'),
    ackTs: numberOf(body, 'ackTs'),
    clearTs: numberOf(body, 'clearTs'),
    assignTs: numberOf(body, 'assignTs'),
    details: memberOf(body, 'details'),
    propagate: memberOf(body, 'propagate') === true,
    propagateToOwner: memberOf(body, 'propagateToOwner') === true,
    propagateToTenant: memberOf(body, 'propagateToTenant') === true,
    propagateRelationTypes: isList(relations) ? relations.filter((one) => typeof one === 'string') : [],
  };
}

/** A change that stores the alarm over the version before it. */
export function putAlarm(alarm: Alarm): DocumentChange {
  const expectedVersion = alarm.version === 1 ? null : alarm.version - 1;
  return { kind: 'putDocument', collection: ALARMS, record: alarmDocument(alarm), expectedVersion };
}

/** Alarms of one originator. */
export function ofOriginator(id: EntityId): DocumentCondition {
  return { member: 'originatorId', is: '=', value: id };
}

/** Details longer than this as JSON text are refused, in characters. */
export const MAX_DETAILS_LENGTH = 100_000;

/** The object of details with one member set; built from entries, so that `__proto__` stays plain data. */
export function withDetail(details: Json, member: string, value: Json): JsonObject {
  const entries = isObject(details) ? Object.entries(details).filter(([name]) => name !== member) : [];
  return Object.fromEntries([...entries, [member, value]]);
}

function textOf(body: JsonObject, name: string): string | null {
  const value = memberOf(body, name);
  return typeof value === 'string' ? value : null;
}

function numberOf(body: JsonObject, name: string): number {
  const value = memberOf(body, name);
  return typeof value === 'number' ? value : 0;
}
