import type { EntityId, Json, JsonObject } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import { isObject } from '../values/json.ts';
import type { AuditEntry, AuditLine } from './audit-log.ts';

export const AUDIT_LOG: DocumentCollection = {
  name: 'audit_log',
  filters: ['entityId', 'userId', 'customerId', 'entityType', 'actionType'],
  sorts: ['entityType', 'entityName', 'userName', 'actionType', 'failure'],
  search: ['entityName', 'entityType', 'userName', 'actionType'],
  unique: [],
};

const MAX_TEXT = 255;

export function auditRecord(entry: AuditEntry, id: EntityId, tenantId: EntityId): StoredDocument {
  const { ts, customerId, userId, actionData } = entry;
  const body: JsonObject = {
    customerId,
    userId,
    userName: cut(entry.userName),
    entityType: cut(entry.entityType),
    entityId: cut(entry.entityId),
    entityName: cut(entry.entityName),
    actionType: entry.actionType.slice(0, MAX_TEXT),
    actionData,
    failure: cut(entry.failure),
  };
  return { id, tenantId, createdTime: ts, version: 1, body };
}

export function auditLine({ id, tenantId, createdTime, body }: StoredDocument): AuditLine {
  const { actionData } = body;
  return {
    id,
    tenantId,
    createdTime,
    customerId: textOf(body.customerId) ?? '',
    userId: textOf(body.userId),
    userName: textOf(body.userName),
    entityType: textOf(body.entityType),
    entityId: textOf(body.entityId),
    entityName: textOf(body.entityName),
    actionType: textOf(body.actionType) ?? '',
    actionData: isObject(actionData) ? actionData : {},
    failure: textOf(body.failure),
  };
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MAX_TEXT).toWellFormed();
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
