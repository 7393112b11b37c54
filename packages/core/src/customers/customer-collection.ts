import type { Json, JsonObject } from '../model/entities.ts';
import type { DocumentCollection, StoredDocument } from '../ports/documents.ts';
import type { CONTACT_MEMBERS, Customer, CustomerContact } from './customer.ts';

/**
 * Customers as documents. `removing` marks one that is being taken apart: nobody sees it any more, and it has no title,
 * so that the title is free at once.
 */
export const CUSTOMERS: DocumentCollection = {
  name: 'customer',
  filters: ['title', 'removing', 'listed'],
  sorts: ['title', 'email', 'country', 'city'],
  search: ['title'],
  unique: [{ scope: 'tenant', members: ['title'] }],
};

/** null: there is none, or it is being removed. */
export function customerOf(document: StoredDocument | null): Customer | null {
  if (document === null || document.body.removing === true) return null;
  const { id, createdTime, tenantId, version, body } = document;
  return {
    id,
    createdTime,
    tenantId,
    title: textOf(body.title) ?? '',
    ...contactOf((member) => textOf(body[member])),
    isPublic: body.isPublic === true,
    additionalInfo: objectOf(body.additionalInfo),
    version,
  };
}

export function documentOf(customer: Customer): StoredDocument {
  const { id, createdTime, tenantId, version, title, isPublic, additionalInfo } = customer;
  const body: JsonObject = {
    title,
    ...contactOf((member) => customer[member]),
    isPublic,
    additionalInfo,
    listed: true,
  };
  return { id, createdTime, tenantId, version, body };
}

/** What is left of a customer while its users and devices are cut loose. */
export function removingDocumentOf(customer: Customer): StoredDocument {
  const { id, createdTime, tenantId, version } = customer;
  return { id, createdTime, tenantId, version: version + 1, body: { removing: true } };
}

export function contactOf(read: (member: (typeof CONTACT_MEMBERS)[number]) => string | null): CustomerContact {
  return {
    country: read('country'),
    state: read('state'),
    city: read('city'),
    address: read('address'),
    address2: read('address2'),
    zip: read('zip'),
    phone: read('phone'),
    email: read('email'),
  };
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function objectOf(value: Json | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
