import { contactOf } from '../customers/customer-collection.ts';
import { type EntityId, type Json, type JsonObject, NULL_ID, type Tenant } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import type { TenantDetails } from './tenant.ts';

/**
 * What is known of tenants beside the name that the registry refers to. `removing` marks one that is being taken apart:
 * nobody sees it any more, and its name is free at once.
 */
export const TENANTS: DocumentCollection = {
  name: 'tenant',
  filters: ['removing', 'listed'],
  sorts: ['title', 'region', 'email', 'country', 'city'],
  search: ['title'],
  unique: [],
};

/** null: there is none, or it is being removed. */
export function tenantOf(document: StoredDocument | null): TenantDetails | null {
  if (document === null || document.body.removing === true) return null;
  const { id, createdTime, version, body } = document;
  return {
    id,
    createdTime,
    title: textOf(body.title) ?? '',
    region: textOf(body.region),
    ...contactOf((member) => textOf(body[member])),
    additionalInfo: objectOf(body.additionalInfo),
    version,
  };
}

/** The record of a tenant belongs to no tenant, so that it goes last. */
export function tenantRecord(tenant: TenantDetails): StoredDocument {
  const { id, createdTime, version, title, region, additionalInfo } = tenant;
  const body: JsonObject = { title, region, ...contactOf((member) => tenant[member]), additionalInfo, listed: true };
  return { id, createdTime, tenantId: NULL_ID, version, body };
}

/** What is left of a tenant while it is taken apart. */
export function removingRecord({ id, createdTime, version }: TenantDetails): StoredDocument {
  return { id, createdTime, tenantId: NULL_ID, version: version + 1, body: { removing: true } };
}

/** The name of a tenant while it is taken apart; nobody else can have it. */
export function removingName(id: EntityId): string {
  return `removing\n${id}`;
}

export function plainDetails({ id, createdTime, name }: Tenant): TenantDetails {
  const nothing = { region: null, additionalInfo: null };
  return { id, createdTime, title: name, ...nothing, ...contactOf(() => null), version: 1 };
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function objectOf(value: Json | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
