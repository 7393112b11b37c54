import { type Static, Type } from 'typebox';
import { epochMs, freeJsonObject, named, nullableRefTo, nullableText, refTo } from './building-blocks.ts';
import { BareId, EntityId } from './entity-id.ts';
import { PageLinkProperties, pageOf } from './page.ts';

/** Who did what to which entity. thingsboard-server.md, 8.4 */
export const AuditLog = named(
  'AuditLog',
  Type.Object({
    id: refTo(BareId),
    createdTime: epochMs(),
    tenantId: refTo(EntityId),
    customerId: nullableRefTo(EntityId, { description: 'Of the user.' }),
    entityId: nullableRefTo(EntityId),
    entityName: nullableText(),
    userId: nullableRefTo(EntityId, { description: 'null: somebody who was not signed in.' }),
    userName: nullableText({ description: 'E-mail.' }),
    actionType: Type.String({ examples: ['ADDED', 'UPDATED', 'DELETED', 'LOGIN'] }),
    actionData: freeJsonObject({ description: 'What was asked for: shortened, and without secrets.' }),
    actionStatus: Type.Enum(['SUCCESS', 'FAILURE']),
    actionFailureDetails: nullableText(),
  }),
);
export type AuditLog = Static<typeof AuditLog>;

export const AuditLogPage = pageOf('AuditLogPage', refTo(AuditLog));
export type AuditLogPage = Static<typeof AuditLogPage>;

export const AuditLogQuery = Type.Object({
  ...PageLinkProperties,
  startTime: Type.Optional(Type.Integer({ description: 'Epoch milliseconds, inclusive.' })),
  endTime: Type.Optional(Type.Integer({ description: 'Epoch milliseconds, inclusive.' })),
  actionTypes: Type.Optional(Type.String({ maxLength: 1000, description: 'Comma-separated; all if left out.' })),
});
export type AuditLogQuery = Static<typeof AuditLogQuery>;
