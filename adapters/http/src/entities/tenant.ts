import type { TenantInput as ApiInput, Tenant } from '@moorage/api-types';
import type { TenantDetails, TenantInput } from '@moorage/core';
import { entityId, inputId } from './entity-ids.ts';

export function toTenant(tenant: TenantDetails): Tenant {
  const { id, createdTime, title, region, additionalInfo, version } = tenant;
  const { country, state, city, address, address2, zip, phone, email } = tenant;
  return {
    id: entityId('TENANT', id),
    createdTime,
    title,
    name: title,
    region,
    tenantProfileId: null,
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

export function fromTenantInput(input: ApiInput): TenantInput {
  return {
    id: inputId(input.id),
    title: input.title,
    region: input.region ?? null,
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
