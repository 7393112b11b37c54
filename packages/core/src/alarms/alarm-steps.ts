import { type EntityId, type Json, NULL_ID } from '../model/entities.ts';
import type { DocumentChange } from '../ports/documents.ts';
import {
  type Alarm,
  type AlarmOriginator,
  type AlarmPropagation,
  type AlarmSeverity,
  NO_PROPAGATION,
} from './alarm.ts';
import { ALARMS, putAlarm } from './alarm-collection.ts';
import type { AlarmEvent } from './alarm-events.ts';
import type { OriginatorRecord } from './originators.ts';

/** One change of an alarm: what is stored, and what is told when it is. */
export interface AlarmStep {
  readonly change: DocumentChange;
  readonly event: AlarmEvent;
}

/** What a new alarm begins with. Times are epoch milliseconds. */
export interface NewAlarm extends Partial<AlarmPropagation> {
  readonly id: EntityId;
  readonly originator: AlarmOriginator;
  readonly type: string;
  readonly severity: AlarmSeverity;
  readonly startTs: number;
  readonly endTs: number;
  readonly details: Json;
}

export function createStep(given: NewAlarm, owner: OriginatorRecord, at: number): AlarmStep {
  const alarm: Alarm = {
    ...NO_PROPAGATION,
    ...given,
    createdTime: at,
    tenantId: owner.tenantId,
    customerId: owner.customerId,
    acknowledged: false,
    cleared: false,
    assigneeId: null,
    ackTs: 0,
    clearTs: 0,
    assignTs: 0,
    version: 1,
  };
  return { change: putAlarm(alarm), event: { kind: 'created', alarm, at } };
}

/** Members of an alarm that may be changed without an event of their own, except the severity. */
export type AlarmUpdate = Partial<
  Pick<Alarm, 'severity' | 'startTs' | 'endTs' | 'details' | 'customerId' | keyof AlarmPropagation>
>;

export function updateStep(former: Alarm, update: AlarmUpdate, at: number): AlarmStep {
  const alarm = { ...former, ...update, version: former.version + 1 };
  const event: AlarmEvent =
    alarm.severity === former.severity
      ? { kind: 'updated', alarm, at }
      : { kind: 'severityChanged', alarm, formerSeverity: former.severity, at };
  return { change: putAlarm(alarm), event };
}

export function acknowledgeStep(former: Alarm, at: number, ackTs: number = at): AlarmStep {
  const alarm = { ...former, acknowledged: true, ackTs, version: former.version + 1 };
  return { change: putAlarm(alarm), event: { kind: 'acknowledged', alarm, at } };
}

/** `details` null: as they are. */
export function clearStep(former: Alarm, at: number, details: Json = null, clearTs: number = at): AlarmStep {
  const endTs = Math.max(former.endTs, clearTs);
  const kept = details ?? former.details;
  const alarm = { ...former, cleared: true, clearTs, endTs, details: kept, version: former.version + 1 };
  return { change: putAlarm(alarm), event: { kind: 'cleared', alarm, at } };
}

/** `assigneeId` null: nobody. */
export function assignStep(former: Alarm, assigneeId: EntityId | null, at: number): AlarmStep {
  const assignTs = assigneeId === null ? 0 : at;
  const alarm = { ...former, assigneeId, assignTs, version: former.version + 1 };
  return { change: putAlarm(alarm), event: { kind: assigneeId === null ? 'unassigned' : 'assigned', alarm, at } };
}

export function deleteStep(alarm: Alarm, at: number): AlarmStep {
  return {
    change: { kind: 'deleteDocument', collection: ALARMS, id: alarm.id, expectedVersion: alarm.version },
    event: { kind: 'deleted', alarm, at },
  };
}

/** The customer that an alarm belongs to by its originator; a missing originator changes nothing. */
export function ownerUpdate(alarm: Alarm, owner: OriginatorRecord | null): Pick<Alarm, 'customerId'> {
  return { customerId: owner?.customerId ?? alarm.customerId ?? NULL_ID };
}
