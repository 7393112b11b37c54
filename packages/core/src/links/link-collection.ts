import type { EntityId } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import { flagMember, objectMember, textMember } from '../relations/body-members.ts';
import type { StoredLink } from './link.ts';

/** Links of all tenants as documents. */
export const DEVICE_LINKS: DocumentCollection = {
  name: 'device_link',
  filters: ['sourceId', 'targetId'],
  sorts: ['name'],
  search: ['name'],
  unique: [],
};

/** null: the document is not what was written here. */
export function linkOf({ id, createdTime, tenantId, version, body }: StoredDocument): StoredLink | null {
  const sourceId: EntityId | null = textMember(body, 'sourceId');
  const targetId: EntityId | null = textMember(body, 'targetId');
  const key = textMember(body, 'key');
  if (sourceId === null || targetId === null || key === null) return null;
  return {
    id,
    createdTime,
    tenantId,
    name: textMember(body, 'name') ?? '',
    enabled: flagMember(body, 'enabled'),
    source: { deviceId: sourceId, key },
    target: { deviceId: targetId, method: textMember(body, 'method'), attribute: textMember(body, 'attribute') },
    map: objectMember(body, 'map'),
    version,
  };
}

export function linkDocument(link: StoredLink): StoredDocument {
  const { id, createdTime, tenantId, version, name, enabled, source, target, map } = link;
  const { method, attribute } = target;
  const ends = { sourceId: source.deviceId, key: source.key, targetId: target.deviceId, method, attribute };
  return { id, createdTime, tenantId, version, body: { name, enabled, ...ends, map } };
}
