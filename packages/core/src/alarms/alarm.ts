import type { EntityId, Json } from '../model/entities.ts';

/** From the worst to the mildest; rules are tried in this order. thingsboard-server.md, 8.1 */
export const ALARM_SEVERITIES = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING', 'INDETERMINATE'] as const;
export type AlarmSeverity = (typeof ALARM_SEVERITIES)[number];

export type AlarmStatus = 'ACTIVE_UNACK' | 'ACTIVE_ACK' | 'CLEARED_UNACK' | 'CLEARED_ACK';

/** What an alarm is about. Only devices raise alarms so far. */
export interface AlarmOriginator {
  /** Upper case. */
  readonly entityType: string;
  readonly id: EntityId;
}

/** How far an alarm is shown beyond its originator; kept and answered, without effect so far. */
export interface AlarmPropagation {
  readonly propagate: boolean;
  readonly propagateToOwner: boolean;
  readonly propagateToTenant: boolean;
  readonly propagateRelationTypes: readonly string[];
}

export const NO_PROPAGATION: AlarmPropagation = {
  propagate: false,
  propagateToOwner: false,
  propagateToTenant: false,
  propagateRelationTypes: [],
};

/** An alarm. At most one of an originator and a type is not cleared. Times are epoch milliseconds, 0: not yet. */
export interface Alarm extends AlarmPropagation {
  readonly id: EntityId;
  readonly createdTime: number;
  readonly tenantId: EntityId;
  /** Of the originator when the alarm was last changed; NULL_ID: none. */
  readonly customerId: EntityId;
  readonly originator: AlarmOriginator;
  readonly type: string;
  readonly severity: AlarmSeverity;
  readonly acknowledged: boolean;
  readonly cleared: boolean;
  readonly assigneeId: EntityId | null;
  readonly startTs: number;
  readonly endTs: number;
  readonly ackTs: number;
  readonly clearTs: number;
  readonly assignTs: number;
  readonly details: Json;
  readonly version: number;
}

export interface AlarmAssignee {
  readonly id: EntityId;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly email: string;
}

/** An alarm with the names that lists show; null where the originator or the assignee is gone. */
export interface AlarmInfo extends Alarm {
  readonly originatorName: string | null;
  readonly originatorLabel: string | null;
  readonly assignee: AlarmAssignee | null;
}

export function alarmStatus({ acknowledged, cleared }: Pick<Alarm, 'acknowledged' | 'cleared'>): AlarmStatus {
  if (cleared) return acknowledged ? 'CLEARED_ACK' : 'CLEARED_UNACK';
  return acknowledged ? 'ACTIVE_ACK' : 'ACTIVE_UNACK';
}
