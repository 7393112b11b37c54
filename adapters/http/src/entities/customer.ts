import type { Customer as ApiCustomer, CustomerInput as ApiCustomerInput } from '@moorage/api-types';
import type { Customer, CustomerInput } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

/** thingsboard-server.md, 2.6 */
export function toCustomer(customer: Customer): ApiCustomer {
  const { title, country, state, city, address, address2, zip, phone, email, additionalInfo, version } = customer;
  return {
    id: entityId('CUSTOMER', customer.id),
    createdTime: customer.createdTime,
    tenantId: entityId('TENANT', customer.tenantId),
    title,
    name: title,
    country,
    state,
    city,
    address,
    address2,
    zip,
    phone,
    email,
    additionalInfo,
    externalId: null,
    version,
  };
}

export function fromCustomerInput(input: ApiCustomerInput): CustomerInput {
  return {
    id: inputId(input.id),
    title: input.title,
    country: input.country ?? null,
    state: input.state ?? null,
    city: input.city ?? null,
    address: input.address ?? null,
    address2: input.address2 ?? null,
    zip: input.zip ?? null,
    phone: input.phone ?? null,
    email: input.email ?? null,
    additionalInfo: input.additionalInfo ?? null,
    version: input.version ?? null,
  };
}
