import {
  ALARM_SEARCH_STATUSES,
  ALARM_SEVERITY_NAMES,
  type Alarm as ApiAlarm,
  type AlarmInfo as ApiAlarmInfo,
  type AlarmInput as ApiAlarmInput,
  type AlarmListQuery as ApiQuery,
  type AlarmListV2Query as ApiV2Query,
} from '@moorage/api-types';
import { type Alarm, type AlarmFilter, type AlarmInfo, type AlarmInput, alarmStatus } from '@moorage/core';
import { entityId, inputId, optionalId } from './entity-ids.ts';

/** thingsboard-server.md, 8.1 */
export function toAlarm(alarm: Alarm): ApiAlarm {
  const { originator, type, severity, acknowledged, cleared, startTs, endTs, ackTs, clearTs, assignTs } = alarm;
  return {
    id: entityId('ALARM', alarm.id),
    createdTime: alarm.createdTime,
    tenantId: entityId('TENANT', alarm.tenantId),
    customerId: entityId('CUSTOMER', alarm.customerId),
    name: type,
    type,
    originator: { entityType: originator.entityType, id: originator.id },
    severity,
    acknowledged,
    cleared,
    status: alarmStatus(alarm),
    assigneeId: optionalId('USER', alarm.assigneeId),
    startTs,
    endTs,
    ackTs,
    clearTs,
    assignTs,
    details: alarm.details,
    propagate: alarm.propagate,
    propagateToOwner: alarm.propagateToOwner,
    propagateToTenant: alarm.propagateToTenant,
    propagateRelationTypes: [...alarm.propagateRelationTypes],
  };
}

export function toAlarmInfo(alarm: AlarmInfo): ApiAlarmInfo {
  const { originatorName, originatorLabel, assignee } = alarm;
  return {
    ...toAlarm(alarm),
    originatorName,
    originatorLabel,
    originatorDisplayName: originatorLabel === null || originatorLabel === '' ? originatorName : originatorLabel,
    assignee:
      assignee === null
        ? null
        : {
            id: entityId('USER', assignee.id),
            firstName: assignee.firstName,
            lastName: assignee.lastName,
            email: assignee.email,
          },
  };
}

export function fromAlarmInput(input: ApiAlarmInput): AlarmInput {
  const { propagate, propagateToOwner, propagateToTenant, propagateRelationTypes } = input;
  return {
    id: inputId(input.id),
    originator: {
      entityType: (input.originator.entityType ?? 'DEVICE').toUpperCase(),
      id: input.originator.id.toLowerCase(),
    },
    type: input.type,
    severity: input.severity,
    acknowledged: input.acknowledged === true,
    cleared: input.cleared === true,
    assigneeId: inputId(input.assigneeId),
    startTs: timeOf(input.startTs),
    endTs: timeOf(input.endTs),
    ackTs: timeOf(input.ackTs),
    clearTs: timeOf(input.clearTs),
    details: input.details ?? null,
    ...(typeof propagate === 'boolean' ? { propagate } : {}),
    ...(typeof propagateToOwner === 'boolean' ? { propagateToOwner } : {}),
    ...(typeof propagateToTenant === 'boolean' ? { propagateToTenant } : {}),
    ...(propagateRelationTypes === null || propagateRelationTypes === undefined ? {} : { propagateRelationTypes }),
  };
}

type Ranges = Pick<ApiQuery, 'startTime' | 'endTime' | 'assigneeId'>;

/** The first form of a filter; a string says what is wrong with it. */
export function filterOf(query: Ranges & Pick<ApiQuery, 'searchStatus' | 'status'>): AlarmFilter | string {
  const { searchStatus, status } = query;
  if (searchStatus !== undefined && status !== undefined) {
    return "Invalid alarms search query: Both parameters 'searchStatus' and 'status' can't be specified at the same time!";
  }
  const searchStatuses = searchStatus === undefined ? [] : [searchStatus];
  return { ...rangesOf(query), searchStatuses, status: status ?? null, severities: [], types: [] };
}

/** The second form, with lists. */
export function filterOfLists(
  query: Ranges & Pick<ApiV2Query, 'statusList' | 'severityList' | 'typeList'>,
): AlarmFilter | string {
  const searchStatuses = entriesOf(query.statusList, ALARM_SEARCH_STATUSES);
  if (searchStatuses === null) return `'statusList' in the query must be of ${ALARM_SEARCH_STATUSES.join(', ')}`;
  const severities = entriesOf(query.severityList, ALARM_SEVERITY_NAMES);
  if (severities === null) return `'severityList' in the query must be of ${ALARM_SEVERITY_NAMES.join(', ')}`;
  const types = textsOf(query.typeList);
  if (types.length > MAX_LISTED) return `'typeList' in the query must not have more than ${MAX_LISTED} entries`;
  return { ...rangesOf(query), searchStatuses, status: null, severities, types };
}

const MAX_LISTED = 100;

function rangesOf({
  startTime,
  endTime,
  assigneeId,
}: Ranges): Pick<AlarmFilter, 'startTime' | 'endTime' | 'assigneeId'> {
  return { startTime: startTime ?? null, endTime: endTime ?? null, assigneeId: assigneeId ?? null };
}

function textsOf(list: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof list === 'string' ? list.split(',', MAX_LISTED + 1) : (list ?? []);
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}

/** null: something else is among them. */
function entriesOf<T extends string>(
  list: string | readonly string[] | undefined,
  allowed: readonly T[],
): readonly T[] | null {
  const entries: T[] = [];
  for (const text of textsOf(list)) {
    const entry = allowed.find((one) => one === text.toUpperCase());
    if (entry === undefined) return null;
    if (!entries.includes(entry)) entries.push(entry);
  }
  return entries;
}

/** Clients send 0 for a time that they do not have. */
function timeOf(time: number | null | undefined): number | null {
  return time === null || time === undefined || time <= 0 ? null : time;
}
