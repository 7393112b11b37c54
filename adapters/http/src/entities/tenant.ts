import type { TenantInput as ApiInput, Tenant } from '@moorage/api-types';
import type { TenantDetails, TenantInput } from '@moorage/core';
import { contactOf } from './contact.ts';
import { entityId, inputId } from './entity-ids.ts';

export function toTenant(tenant: TenantDetails): Tenant {
  const { id, createdTime, title, region, additionalInfo, version } = tenant;
  return {
    id: entityId('TENANT', id),
    createdTime,
    title,
    name: title,
    region,
    tenantProfileId: null,
    ...contactOf(tenant),
    additionalInfo,
    externalId: null,
    version,
  };
}

export function fromTenantInput(input: ApiInput): TenantInput {
  return {
    id: inputId(input.id),
    title: input.title,
    region: input.region ?? null,
    ...contactOf(input),
    additionalInfo: input.additionalInfo ?? null,
    version: input.version ?? null,
  };
}
