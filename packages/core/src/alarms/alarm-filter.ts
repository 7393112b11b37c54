import type { DocumentCondition } from '../ports/documents.ts';
import type { AlarmFilter } from './alarm-service.ts';

/** What the store is asked for a filter. */
export function filterConditions(filter: AlarmFilter): readonly DocumentCondition[] {
  const conditions: DocumentCondition[] = [];
  const equal = (member: string, value: string | boolean): void => void conditions.push({ member, is: '=', value });
  if (filter.assigneeId !== null) equal('assigneeId', filter.assigneeId);
  if (filter.types.length > 0) conditions.push({ member: 'type', is: 'in', value: filter.types });
  if (filter.severities.length > 0) conditions.push({ member: 'severity', is: 'in', value: filter.severities });
  const wanted = new Set(filter.searchStatuses);
  if (!wanted.has('ANY')) {
    // Both of a pair ask for all.
    if (wanted.has('CLEARED') !== wanted.has('ACTIVE')) equal('cleared', wanted.has('CLEARED'));
    if (wanted.has('ACK') !== wanted.has('UNACK')) equal('acknowledged', wanted.has('ACK'));
  }
  if (filter.status !== null) {
    equal('cleared', filter.status.startsWith('CLEARED'));
    equal('acknowledged', filter.status.endsWith('_ACK'));
  }
  if (filter.startTime !== null) conditions.push({ member: 'createdTime', is: '>=', value: filter.startTime });
  if (filter.endTime !== null) conditions.push({ member: 'createdTime', is: '<=', value: filter.endTime });
  return conditions;
}
