import type { AuditLog as ApiAuditLog, AuditLogQuery } from '@moorage/api-types';
import { type AuditLine, type AuditQuery, NULL_ID } from '@moorage/core';
import { entityId } from './entity-ids.ts';
import { toPageQuery } from './pages.ts';

/** thingsboard-server.md, 8.4 */
export function toAuditLog(line: AuditLine): ApiAuditLog {
  const { createdTime, entityType, entityName, userName, actionType, actionData, failure } = line;
  const entity = entityType === null || line.entityId === null ? null : { entityType, id: line.entityId };
  return {
    id: { id: line.id },
    createdTime,
    tenantId: entityId('TENANT', line.tenantId),
    customerId: entityId('CUSTOMER', line.customerId === '' ? NULL_ID : line.customerId),
    entityId: entity,
    entityName,
    userId: line.userId === null ? null : entityId('USER', line.userId),
    userName,
    actionType,
    actionData,
    actionStatus: failure === null ? 'SUCCESS' : 'FAILURE',
    actionFailureDetails: failure,
  };
}

/** ThingsBoard's name of the outcome, as lists are sorted by it. */
const OUTCOME = 'actionStatus';

export function toAuditQuery(query: AuditLogQuery): AuditQuery {
  const types = (query.actionTypes ?? '')
    .split(',')
    .map((type) => type.trim().toUpperCase())
    .filter((type) => type !== '');
  const page = toPageQuery(query);
  return {
    ...page,
    sortProperty: page.sortProperty === OUTCOME ? 'failure' : page.sortProperty,
    startTime: query.startTime ?? null,
    endTime: query.endTime ?? null,
    actionTypes: types.length === 0 ? null : types,
  };
}
