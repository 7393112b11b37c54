import type { Customer as ApiCustomer, CustomerInput as ApiCustomerInput } from '@moorage/api-types';
import type { Customer, CustomerInput } from '@moorage/core';
import { contactOf } from './contact.ts';
import { entityId, inputId } from './entity-ids.ts';

/** thingsboard-server.md, 2.6 */
export function toCustomer(customer: Customer): ApiCustomer {
  const { title, additionalInfo, version } = customer;
  return {
    id: entityId('CUSTOMER', customer.id),
    createdTime: customer.createdTime,
    tenantId: entityId('TENANT', customer.tenantId),
    title,
    name: title,
    ...contactOf(customer),
    additionalInfo,
    externalId: null,
    version,
  };
}

export function fromCustomerInput(input: ApiCustomerInput): CustomerInput {
  return {
    id: inputId(input.id),
    title: input.title,
    ...contactOf(input),
    additionalInfo: input.additionalInfo ?? null,
    version: input.version ?? null,
  };
}
