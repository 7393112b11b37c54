import { type EntityId, NULL_ID } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import { flagMember, objectMember, textMember } from '../relations/body-members.ts';
import type { Asset, AssetProfile } from './asset-service.ts';

/**
 * Assets of all tenants. `removing` marks one whose data is being removed: nobody sees it any more, and it has no other
 * member.
 */
export const ASSETS: DocumentCollection = {
  name: 'asset',
  filters: ['name', 'customerId', 'assetProfileId', 'removing', 'assetId'],
  sorts: ['name', 'label'],
  search: ['name', 'label'],
  unique: [{ scope: 'tenant', members: ['name'] }],
};

/** `defaultMark` is there on the default profile only, so a tenant has at most one. */
export const ASSET_PROFILES: DocumentCollection = {
  name: 'asset_profile',
  filters: ['name', 'defaultMark'],
  sorts: ['name'],
  search: ['name'],
  unique: [
    { scope: 'tenant', members: ['name'] },
    { scope: 'tenant', members: ['defaultMark'] },
  ],
};

/** An asset as its record has it; the type follows from the profile. */
export type AssetRecord = Omit<Asset, 'type'>;

/** null: there is none, or it is being removed. */
export function assetOf(document: StoredDocument | null): AssetRecord | null {
  if (document === null || flagMember(document.body, 'removing')) return null;
  const { id, createdTime, tenantId, version, body } = document;
  return {
    id,
    createdTime,
    tenantId,
    customerId: textMember(body, 'customerId') ?? NULL_ID,
    name: textMember(body, 'name') ?? '',
    label: textMember(body, 'label'),
    assetProfileId: textMember(body, 'assetProfileId') ?? NULL_ID,
    additionalInfo: objectMember(body, 'additionalInfo'),
    version,
  };
}

export function assetDocument(asset: AssetRecord): StoredDocument {
  const { id, createdTime, tenantId, version, customerId, name, label, assetProfileId, additionalInfo } = asset;
  const owner = customerId === NULL_ID ? null : customerId;
  const body = { assetId: id, name, label, customerId: owner, assetProfileId, additionalInfo };
  return { id, createdTime, tenantId, version, body };
}

export function removingDocument({ id, createdTime, tenantId, version }: AssetRecord): StoredDocument {
  return { id, createdTime, tenantId, version: version + 1, body: { removing: true } };
}

export function profileOf({ id, createdTime, tenantId, version, body }: StoredDocument): AssetProfile {
  return {
    id,
    createdTime,
    tenantId,
    name: textMember(body, 'name') ?? '',
    description: textMember(body, 'description'),
    isDefault: textMember(body, 'defaultMark') !== null,
    version,
  };
}

export function profileDocument(profile: AssetProfile): StoredDocument {
  const { id, createdTime, tenantId, version, name, description, isDefault } = profile;
  return { id, createdTime, tenantId, version, body: { name, description, defaultMark: isDefault ? 'default' : null } };
}

/** Assets of a tenant that are not being removed: only those have a profile. */
export function ofProfile(assetProfileId: EntityId) {
  return { member: 'assetProfileId', is: '=' as const, value: assetProfileId };
}
